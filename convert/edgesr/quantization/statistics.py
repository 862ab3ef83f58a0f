"""One float pass over the calibration tiles: what every calibration method draws its ranges from.

Also the rules that hold whatever the method: which tensors must share one range, and which ranges are
not estimated at all (the picture's and the output's are the pixel range itself, so the input is exact
and the output grid is the 8-bit grid of the picture).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.execute import run
from ..graph.graph import Graph, Node
from .plan import Range

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

    def batches(self) -> tuple[Tensor, ...]:
        return torch.split(self.pixels, BATCH)


@dataclass(frozen=True)
class Statistics:
    """What the float pass saw of each node.

    Attributes:
        low, high: smallest and largest value per tile and channel, shape (tiles, channels).
        mean, variance: per channel over all tiles, shape (channels,).
        spread: standard deviation over (C,H,W) per tile, shape (tiles,).
    """

    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]
    mean: Mapping[str, np.ndarray]
    variance: Mapping[str, np.ndarray]
    spread: Mapping[str, np.ndarray]

    def extremes(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each channel over all tiles."""
        return self.low[name].min(axis=0), self.high[name].max(axis=0)


def collect(graph: Graph, tiles: CalibrationTiles, progress: Callable[[], None] = lambda: None) -> Statistics:
    """Statistics of every node's value on every tile; `progress` is called after each batch.

    Tiles of one colour say nothing about ranges and are left out (METHODS A.11), unless all are.
    """
    flat = tiles.pixels.amax((1, 2, 3)) == tiles.pixels.amin((1, 2, 3))
    chosen = tiles.pixels if bool(flat.all()) else tiles.pixels[~flat]
    records: dict[str, list[tuple[Tensor, ...]]] = {node.name: [] for node in graph}

    def record(node: Node, value: Tensor) -> Tensor:
        mean, square = value.mean((2, 3)), value.square().mean((2, 3))
        spread = (square.mean(1) - mean.mean(1).square()).clamp_min(0).sqrt()
        records[node.name].append((value.amin((2, 3)), value.amax((2, 3)), mean, square, spread))
        return value

    with torch.inference_mode():
        for batch in torch.split(chosen, BATCH):
            run(graph, batch, hook=record)
            progress()
    low, high, mean, square, spread = (
        {name: torch.cat([row[i] for row in rows]).double().numpy() for name, rows in records.items()}
        for i in range(5)
    )
    means = {name: value.mean(axis=0) for name, value in mean.items()}
    variances = {name: np.maximum(v.mean(axis=0) - means[name] ** 2, 0) for name, v in square.items()}
    return Statistics(low, high, means, variances, spread)


def range_groups(graph: Graph) -> dict[str, str]:
    """Node -> representative of the group of nodes that must share one grid.

    Ops that only move values keep their input's grid. Inputs of a concatenation share its grid when
    nothing else reads them; where something else does, requantizing is the lesser evil.
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
                if graph.only_user(name) is node and not isinstance(graph[name].op, ops.Sigmoid):
                    parent[root(name)] = root(node.name)
    return {name: root(name) for name in parent}


def settle(graph: Graph, ranges: Mapping[str, Range], pixel_range: int) -> dict[str, Range]:
    """Estimated ranges made consistent: groups share their union, picture and output are fixed."""
    groups = range_groups(graph)
    union: dict[str, Range] = {}
    for name, (low, high) in ranges.items():
        known = union.get(groups[name], (low, high))
        union[groups[name]] = (min(low, known[0]), max(high, known[1]))
    for name in (graph.input.name, graph.output):
        union[groups[name]] = (0.0, float(pixel_range))
    return {node.name: union[groups[node.name]] for node in graph}
