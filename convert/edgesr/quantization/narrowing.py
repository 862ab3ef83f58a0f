"""4-bit weights where a file would be too large: those first that lose least for the bytes they save.

On a phone's CPU 4-bit weights save no time and no memory: they lie on a grid of 16 levels inside int8
tensors, so that only the compressed file is smaller. They are for a limit on its bytes alone.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph.graph import Graph
from .containers import STATIC, WEIGHT_BITS, body, container_of
from .equalize import equalized
from .noise import predicted_noise, typical_gains
from .plan import Plan
from .rounding import round_weights
from .search import least
from .statistics import CalibrationTiles
from .weights import omse_scales

BITS = 4


def narrowed(graph: Graph, plan: Plan, tiles: CalibrationTiles) -> Plan:
    """The plan with 4-bit weights in its whole body; all else stays, the grids of all tensors included."""
    even = equalized(graph, plan.channel_scales)
    names = {node.name for node in body(graph) if container_of(node, plan) in STATIC}
    bits = {
        n.name: BITS if n.name in names else WEIGHT_BITS.get(container_of(n, plan), 8) for n in even.convs
    }
    scales = {name: np.asarray(values, np.float32) for name, values in plan.weight_scales.items()}
    scales |= {node.name: omse_scales(node.op.weight, BITS) for node in even.convs if node.name in names}
    rounded = round_weights(even, scales, bits, tiles)
    new = {name: rounded[name] for name in rounded if name in names}
    narrow = replace(
        plan.with_containers(dict.fromkeys(new, "w4a8")),
        weight_scales={**plan.weight_scales, **{name: tuple(scales[name].tolist()) for name in new}},
        weight_levels={**plan.weight_levels, **{name: r.levels.tobytes() for name, r in new.items()}},
        bias_corrections={
            **plan.bias_corrections,
            **{name: tuple(r.correction.tolist()) for name, r in new.items()},
        },
    )
    noise = {name: result.noise for name, result in rounded.items()}
    foreseen = predicted_noise(graph, narrow, typical_gains(graph, tiles), noise)
    return replace(narrow, sensitivity={**plan.sensitivity, **{name: foreseen[name] for name in new}})


def slimmed(graph: Graph, plan: Plan, narrow: Plan, size: Callable[[Plan], int], max_bytes: float) -> Plan:
    """The plan with as few convolutions as `narrow` has them as make its file small enough, or all of them.

    Args:
        narrow: what `narrowed` made of the plan.
        size: bytes of the file that a plan gives.
    """

    def price(name: str) -> float:
        """Noise for each byte saved."""
        return (narrow.sensitivity[name] - plan.sensitivity.get(name, 0.0)) / len(narrow.weight_levels[name])

    changed = [n.name for n in graph.convs if narrow.containers.get(n.name) != plan.containers.get(n.name)]
    order = sorted(changed, key=price)

    def after(count: int) -> Plan:
        return _taking(plan, narrow, order[:count])

    enough = least(0, len(order), lambda count: size(after(count)) <= max_bytes)
    return after(len(order) if enough is None else enough)


def _taking(plan: Plan, other: Plan, names: list[str]) -> Plan:
    """The plan with what another one says about some convolutions' weights."""

    def merged(field: str) -> Any:
        return {**getattr(plan, field), **{name: getattr(other, field)[name] for name in names}}

    fields = ("containers", "weight_scales", "weight_levels", "bias_corrections", "sensitivity")
    return replace(plan, **{field: merged(field) for field in fields})
