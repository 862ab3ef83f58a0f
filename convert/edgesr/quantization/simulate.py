"""Simulated quantization: the float graph with rounding to the plan's grids after every node.

Close to the integer reference but differentiable in spirit and free of its rounding order; calibration
uses it to look ahead, never to report a figure of a program.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..graph import ops
from ..graph.execute import Hook
from ..graph.graph import Graph, Node
from .affine import dequantize_weight, fake_quantize, qparams, quantize_weight
from .containers import WEIGHT_BITS, container_of
from .plan import Plan, Range


def with_quantized_weights(graph: Graph, plan: Plan, only: Collection[str] | None = None) -> Graph:
    """The graph with the weights of its int8 convolutions rounded to the plan's grids."""
    changes: dict[str, Node] = {}
    for node in graph.convs:
        container = container_of(node, plan)
        if container == "f32" or (only is not None and node.name not in only):
            continue
        scales = np.asarray(plan.weight_scales[node.name], np.float32)
        levels = quantize_weight(node.op.weight, scales, WEIGHT_BITS[container])
        changes[node.name] = replace(node, op=replace(node.op, weight=dequantize_weight(levels, scales)))
    return Graph(tuple(changes.get(node.name, node) for node in graph), graph.output)


def rounding(ranges: Mapping[str, Range]) -> Hook:
    """A hook that rounds the value of each node that has a range to the grid of that range."""
    grids = {name: qparams(*bounds) for name, bounds in ranges.items()}

    def hook(node: Node, value: Tensor) -> Tensor:
        grid = grids.get(node.name)
        moves_only = isinstance(node.op, ops.PASS_THROUGH)
        return value if grid is None or moves_only else fake_quantize(value, grid)

    return hook
