"""From the typed graph to one that both formats can say: channel order, concatenations, padding.

Exact: values do not change, they only change place. DEPTH_TO_SPACE reads channels in another order than
PixelShuffle, so the order is pushed up to the convolution that makes them; XNNPACK concatenates at most
five tensors at once; a convolution pads like SAME or not at all.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..graph import ops
from ..graph.shapes import channels
from ..quantization.typed import (
    AnyConv,
    Dequantize,
    DynamicConv2d,
    QConv2d,
    Quantize,
    Requantize,
    TypedGraph,
    TypedNode,
)

MAX_CONCAT = 5
ELEMENTWISE = (
    ops.Add, ops.Sub, ops.Mul, ops.Relu, ops.LeakyRelu, ops.Sigmoid, ops.Tanh, ops.Clamp,
    Quantize, Dequantize, Requantize,
)  # fmt: skip


def arrange(graph: TypedGraph) -> TypedGraph:
    """An equivalent graph without PixelShuffle, Repeat, Std, wide concatenations and odd padding."""
    ordered = _joined(_Order(graph).graph())
    nodes: list[TypedNode] = []
    for node in ordered:
        if isinstance(node.op, ops.Concat) and len(node.inputs) > MAX_CONCAT:
            nodes.extend(_split_concat(node))
        elif isinstance(node.op, AnyConv) and node.op.padding != same_padding(node.op):
            nodes.extend(_split_padding(node, node.op, ordered))
        elif isinstance(node.op, ops.Clamp) and np.isfinite([node.op.low, node.op.high]).all():
            nodes.extend(_split_clamp(node, node.op))
        elif isinstance(node.op, ops.Std):
            nodes.extend(_split_std(node))
        else:
            nodes.append(node)
    return TypedGraph(tuple(nodes), ordered.output)


def _joined(graph: TypedGraph) -> TypedGraph:
    """Float convolutions of one input and one geometry become one, which is cut into their parts.

    XNNPACK's float kernels compute channels in blocks of 32 (16 and 48 cost as much as 32 and 64); in int8
    it makes no difference.
    """
    families: dict[Hashable, list[TypedNode]] = defaultdict(list)
    for node in graph:
        if isinstance(node.op, ops.Conv2d) and node.op.groups == 1:
            op = node.op
            geometry = (op.weight.shape[1:], op.stride, op.padding, op.dilation, op.relu)
            families[node.inputs, geometry].append(node)
    family = {node.name: nodes for nodes in families.values() if len(nodes) > 1 for node in nodes}
    made = (part for node in graph for part in _cut_out(node, family.get(node.name, [])))
    return TypedGraph(tuple(made), graph.output)


def _cut_out(node: TypedNode, family: Sequence[TypedNode]) -> Iterable[TypedNode]:
    """A convolution as its part of the one that its family becomes; the first of them brings that along."""
    if not family:
        yield node
        return
    name = f"{family[0].name}/joined"
    members = [n.op for n in family if isinstance(n.op, ops.Conv2d)]
    if node is family[0]:
        weight, bias = (np.concatenate([getattr(op, part) for op in members]) for part in ("weight", "bias"))
        yield replace(node, name=name, op=replace(members[0], weight=weight, bias=bias))
    start = sum(len(op.bias) for op in members[: family.index(node)])
    yield replace(node, op=ops.Slice(start, start + len(node.op.bias)), inputs=(name,))  # type: ignore[attr-defined]


def same_padding(op: AnyConv) -> ops.Padding | None:
    """The op's own padding if both formats can say it: none, or SAME at stride 1."""
    p = op.padding
    if not p:
        return p
    high, wide = (d * (k - 1) for k, d in zip(op.weight.shape[2:], op.dilation, strict=True))
    same = ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    return same if op.stride == (1, 1) else None


def _split_padding(node: TypedNode, op: AnyConv, graph: TypedGraph) -> Iterable[TypedNode]:
    name = f"{node.name}/pad"
    yield TypedNode(name, ops.Pad(op.padding), node.inputs, graph[node.inputs[0]].qparams)
    yield replace(node, op=replace(op, padding=ops.Padding()), inputs=(name,))


def _split_clamp(node: TypedNode, op: ops.Clamp) -> Iterable[TypedNode]:
    name = f"{node.name}/low"
    yield replace(node, name=name, op=ops.Clamp(op.low, np.inf))
    yield replace(node, op=ops.Clamp(-np.inf, op.high), inputs=(name,))


def _split_std(node: TypedNode) -> Iterable[TypedNode]:
    mean, square, variance = (f"{node.name}/{part}" for part in ("mean", "square", "variance"))
    yield TypedNode(mean, ops.Mean(), node.inputs)
    yield TypedNode(square, ops.SquaredDifference(), (*node.inputs, mean))
    yield TypedNode(variance, ops.Mean(), (square,))
    yield replace(node, op=ops.Sqrt(), inputs=(variance,))


def _split_concat(node: TypedNode) -> Iterable[TypedNode]:
    parts = list(node.inputs)
    level = 0
    while len(parts) > MAX_CONCAT:
        level += 1
        groups = [parts[i : i + MAX_CONCAT] for i in range(0, len(parts), MAX_CONCAT)]
        parts = []
        for index, group in enumerate(groups):
            if len(group) == 1:
                parts.extend(group)
                continue
            name = f"{node.name}/part{level}.{index}"
            yield TypedNode(name, ops.Concat(), tuple(group), node.qparams)
            parts.append(name)
    yield replace(node, inputs=tuple(parts))


