"""Which op kinds a network may have, and in which precisions a target runs each: read off the tables.

An op counts for a precision if its executor and the target's writer have a function for it, or for the
ops that it is rewritten to on the way.
"""

from ..graph import ops
from ..graph.execute import evaluate
from ..quantization.reference import is_integer_kind
from ..quantization.typed import QConv2d
from .tflite.writer import emit

BECOMES: dict[type[ops.Op], tuple[type[ops.Op], ...]] = {
    ops.ResizeNearest: (ops.Repeat, ops.PixelShuffle),
    ops.Repeat: (ops.Concat,),
    ops.PixelShuffle: (ops.DepthToSpace,),
    ops.Relu: (QConv2d,),
    ops.Clamp: (QConv2d,),
    ops.Std: (ops.Mean, ops.SquaredDifference, ops.Sqrt),
}
"""Kinds that have no TFLite op of their own, or none that is fast in int8: what is made of them."""

INTERNAL = (ops.Input, ops.DepthToSpace, ops.Repeat, ops.SquaredDifference, ops.Sqrt)
"""Kinds that no network is written with."""


def support() -> dict[str, tuple[str, ...]]:
    """Op kind -> precisions, "f32" and "int8", in which it runs."""
    kinds = sorted(set(ops.Op.__subclasses__()) - set(INTERNAL), key=lambda kind: kind.__name__)
    graph_kinds = [kind for kind in kinds if kind.__module__ == ops.__name__]
    return {kind.__name__: _precisions(kind) for kind in graph_kinds}


def _precisions(kind: type[ops.Op]) -> tuple[str, ...]:
    runs = {"f32": _is_float_kind(kind), "int8": is_integer_kind(QConv2d if kind is ops.Conv2d else kind)}
    if kind in BECOMES:
        runs["int8"] = all("int8" in _precisions(part) for part in BECOMES[kind])
    return tuple(name for name, holds in runs.items() if holds and _is_written(kind))


def _is_float_kind(kind: type[ops.Op]) -> bool:
    return evaluate.dispatch(kind) is not evaluate.dispatch(ops.Op)


def _is_written(kind: type[ops.Op]) -> bool:
    parts = BECOMES.get(kind)
    return (
        all(_is_written(part) for part in parts)
        if parts
        else emit.dispatch(kind) is not emit.dispatch(ops.Op)
    )
