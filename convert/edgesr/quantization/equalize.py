"""Channel equalization: per-channel scales folded through the network, so int8 serves every channel.

One int8 scale per tensor wastes levels on channels with small ranges. Convolutions are linear and the
activations between them positively homogeneous, so a channel can be divided by s where it is made and
multiplied by s where it is read (METHODS B.3, edge (2)). Channels that are added together share one s;
the picture, the output and the inside of a gate keep 1. The scales are those that minimise the noise
predicted at the output, of activations and weights together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.graph import Graph, Node
from ..graph.shapes import shapes
from .affine import LEVELS, weight_levels

STEPS = 200
RATE = 0.05  # of Adam on log s, falling linearly to almost zero

_TIED = (
    ops.Add, ops.Sub, ops.Relu, ops.LeakyRelu, ops.PRelu, ops.MaxPool, ops.ResizeBilinear, ops.Mean, ops.Std,
)  # fmt: skip
"""Ops that scale with their inputs, channel by channel."""
_NOT_ROUNDED = (*ops.PASS_THROUGH, ops.Sigmoid, ops.Tanh, ops.Mean, ops.Std, ops.Input)
"""Ops whose values are not rounded, or on a grid that no scale changes."""
PROBE = 64  # height and width at which channel counts are read


def equalized(graph: Graph, scales: Mapping[str, Sequence[float]]) -> Graph:
    """The graph with every named node's channels divided by their scales; the output stays the same."""

    def fold(node: Node) -> Node:
        if not isinstance(node.op, ops.Conv2d):
            return node
        weight, bias = node.op.weight, node.op.bias
        if (read := scales.get(node.inputs[0])) is not None:
            weight = weight * np.asarray(read, np.float32)[node.op.reads][:, :, None, None]
        if (made := scales.get(node.name)) is not None:
            divisor = np.asarray(made, np.float32)
            weight, bias = weight / divisor[:, None, None, None], bias / divisor
        return replace(node, op=replace(node.op, weight=weight, bias=bias))

    return Graph(tuple(fold(node) for node in graph), graph.output) if scales else graph


@dataclass(frozen=True)
class ChannelClasses:
    """Which channels must share a scale.

    Attributes:
        of: node -> class index of each channel.
        fixed: per class, whether its scale must stay 1.
    """

    of: Mapping[str, np.ndarray]
    fixed: np.ndarray


def channel_classes(graph: Graph) -> ChannelClasses:
    """Unites channels through every op that is not a convolution."""
    channels = {name: shape[0] for name, shape in shapes(graph, PROBE, PROBE).items()}
    starts = dict(zip(channels, np.cumsum([0, *channels.values()])[:-1], strict=True))
    ids = {name: starts[name] + np.arange(count) for name, count in channels.items()}
    union = _UnionFind(sum(channels.values()))
    fixed = [ids[graph.input.name], ids[graph.output]]
    gates = {n.name for n in graph if isinstance(n.op, ops.Sigmoid)}
    for node in graph:
        values = node.inputs[:1] if isinstance(node.op, ops.ResizeBilinear) else node.inputs
        if isinstance(node.op, _TIED):
            for name in values:
                union.unite(ids[node.name], ids[name])
        elif isinstance(node.op, ops.Concat):
            union.unite(ids[node.name], np.concatenate([ids[name] for name in node.inputs]))
        elif isinstance(node.op, ops.Mul) and sum(name in gates for name in node.inputs) == 1:
            union.unite(ids[node.name], ids[next(name for name in node.inputs if name not in gates)])
        elif isinstance(node.op, ops.Slice):
            union.unite(ids[node.name], ids[node.inputs[0]][node.op.start : node.op.stop])
        elif not isinstance(node.op, ops.Input | ops.Conv2d):
            fixed.extend([ids[node.name], *(ids[name] for name in values)])
    roots = np.array([union.root(i) for i in range(len(union.parent))])
    _, classes = np.unique(roots, return_inverse=True)
    is_fixed = np.zeros(classes.max() + 1, bool)
    is_fixed[classes[np.concatenate(fixed)]] = True
    return ChannelClasses({name: classes[index] for name, index in ids.items()}, is_fixed)


