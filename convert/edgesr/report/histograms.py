"""How the values of tensors lie within the ranges that a plan gives them."""

import numpy as np
import torch

from ..graph.execute import run
from ..graph.graph import Graph, Node
from ..quantization.containers import STATIC, container_of
from ..quantization.equalize import equalized
from ..quantization.plan import Plan
from ..quantization.statistics import CalibrationTiles
from .material import Histogram

TENSORS = 4
TILES = 8
BINS = 48


def histograms(graph: Graph, plan: Plan, tiles: CalibrationTiles) -> tuple[Histogram, ...]:
    """The most sensitive tensors that are int8 under a plan; those of widest range if none is known to be so.

    Picture and output are left out, whose ranges are given. Values are those of the equalized network, on
    which the plan's ranges lie.
    """
    fixed = {graph.input.name, graph.output}
    names = [n.name for n in graph if n.name not in fixed and n.name in plan.ranges and _is_int8(n, plan)]
    width = {name: plan.ranges[name][1] - plan.ranges[name][0] for name in names}
    names.sort(key=lambda name: (-plan.sensitivity.get(name, 0.0), -width[name]))
    stride = max(1, len(tiles.pixels) // TILES)
    even = equalized(graph, plan.channel_scales)
    with torch.inference_mode():
        values = run(even, tiles.pixels[::stride][:TILES], keep=names[:TENSORS])
    return tuple(_histogram(graph[name], values[name].numpy().ravel(), plan) for name in names[:TENSORS])


def _is_int8(node: Node, plan: Plan) -> bool:
    return container_of(node, plan) in {*STATIC, "a8"}


def _histogram(node: Node, values: np.ndarray, plan: Plan) -> Histogram:
    clip = plan.ranges[node.name]
    low, high = min(float(values.min()), clip[0]), max(float(values.max()), clip[1])
    counts, _ = np.histogram(values, BINS, (low, high))
    return Histogram(
        name=node.name,
        kind=node.op.kind,
        counts=counts,
        low=low,
        high=high,
        clip=clip,
        below=float((values < clip[0]).mean()),
        above=float((values > clip[1]).mean()),
        sensitivity=plan.sensitivity.get(node.name),
    )
