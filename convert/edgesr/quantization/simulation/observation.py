"""One float pass over the crops: what every simulated method draws its first ranges from (METHODS A.4)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...graph.execute import run
from ...graph.graph import Graph, Node
from ..maps import moving_average
from .crops import Crops

BATCH = 16  # crops
PERCENTILE = 99.0  # of the values; as many are cut off at the other end
SAMPLES = 2**15  # values of a tensor and batch that are looked at closely: sorting all would take too long

Floats = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class Observed:
    """What the pass saw of one tensor.

    Attributes:
        low, high: smallest and largest value per batch, (batches,).
        spread: standard deviation over (C,H,W), unbiased, mean over each batch's crops, (batches,).
        largest: largest magnitude of each crop, mean over each batch, (batches,).
        samples: evenly spaced values of each batch, (batches, at most 2^15).
    """

    low: Floats
    high: Floats
    spread: Floats
    largest: Floats
    samples: tuple[Tensor, ...]

    @property
    def extremes(self) -> Range:
        return float(self.low.min()), float(self.high.max())


def averaged(seen: Observed) -> Range:
    """Moving averages of the batches' extremes: the last batch weighs a tenth (METHODS A.4.1)."""
    return moving_average(seen.low), moving_average(seen.high)


def percentiles(seen: Observed) -> Range:
    """Moving averages of the batches' 1st and 99th percentile (METHODS A.4.1)."""
    marks = np.array([np.percentile(part.numpy(), (100 - PERCENTILE, PERCENTILE)) for part in seen.samples])
    low, high = (moving_average(column) for column in marks.T)
    return low, high


def observe(
    graph: Graph, names: Iterable[str], crops: Crops, progress: Callable[[], None]
) -> Mapping[str, Observed]:
    """Statistics of these nodes' values; `progress` is called after each batch."""
    rows: dict[str, list[tuple[tuple[float, ...], Tensor]]] = {name: [] for name in sorted(set(names))}

    def record(node: Node, value: Tensor) -> Tensor:
        if node.name in rows:
            rows[node.name].append((_figures(value), subsample(value, SAMPLES)))
        return value

    with torch.inference_mode():
        for batch in crops.lively().batches(BATCH):
            run(graph, batch.pixels, hook=record)
            progress()
    return {name: _observed(batches) for name, batches in rows.items()}


def subsample(values: Tensor, count: int) -> Tensor:
    """Some `count` values at most, evenly spaced."""
    flat = values.flatten()
    return flat[:: -(-len(flat) // count)].clone()


def _figures(values: Tensor) -> tuple[float, ...]:
    rows = values.flatten(1)
    low, high = rows.amin(1), rows.amax(1)
    largest = torch.maximum(-low, high)
    return tuple(map(float, (low.min(), high.max(), _spread(rows).mean(), largest.mean())))


def _spread(rows: Tensor) -> Tensor:
    """Unbiased standard deviation of each row, from sums: `std` itself is many times slower."""
    count = rows.shape[1]
    squares = rows.norm(dim=1).double().square() - count * rows.mean(1).double().square()
    return (squares.clamp(min=0) / max(1, count - 1)).sqrt()


def _observed(batches: list[tuple[tuple[float, ...], Tensor]]) -> Observed:
    low, high, spread, largest = np.array([figures for figures, _ in batches]).T
    return Observed(low, high, spread, largest, tuple(samples for _, samples in batches))


def opened(bounds: Range) -> Range:
    """The range of a dead tensor made wide enough to divide by (METHODS A.11); others as they are."""
    low, high = bounds
    return low, max(high, apart(low))


def apart(low: float) -> float:
    """The smallest upper bound that can be told from a lower one in single precision (METHODS A.11)."""
    return low + max(1e-6, 1e-5 * abs(low))