class _UnionFind:
    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def root(self, item: int) -> int:
        while self.parent[item] != item:
            self.parent[item] = self.parent[self.parent[item]]
            item = self.parent[item]
        return item

    def unite(self, first: np.ndarray, second: np.ndarray) -> None:
        for a, b in zip(first, second, strict=True):
            self.parent[self.root(int(a))] = self.root(int(b))


@dataclass(frozen=True)
class Tensors:
    """What the optimiser needs of each node, per channel: extremes, variance, noise gain."""

    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]
    variance: Mapping[str, np.ndarray]
    gain: Mapping[str, np.ndarray]


def channel_scales(
    graph: Graph, tensors: Tensors, weight_bits: Mapping[str, int]
) -> dict[str, tuple[float, ...]]:
    """Node -> scale of each of its channels, where not all are 1.

    Args:
        tensors: float statistics; channels that share a scale are found here.
        weight_bits: convolution -> width of its weight grid.

    Minimises  sum_t range_t(s)^2 sum_c s_c^2 gain_tc / (12 * 255^2)  over rounded tensors t, plus
    sum_o gain_o max_i(|w_oi| s_i)^2 sum_i variance_i / s_i^2 / (12 * levels^2)  over convolutions.
    """
    classes = channel_classes(graph)
    if classes.fixed.all():
        return {}
    rounded = [_RoundedTensor.of(n, classes, tensors) for n in graph if _is_rounded(n, graph)]
    convs = [_RoundedConv.of(n, classes, tensors, weight_bits[n.name]) for n in graph.convs]
    terms: list[_RoundedTensor | _RoundedConv] = [*rounded, *convs]
    free = torch.from_numpy(~classes.fixed).float()
    logs = torch.zeros(len(free), requires_grad=True)
    optimizer = torch.optim.Adam([logs], lr=RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS) + RATE / 25
        scales = torch.exp(logs * free)
        noise = torch.stack([term.noise(scales) for term in terms]).sum()
        optimizer.zero_grad()
        noise.log().backward()
        optimizer.step()
    found = torch.exp(logs.detach() * free).numpy()
    chosen = {name: found[index] for name, index in classes.of.items()}
    return {name: tuple(s.tolist()) for name, s in chosen.items() if np.any(s != 1.0)}


def _is_rounded(node: Node, graph: Graph) -> bool:
    return node.name != graph.output and not isinstance(node.op, _NOT_ROUNDED)


def _float(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


@dataclass(frozen=True)
class _RoundedTensor:
    index: Tensor
    low: Tensor
    high: Tensor
    gain: Tensor

    @classmethod
    def of(cls, node: Node, classes: ChannelClasses, t: Tensors) -> "_RoundedTensor":
        columns = (t.low[node.name], t.high[node.name], t.gain[node.name])
        return cls(torch.from_numpy(classes.of[node.name]), *map(_float, columns))

    def noise(self, scales: Tensor) -> Tensor:
        s = scales[self.index]
        span = (self.high / s).amax().clamp_min(0) - (self.low / s).amin().clamp_max(0)
        return span.square() * (s.square() * self.gain).sum() / (12 * LEVELS**2)


@dataclass(frozen=True)
class _RoundedConv:
    index: Tensor  # (out, in / groups)
    peak: Tensor  # (out, in / groups): largest magnitude of each kernel
    variance: Tensor  # (out, in / groups): variance of what the kernel reads, times kernel size
    gain: Tensor
    levels: int

    @classmethod
    def of(cls, node: Node, classes: ChannelClasses, t: Tensors, bits: int) -> "_RoundedConv":
        weight, read = node.op.weight, node.op.reads
        peak = np.abs(weight).max(axis=(2, 3))
        variance = t.variance[node.inputs[0]][read] * weight[0, 0].size
        index = torch.from_numpy(classes.of[node.inputs[0]][read])
        return cls(index, _float(peak), _float(variance), _float(t.gain[node.name]), weight_levels(bits))

    def noise(self, scales: Tensor) -> Tensor:
        s = scales[self.index]
        steps = (self.peak * s).amax(1).square() * self.gain
        return (steps * (self.variance / s.square()).sum(1)).sum() / (12 * self.levels**2)