def depth_to_space_order(count: int, factor: int) -> np.ndarray:
    """For each of `count` channels that DEPTH_TO_SPACE reads, the channel where PixelShuffle has it."""
    return np.arange(count).reshape(count // factor**2, factor**2).T.reshape(-1)


class _Order:
    """Replaces PixelShuffle by DepthToSpace, permuting channels as far up as needed."""

    def __init__(self, graph: TypedGraph) -> None:
        self.source = graph
        self.channels = channels(graph)
        self.changed: dict[str, list[TypedNode]] = {}

    def graph(self) -> TypedGraph:
        for node in self.source:
            if isinstance(node.op, ops.PixelShuffle):
                self._shuffle(node, node.op)
        nodes = [n for node in self.source for n in self.changed.get(node.name, [node])]
        if left := [n.name for n in nodes if isinstance(n.op, ops.Repeat)]:
            raise ValueError(f"{left[0]!r} repeats channels that no pixel shuffle reads")
        return TypedGraph(tuple(nodes), self.source.output)

    def _shuffle(self, node: TypedNode, op: ops.PixelShuffle) -> None:
        if self._is_grouped(node.inputs[0], op.factor):
            self._shuffle_groups(node, op.factor)
            return
        order = depth_to_space_order(self.channels[node.inputs[0]], op.factor)
        if self._can_push(node.inputs[0], op.factor):
            self._push(node.inputs[0], order)
            before: list[TypedNode] = []
            inputs = node.inputs
        else:
            permuted = self._permutation(node.inputs[0], order)
            before, inputs = [permuted], (permuted.name,)
        self.changed[node.name] = [*before, replace(node, op=ops.DepthToSpace(op.factor), inputs=inputs)]

    def _is_grouped(self, name: str, factor: int) -> bool:
        """Whether only the shuffle reads a convolution of a few groups that each fill whole pixels."""
        op = self.source[name].op
        return (
            isinstance(op, AnyConv)
            and 1 < op.groups <= MAX_CONCAT
            and op.weight.shape[0] // op.groups % factor**2 == 0
            and len(self.source.users[name]) == 1
        )

    def _shuffle_groups(self, node: TypedNode, factor: int) -> None:
        """Each group of channels shuffled alone: twice as fast as permuting channels by a convolution."""
        source = node.inputs[0]
        groups, width = self.source[source].op.groups, self.channels[source]  # type: ignore[attr-defined]
        starts = np.arange(0, width, width // groups)
        order = depth_to_space_order(width // groups, factor)
        self._push(source, (starts[:, None] + order).reshape(-1))
        made: list[TypedNode] = []
        for start in starts.tolist():
            part = ops.Slice(start, start + len(order))
            made.append(replace(node, name=f"{node.name}/part{start}", op=part))
            up = ops.DepthToSpace(factor)
            made.append(replace(node, name=f"{node.name}/up{start}", op=up, inputs=(made[-1].name,)))
        self.changed[node.name] = [
            *made, replace(node, op=ops.Concat(), inputs=tuple(n.name for n in made[1::2]))
        ]  # fmt: skip

    def _can_push(self, name: str, factor: int) -> bool:
        node = self.source[name]
        if len(self.source.users[name]) != 1:
            return False
        if isinstance(node.op, ops.Repeat):
            return node.op.times == factor**2
        if isinstance(node.op, AnyConv):
            return node.op.groups == 1
        return isinstance(node.op, (*ELEMENTWISE, ops.PRelu)) and all(
            self._can_push(i, factor) for i in node.inputs
        )

    def _push(self, name: str, order: np.ndarray) -> None:
        node = self.source[name]
        op = node.op
        if isinstance(op, ops.Repeat):  # interleaved copies, read in the other order, are plain copies
            self.changed[name] = [replace(node, op=ops.Concat(), inputs=node.inputs * op.times)]
        elif isinstance(op, QConv2d | DynamicConv2d):
            op = replace(op, weight=op.weight[order], bias=op.bias[order], scales=op.scales[order])
            self.changed[name] = [replace(node, op=op)]
        elif isinstance(op, ops.Conv2d):
            self.changed[name] = [replace(node, op=replace(op, weight=op.weight[order], bias=op.bias[order]))]
        else:
            if isinstance(op, ops.PRelu):
                self.changed[name] = [replace(node, op=ops.PRelu(op.slope[order]))]
            for source in node.inputs:
                self._push(source, order)

    def _permutation(self, name: str, order: np.ndarray) -> TypedNode:
        """A 1x1 convolution that only reorders channels; exact in int8 because 127 * x / 127 is x."""
        q = self.source[name].qparams
        select = np.eye(len(order))[order].reshape(len(order), len(order), 1, 1)
        zeros = np.zeros(len(order))
        label = f"{name}/order"
        if q is None:
            op: ops.Op = ops.Conv2d(select.astype(np.float32), zeros.astype(np.float32))
        else:
            scales = np.full(len(order), 1 / 127, np.float32)
            op = QConv2d((127 * select).astype(np.int8), scales, zeros.astype(np.int32))
        return TypedNode(label, op, (name,), q)
