"""From the typed graph to one that TFLite's ops can say: channel order, concatenations, padding.

Exact: values do not change, they only change place. DEPTH_TO_SPACE reads channels in another order than
PixelShuffle, so the order is pushed up to the convolution that makes them; XNNPACK concatenates at most
five tensors at once; a convolution pads like SAME or not at all.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ...graph import ops
from ...graph.shapes import channels
from ...quantization.typed import Dequantize, QConv2d, Quantize, Requantize, TypedGraph, TypedNode

MAX_CONCAT = 5
ELEMENTWISE = (
    ops.Add, ops.Sub, ops.Mul, ops.Relu, ops.LeakyRelu, ops.Sigmoid, ops.Clamp,
    Quantize, Dequantize, Requantize,
)  # fmt: skip


def arrange(graph: TypedGraph) -> TypedGraph:
    """An equivalent graph without PixelShuffle, Repeat, wide concatenations and odd padding."""
    ordered = _Order(graph).graph()
    nodes: list[TypedNode] = []
    for node in ordered:
        if isinstance(node.op, ops.Concat) and len(node.inputs) > MAX_CONCAT:
            nodes.extend(_split_concat(node))
        elif isinstance(node.op, ops.Conv2d | QConv2d) and node.op.padding != same_padding(node.op):
            nodes.extend(_split_padding(node, node.op, ordered))
        elif isinstance(node.op, ops.Clamp) and np.isfinite([node.op.low, node.op.high]).all():
            nodes.extend(_split_clamp(node, node.op))
        else:
            nodes.append(node)
    return TypedGraph(tuple(nodes), ordered.output)


def same_padding(op: ops.Conv2d | QConv2d) -> ops.Padding | None:
    """The op's own padding if TFLite can say it: none, or SAME at stride 1."""
    p = op.padding
    if not p:
        return p
    high, wide = (d * (k - 1) for k, d in zip(op.weight.shape[2:], op.dilation, strict=True))
    same = ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    return same if op.stride == (1, 1) else None


def _split_padding(node: TypedNode, op: ops.Conv2d | QConv2d, graph: TypedGraph) -> Iterable[TypedNode]:
    name = f"{node.name}/pad"
    yield TypedNode(name, ops.Pad(op.padding), node.inputs, graph[node.inputs[0]].qparams)
    yield replace(node, op=replace(op, padding=ops.Padding()), inputs=(name,))


def _split_clamp(node: TypedNode, op: ops.Clamp) -> Iterable[TypedNode]:
    name = f"{node.name}/low"
    yield replace(node, name=name, op=ops.Clamp(op.low, np.inf))
    yield replace(node, op=ops.Clamp(-np.inf, op.high), inputs=(name,))


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
        order = depth_to_space_order(self.channels[node.inputs[0]], op.factor)
        if self._can_push(node.inputs[0], op.factor):
            self._push(node.inputs[0], order)
            before: list[TypedNode] = []
            inputs = node.inputs
        else:
            permuted = self._permutation(node.inputs[0], order)
            before, inputs = [permuted], (permuted.name,)
        self.changed[node.name] = [*before, replace(node, op=ops.DepthToSpace(op.factor), inputs=inputs)]

    def _can_push(self, name: str, factor: int) -> bool:
        node = self.source[name]
        if len(self.source.users[name]) != 1:
            return False
        if isinstance(node.op, ops.Repeat):
            return node.op.times == factor**2
        if isinstance(node.op, ops.Conv2d | QConv2d):
            return node.op.groups == 1
        return isinstance(node.op, (*ELEMENTWISE, ops.PRelu)) and all(
            self._can_push(i, factor) for i in node.inputs
        )

    def _push(self, name: str, order: np.ndarray) -> None:
        node = self.source[name]
        op = node.op
        if isinstance(op, ops.Repeat):  # interleaved copies, read in the other order, are plain copies
            self.changed[name] = [replace(node, op=ops.Concat(), inputs=node.inputs * op.times)]
        elif isinstance(op, QConv2d):
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
