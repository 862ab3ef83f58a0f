"""The op kinds as nodes of a delegate program: one small function per kind, chosen from a table.

Tensors are NHWC as XNNPACK wants them. The kernels and number formats are those of the typed graph, written
node by node, so nothing is left to pattern matching.
"""

from collections.abc import Collection, Mapping
from functools import singledispatch

import numpy as np

from ...errors import UserError
from ...graph import ops
from ...graph.shapes import Shape
from ...quantization.dynamic import is_pointwise
from ...quantization.typed import (
    AnyConv,
    Dequantize,
    DynamicConv2d,
    QConv2d,
    Quantize,
    Requantize,
    TypedGraph,
    TypedNode,
    is_depthwise,
)
from ..sizes import refuse_fixed_sizes
from .flatbuffer import Number, f32, u32s
from .formats import misfit
from .kinds import ALL, BLOCKS_APART, CONCATS, KEEP_AXES, NONE, OUTPUT_FLAG, RELU, Datatype, Kind
from .subgraph import Subgraph


class Emitter:
    """One method in the making: where each node's tensor is, which of them the method also gives, and
    whether it must run on pictures of other heights and widths than those in `sizes`."""

    def __init__(
        self, subgraph: Subgraph, graph: TypedGraph, sizes: Mapping[str, Shape], shown: Collection[str],
        resizable: bool = False,
    ) -> None:  # fmt: skip
        self.subgraph, self.graph, self.sizes, self.shown = subgraph, graph, sizes, shown
        self.resizable = resizable
        self.index: dict[str, int] = {}
        self.label = 0

    def write(self, node: TypedNode) -> None:
        self.label += 1
        written = emit.dispatch(type(node.op)) is not emit.dispatch(ops.Op)
        problem = misfit(node, self.graph, self.sizes) if written else "has no kernel there"
        if problem:
            what = f"{node.name!r} ({node.op.kind}) {problem}, so ExecuTorch's XNNPACK cannot run it"
            raise UserError(f"{what}; convert the network with --target tflite")
        if self.resizable:
            refuse_fixed_sizes([node])
        emit(node.op, self, node)

    def shape(self, name: str) -> tuple[int, ...]:
        channels, height, width = self.sizes[name]
        return 1, height, width, channels

    def output(self, node: TypedNode) -> int:
        """Number of the node's own tensor, made now."""
        flag = OUTPUT_FLAG if node.name in self.shown else 0
        self.index[node.name] = self.subgraph.value(self.shape(node.name), node.qparams, flag)
        return self.index[node.name]

    def inputs(self, node: TypedNode) -> list[int]:
        return [self.index[name] for name in node.inputs]

    def transpose(self, source: int, target: int, order: tuple[int, ...]) -> None:
        fields = {0: len(order), 1: u32s(order), 2: source, 3: target, 4: 0}
        self.subgraph.node(Kind.TRANSPOSE, fields, self.label)

    def reshape(self, source: int, target: int, shape: tuple[int, ...]) -> None:
        fields = {0: len(shape), 1: u32s(shape), 2: source, 3: target, 4: 0}
        self.subgraph.node(Kind.RESHAPE, fields, self.label)

    def one(
        self, kind: Kind, node: TypedNode, limits: tuple[float, float] | None = None, flags: int = 0
    ) -> None:
        """A node that makes one tensor of the first input."""
        source = self.inputs(node)[0]
        self.subgraph.node(kind, {0: source, 1: self.output(node), 2: flags}, self.label, limits)

    def two(self, kind: Kind, node: TypedNode, limits: tuple[float, float] | None = None) -> None:
        """A node that makes one tensor of two."""
        a, b = self.inputs(node)
        self.subgraph.node(kind, {0: a, 1: b, 2: self.output(node), 3: 0}, self.label, limits)


@singledispatch
def emit(op: ops.Op, e: Emitter, node: TypedNode) -> None:
    """Writes one node of an arranged graph."""
    raise NotImplementedError(f"ExecuTorch has no {op.kind}")


@emit.register(Quantize)
@emit.register(Requantize)
@emit.register(Dequantize)
def _(op: ops.Op, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.CONVERT, node)


@emit.register
def _(op: ops.Conv2d, e: Emitter, node: TypedNode) -> None:
    weight, _ = _weight_layout(op)
    filter_ = e.subgraph.constant(weight.astype(np.float32), Datatype.FLOAT)
    _conv(op, e, node, e.inputs(node)[0], filter_, _float_bias(op, e))


