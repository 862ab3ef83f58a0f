"""One float pass over the calibration tiles: what every calibration method draws its ranges from.

Also the rules that hold whatever the method: which tensors must share one range, and which ranges are
not estimated at all (the picture's and the output's are the pixel range itself, so the input is exact
and the output grid is the 8-bit grid of the picture).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.execute import run
from ..graph.graph import Graph, Node
from ..graph.shapes import channels
from .plan import Range

VIVID = 1.4  # times the colour of the picture itself
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue
NEAR = 1.25  # times as wide as each of two ranges: so wide a common one may be
BATCH = 4  # tiles at a time: bounds memory, and is the batch of the moving average


@dataclass(frozen=True)
class CalibrationTiles:
    """Low-resolution tiles as they will be deployed.

    Attributes:
        pixels: float32 (N, 3, tile, tile) in the network's pixel range.
        pixel_range: value of white, 1 or 255.
        seed: of the drawing of pictures and tiles; methods that draw more continue from it.
    """

    pixels: Tensor
    pixel_range: int
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tiles as 8-bit pixels."""
        levels = (self.pixels * (255 / self.pixel_range)).round().to(torch.uint8)
        return hashlib.sha256(levels.numpy().tobytes()).hexdigest()

    def vivid(self) -> "CalibrationTiles":
        """The same tiles in stronger colours.

        A few photographs hold few saturated colours, and what these make of the activations is clipped
        where no range foresees them: the worst pictures of every test set.
        """
        levels = self.pixels * (255 / self.pixel_range)
        grey = torch.einsum("nchw,c->nhw", levels, torch.tensor(LUMA)).unsqueeze(1)
        stronger = (grey + VIVID * (levels - grey)).round().clamp(0, 255)
        return replace(self, pixels=stronger * (self.pixel_range / 255))


@dataclass(frozen=True)
class Statistics:
    """What the float pass saw of each node.

    Attributes:
        low, high: smallest and largest value per tile and channel, shape (tiles, channels), where
            `reaching` adds tiles.
        variance: per channel over all tiles, shape (channels,).
        spread: standard deviation over (C,H,W) per tile, shape (tiles,).
    """

    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]
    variance: Mapping[str, np.ndarray]
    spread: Mapping[str, np.ndarray]

    def extremes(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each channel over all tiles."""
        return self.low[name].min(axis=0), self.high[name].max(axis=0)

    def reaching(self, other: "Statistics") -> "Statistics":
        """These, with the extremes of others' tiles too."""
        low = {name: np.concatenate([rows, other.low[name]]) for name, rows in self.low.items()}
        high = {name: np.concatenate([rows, other.high[name]]) for name, rows in self.high.items()}
        return replace(self, low=low, high=high)


def collect(graph: Graph, tiles: CalibrationTiles, progress: Callable[[], None] = lambda: None) -> Statistics:
    """Statistics of every node's value on every tile; `progress` is called after each batch.

    Tiles of one colour say nothing about ranges and are left out (METHODS A.11), unless all are.
    """
    flat = tiles.pixels.amax((1, 2, 3)) == tiles.pixels.amin((1, 2, 3))
    chosen = tiles.pixels if bool(flat.all()) else tiles.pixels[~flat]
    # Made before the pass: small results allocated between large passing ones would pin the heap.
    rows = {name: np.empty((4, len(chosen), count), np.float32) for name, count in channels(graph).items()}
    done = 0

    def record(node: Node, value: Tensor) -> Tensor:
        # NumPy reduces rows on one core as fast as memory allows; parallel reductions cost more to start.
        pixels = value.contiguous().flatten(2).numpy()
        low, high, mean, square = rows[node.name][:, done : done + len(value)]
        pixels.min(axis=2, out=low)
        pixels.max(axis=2, out=high)
        pixels.mean(axis=2, out=mean)
        np.einsum("ncp,ncp->nc", pixels, pixels, out=square)
        square /= pixels.shape[2]
        return value

    with torch.inference_mode():
        for batch in torch.split(chosen, BATCH):
            run(graph, batch, hook=record)
            done += len(batch)
            progress()
    return Statistics(
        low={name: table[0] for name, table in rows.items()},
        high={name: table[1] for name, table in rows.items()},
        variance={name: _variance(table[2], table[3], axis=0) for name, table in rows.items()},
        spread={name: np.sqrt(_variance(table[2], table[3], axis=1)) for name, table in rows.items()},
    )


def _variance(mean: np.ndarray, square: np.ndarray, axis: int) -> np.ndarray:
    """Of everything along an axis, from the parts' means and mean squares."""
    mean, square = mean.astype(np.float64), square.astype(np.float64)
    return np.maximum(square.mean(axis=axis) - mean.mean(axis=axis) ** 2, 0)


_OWN_GRID = (ops.Sigmoid, ops.Tanh, ops.Slice)
"""Kinds whose grid is fixed, or that of a larger tensor that others read."""


def range_groups(graph: Graph) -> dict[str, str]:
    """Node -> representative of the group of nodes that must share one grid.

    Ops that only move values keep their input's grid. Inputs of a concatenation share its grid when
    nothing else reads them; where something else does, requantizing is the lesser evil, but for another
    concatenation: along a chain of them each link would round again.
    """
    parent = {node.name: node.name for node in graph}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for node in graph:
        if isinstance(node.op, ops.PASS_THROUGH):
            parent[root(node.name)] = root(node.inputs[0])
        elif isinstance(node.op, ops.Concat):
            for name in node.inputs:
                alone = graph.only_user(name) is node and not isinstance(graph[name].op, _OWN_GRID)
                if alone or isinstance(graph[name].op, ops.Concat):
                    parent[root(name)] = root(node.name)
    return {name: root(name) for name in parent}


def settle(graph: Graph, ranges: Mapping[str, Range], pixel_range: int) -> dict[str, Range]:
    """Estimated ranges made consistent: groups share their union, picture and output are fixed."""
    groups = _joined(graph, range_groups(graph), ranges)
    union = _unions(groups, ranges)
    for name in (graph.input.name, graph.output):
        union[groups[name]] = (0.0, float(pixel_range))
    return {node.name: union[groups[node.name]] for node in graph}


def _unions(groups: Mapping[str, str], ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Group -> the range that covers those of all its nodes."""
    union: dict[str, Range] = {}
    for name, (low, high) in ranges.items():
        known = union.get(groups[name], (low, high))
        union[groups[name]] = (min(low, known[0]), max(high, known[1]))
    return union


def _joined(graph: Graph, groups: Mapping[str, str], ranges: Mapping[str, Range]) -> dict[str, str]:
    """The groups, with concatenations and those of their inputs joined whose ranges are nearly the same.

    A slightly coarser grid then loses less than rounding to another one would.
    """
    joined, union = dict(groups), _unions(groups, ranges)
    fixed = {groups[graph.input.name], groups[graph.output]}
    edges = [(i, n.name) for n in graph if isinstance(n.op, ops.Concat) for i in n.inputs]
    for name, concat in edges:
        old, new = joined[name], joined[concat]
        if old == new or {old, new} & fixed or isinstance(graph[name].op, _OWN_GRID):
            continue
        both = (min(union[old][0], union[new][0]), max(union[old][1], union[new][1]))
        if _width(both) <= NEAR * min(_width(union[old]), _width(union[new])):
            joined = {node: new if group == old else group for node, group in joined.items()}
            union[new] = both
    return joined


def _width(bounds: Range) -> float:
    """Of the grid, which contains zero."""
    return max(bounds[1], 0.0) - min(bounds[0], 0.0)
