"""Which op kinds a network may have, and in which precisions each target runs them: read off the tables.

An op counts for a precision if its executor and the target's writer have a function for it, or for the
ops that it is rewritten to on the way.
"""

from collections.abc import Mapping
from typing import Any

from ..graph import ops
from ..graph.execute import evaluate
from ..quantization.reference import is_integer_kind
from ..quantization.typed import QConv2d
from .executorch.emit import emit as emit_executorch
from .targets import EXECUTORCH, TFLITE
from .tflite.writer import emit as emit_tflite

EMITTERS: Mapping[str, Any] = {TFLITE.name: emit_tflite, EXECUTORCH.name: emit_executorch}
"""Target -> its function of a node, with an implementation for each kind that it can write."""

BECOMES: dict[type[ops.Op], tuple[type[ops.Op], ...]] = {
    ops.ResizeNearest: (ops.Repeat, ops.PixelShuffle),
    ops.Repeat: (ops.Concat,),
    ops.PixelShuffle: (ops.DepthToSpace,),
    ops.Relu: (QConv2d,),
    ops.Clamp: (QConv2d,),
    ops.Std: (ops.Mean, ops.SquaredDifference, ops.Sqrt),
}
"""Kinds that have no op of their own in either format, or none that is fast in int8: what is made of them."""

INTERNAL = (ops.Input, ops.DepthToSpace, ops.Repeat, ops.SquaredDifference, ops.Sqrt)
"""Kinds that no network is written with."""


def support() -> dict[str, dict[str, tuple[str, ...]]]:
    """Op kind -> target -> precisions, "f32" and "int8", in which the target runs it."""
    kinds = sorted(set(ops.Op.__subclasses__()) - set(INTERNAL), key=lambda kind: kind.__name__)
    graph_kinds = [kind for kind in kinds if kind.__module__ == ops.__name__]
    return {kind.__name__: {target: _precisions(kind, target) for target in EMITTERS} for kind in graph_kinds}


def _precisions(kind: type[ops.Op], target: str) -> tuple[str, ...]:
    runs = {"f32": _has(evaluate, kind), "int8": is_integer_kind(QConv2d if kind is ops.Conv2d else kind)}
    if kind in BECOMES:
        runs["int8"] = all("int8" in _precisions(part, target) for part in BECOMES[kind])
    return tuple(name for name, holds in runs.items() if holds and _is_written(kind, target))


def _is_written(kind: type[ops.Op], target: str) -> bool:
    parts = BECOMES.get(kind)
    return all(_is_written(part, target) for part in parts) if parts else _has(EMITTERS[target], kind)


def _has(function: Any, kind: type[ops.Op]) -> bool:
    """Whether a function that goes by an op's kind has an implementation for it."""
    return function.dispatch(kind) is not function.dispatch(ops.Op)
