"""The grids of a typed graph as parameters: one pair of ends for all tensors that share a grid.

A typed graph holds grids, not where they came from; each is traced back to the range of the plan that it
was made of, so that what is learned can be written there. The grids of the picture and the output, and
those that kernels demand, are not learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...graph import ops
from ...graph.graph import Graph
from ..affine import QParams, qparams
from ..plan import Plan, Range
from ..quantize import FIXED_GRIDS
from .straight_through import Grid


@dataclass(frozen=True)
class _Cut:
    """The part of a learned range that an op leaves: the grid of a ReLU or a clamp."""

    group: int
    low: float
    high: float


class Grids:
    """See the module's docstring.

    Attributes:
        spans: float64 (groups, 2), the parameters: logarithms of factors on the ends of the plan's ranges.
            So an end keeps its sign, an end at zero stays there, and every range contains zero.
    """

    def __init__(self, graph: Graph, plan: Plan) -> None:
        fixed = {qparams(*plan.ranges[name]) for name in (graph.input.name, graph.output)}
        fixed |= set(FIXED_GRIDS.values())
        self._group_of: dict[str, int] = {}  # node -> index of its range
        self._learned: dict[QParams, int] = {}
        ranges: list[Range] = []
        for node in graph:
            low, high = plan.ranges[node.name]
            grid = qparams(low, high)
            if grid in fixed:
                continue
            if grid not in self._learned:
                self._learned[grid] = len(ranges)
                ranges.append((min(low, 0.0), max(high, 0.0)))
            self._group_of[node.name] = self._learned[grid]
        self._ends = torch.tensor(ranges, dtype=torch.float64).reshape(-1, 2)
        self._cuts = _cuts(graph, plan, self._group_of)
        self._lowest, self._highest = self._limits()
        self.spans = torch.zeros_like(self._ends, requires_grad=True)

    def _limits(self) -> tuple[Tensor, Tensor]:
        """How far the ends of each group may go: a range that an op cuts off must not outgrow the cut."""
        limits = torch.tensor([-np.inf, np.inf], dtype=torch.float64).repeat(len(self._ends), 1)
        for grid in self._cuts.keys() & self._learned.keys():
            cut = self._cuts[grid]
            limits[self._learned[grid]] = torch.tensor([cut.low, cut.high], dtype=torch.float64)
        return limits[:, 0], limits[:, 1]

    def _now(self) -> tuple[Tensor, Tensor]:
        low, high = (self._ends * self.spans.exp()).unbind(1)
        return torch.maximum(low, self._lowest), torch.minimum(high, self._highest)

    def current(self) -> Mapping[QParams, Grid]:
        """The plan's grid -> what has become of it, with gradients; a grid that is missing is fixed."""
        ends = list(zip(*(end.unbind() for end in self._now()), strict=True))
        cut = {
            grid: Grid.of(ends[c.group][0].clamp(min=c.low), ends[c.group][1].clamp(max=c.high))
            for grid, c in self._cuts.items()
        }
        return cut | {grid: Grid.of(*ends[group]) for grid, group in self._learned.items()}

    def ranges(self) -> dict[str, Range]:
        """Node -> its learned range."""
        with torch.no_grad():
            low, high = (end.tolist() for end in self._now())
        return {name: (low[group], high[group]) for name, group in self._group_of.items()}


def _cuts(graph: Graph, plan: Plan, groups: Mapping[str, int]) -> dict[QParams, _Cut]:
    cuts = {}
    for node in graph:
        if isinstance(node.op, ops.Relu | ops.Clamp) and node.name in groups:
            low, high = (0.0, np.inf) if isinstance(node.op, ops.Relu) else (node.op.low, node.op.high)
            known = plan.ranges[node.name]
            cuts[qparams(max(known[0], low), min(known[1], high))] = _Cut(groups[node.name], low, high)
    return cuts