@emit.register
def _(op: QConv2d, e: Emitter, node: TypedNode) -> None:
    source = e.graph[node.inputs[0]].qparams
    assert source is not None
    unit = (np.float32(source.scale) * op.scales).astype(np.float32)
    bias = e.subgraph.constant(op.bias.astype(np.int32), Datatype.INT32_PER_CHANNEL, unit)
    _conv(op, e, node, e.inputs(node)[0], _int8_weight(op, e), bias)


@emit.register
def _(op: DynamicConv2d, e: Emitter, node: TypedNode) -> None:
    source = e.inputs(node)[0]
    levels = e.subgraph.dynamic(e.shape(node.inputs[0]), 1 if is_pointwise(op) else 3)
    e.subgraph.node(Kind.CONVERT, {0: source, 1: levels, 2: 0}, e.label)
    _conv(op, e, node, levels, _int8_weight(op, e), _float_bias(op, e))


def _float_bias(op: ops.Conv2d | DynamicConv2d, e: Emitter) -> int:
    return e.subgraph.constant(op.bias.astype(np.float32), Datatype.FLOAT)


def _int8_weight(op: QConv2d | DynamicConv2d, e: Emitter) -> int:
    """Declared as 8 bits whatever the grid: XNNPACK's 4-bit format has no convolution kernels."""
    weight, axis = _weight_layout(op)
    return e.subgraph.constant(weight, Datatype.INT8_PER_CHANNEL, op.scales, axis)


def _weight_layout(op: AnyConv) -> tuple[np.ndarray, int]:
    """Weights as XNNPACK wants them, and the axis of the output channels."""
    if is_depthwise(op):
        return np.ascontiguousarray(op.weight.transpose(1, 2, 3, 0)), 3
    return np.ascontiguousarray(op.weight.transpose(0, 2, 3, 1)), 0


def _conv(op: AnyConv, e: Emitter, node: TypedNode, source: int, weight: int, bias: int) -> None:
    p = op.padding
    outputs, per_group, *kernel = op.weight.shape
    groups = (per_group, outputs // op.groups, op.groups)
    numbers = (p.top, p.right, p.bottom, p.left, *kernel, *op.stride, *op.dilation, *groups, 0, 0)
    fields = dict(enumerate((*numbers, source, weight, bias, e.output(node), 0)))
    kind = Kind.DEPTHWISE_CONV if is_depthwise(op) else Kind.CONV
    e.subgraph.node(kind, fields, e.label, RELU if op.relu else None)


@emit.register
def _(op: ops.Add, e: Emitter, node: TypedNode) -> None:
    e.two(Kind.ADD, node, RELU if op.relu else None)


@emit.register
def _(op: ops.Sub, e: Emitter, node: TypedNode) -> None:
    e.two(Kind.SUBTRACT, node)


@emit.register
def _(op: ops.Mul, e: Emitter, node: TypedNode) -> None:
    e.two(Kind.MULTIPLY, node)


@emit.register
def _(op: ops.SquaredDifference, e: Emitter, node: TypedNode) -> None:
    a, b = e.inputs(node)
    difference = e.subgraph.value(e.shape(node.name), None)
    e.subgraph.node(Kind.SUBTRACT, {0: a, 1: b, 2: difference, 3: 0}, e.label)
    e.subgraph.node(Kind.SQUARE, {0: difference, 1: e.output(node), 2: 0}, e.label)


@emit.register
def _(op: ops.Concat, e: Emitter, node: TypedNode) -> None:
    """The result's number stands between the fourth and the fifth input's, for the fifth came later."""
    read = e.inputs(node)
    padded = read + [NONE] * (5 - len(read))
    fields = dict(enumerate((3, *padded[:4], e.output(node), 0, padded[4])))
    e.subgraph.node(CONCATS[len(read)], fields, e.label)


@emit.register
def _(op: ops.PRelu, e: Emitter, node: TypedNode) -> None:
    slope = e.subgraph.constant(op.slope.astype(np.float32), Datatype.FLOAT)
    e.subgraph.node(Kind.PRELU, {0: e.inputs(node)[0], 1: slope, 2: e.output(node), 3: 0}, e.label)


@emit.register
def _(op: ops.LeakyRelu, e: Emitter, node: TypedNode) -> None:
    fields = {0: f32(op.slope), 1: e.inputs(node)[0], 2: e.output(node), 3: 0}
    e.subgraph.node(Kind.LEAKY_RELU, fields, e.label)


@emit.register
def _(op: ops.Relu, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.CLAMP, node, RELU)


@emit.register
def _(op: ops.Clamp, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.CLAMP, node, (op.low, op.high))


@emit.register
def _(op: ops.Sigmoid, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.SIGMOID, node)


@emit.register
def _(op: ops.Tanh, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.TANH, node)


@emit.register
def _(op: ops.Sqrt, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.SQUARE_ROOT, node)


@emit.register
def _(op: ops.Mean, e: Emitter, node: TypedNode) -> None:
    e.one(Kind.MEAN, node, flags=KEEP_AXES)


@emit.register
def _(op: ops.Slice, e: Emitter, node: TypedNode) -> None:
    offsets, (_, height, width, count) = (0, 0, 0, op.start), e.shape(node.name)
    sizes = (1, ALL, ALL, count) if e.resizable else (1, height, width, count)
    fields = {0: 4, 1: u32s(offsets), 2: u32s(sizes), 3: e.inputs(node)[0], 4: e.output(node), 5: 0}
    e.subgraph.node(Kind.SLICE, fields, e.label)


@emit.register
def _(op: ops.MaxPool, e: Emitter, node: TypedNode) -> None:
    numbers = (0, 0, 0, 0, *op.kernel, *op.stride, 1, 1, e.inputs(node)[0], e.output(node), 0)
    e.subgraph.node(Kind.MAX_POOL, dict(enumerate(numbers)), e.label)


@emit.register
def _(op: ops.Pad, e: Emitter, node: TypedNode) -> None:
    p = op.padding
    before, after = u32s((0, p.top, p.left, 0)), u32s((0, p.bottom, p.right, 0))
    fields: dict[int, Number | np.ndarray | int] = {0: before, 1: after, 2: f32(0.0)}
    e.subgraph.node(Kind.PAD, {**fields, 3: e.inputs(node)[0], 4: e.output(node), 5: 0}, e.label)


@emit.register
def _(op: ops.ResizeBilinear, e: Emitter, node: TypedNode) -> None:
    _, height, width, _ = e.shape(node.name)
    fields = {0: height, 1: width, 2: e.inputs(node)[0], 3: e.output(node), 4: 0}
    e.subgraph.node(Kind.RESIZE_BILINEAR, fields, e.label)


@emit.register
def _(op: ops.DepthToSpace, e: Emitter, node: TypedNode) -> None:
    """The delegate's format has no such node: rows of blocks are taken apart by a transposition."""
    if e.resizable:
        _transposed_conv(op, e, node)
        return
    _, height, width, channels = e.shape(node.inputs[0])
    r, row = op.factor, channels // op.factor
    apart = e.subgraph.value((height, width, r, row), node.qparams)
    e.reshape(e.inputs(node)[0], apart, (height, width, r, row))
    ordered = e.subgraph.value((height, r, width, row), node.qparams)
    e.transpose(apart, ordered, BLOCKS_APART)
    e.reshape(ordered, e.output(node), e.shape(node.name))


def _transposed_conv(op: ops.DepthToSpace, e: Emitter, node: TypedNode) -> None:
    """The same for any height and width, which XNNPACK's reshape does not do: it leaves one length open.

    Each pixel is spread over a block of its own, and each value of the block is one channel of the pixel: the
    weights are 0 and 1 on a grid of scale 1, the grid in is the grid out, and all values stay what they are.
    """
    channels = e.shape(node.inputs[0])[3]
    r, count = op.factor, channels // op.factor**2
    picked = np.eye(channels).reshape(r, r, count, channels).transpose(2, 0, 1, 3)
    if node.qparams is None:
        weight = e.subgraph.constant(picked.astype(np.float32), Datatype.FLOAT)
        bias = e.subgraph.constant(np.zeros(count, np.float32), Datatype.FLOAT)
    else:
        ones = np.ones(count, np.float32)
        unit = np.float32(node.qparams.scale) * ones
        weight = e.subgraph.constant(picked.astype(np.int8), Datatype.INT8_PER_CHANNEL, ones)
        bias = e.subgraph.constant(np.zeros(count, np.int32), Datatype.INT32_PER_CHANNEL, unit)
    numbers = (0, 0, 0, 0, r, r, r, r, 1, 1, channels, count, 1, 0, 0)
    fields = dict(enumerate((*numbers, e.inputs(node)[0], weight, bias, e.output(node), 0)))
    e.subgraph.node(Kind.TRANSPOSED_CONV, fields, e.label)
