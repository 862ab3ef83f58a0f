"""Typed graph -> TFLite program: one small function per op kind, chosen from a table.

Tensors are NHWC float32 or int8; pictures go in and out as float32 in the network's pixel range.
"""

from collections.abc import Collection, Mapping
from functools import singledispatch

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ...graph import ops
from ...graph.shapes import Shape, shapes
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
from ..arrange import arrange
from ..sizes import refuse_fixed_sizes
from .flatbuffer import Model, Subgraph

METADATA_NAME = "edgesr"
INPUT, OUTPUT = "image", "sr"
ALL = -1  # in place of an axis' length in a slice: as long as the input


def write(
    variants: Mapping[str, TypedGraph], tile: int, metadata: bytes, pack_int4: bool = False,
    resizable: bool = False,
) -> bytes:  # fmt: skip
    """A TFLite file with one signature per variant.

    Args:
        variants: signature name -> typed graph.
        tile: height and width of the input in pixels.
        metadata: the JSON of the program, stored under the name `edgesr`.
        pack_int4: store 4-bit weights two in a byte (smaller file; such convolutions leave XNNPACK and
            run several times slower).
        resizable: whether the program takes pictures of other heights and widths as well.

    Raises:
        UserError: an op that cannot be `resizable`; names it.
        ValueError: if the tile is too small for the network.
    """
    model = Model()
    for signature, graph in variants.items():
        arranged = arrange(graph)
        free = _following(arranged, tile) if resizable else ()
        sizes = shapes(arranged, tile, tile)
        _write_variant(signature, arranged, Emitter(Subgraph(model, signature), sizes, pack_int4, free))
    model.add_metadata(METADATA_NAME, metadata)
    return model.to_bytes()


def _following(graph: TypedGraph, tile: int) -> Collection[str]:
    """Names of the tensors whose height and width follow the picture's; UserError where one cannot."""
    refuse_fixed_sizes(graph)
    small, large = (shapes(graph, side, side) for side in (tile, 2 * tile))
    return frozenset(name for name in small if small[name] != large[name])


def _write_variant(signature: str, graph: TypedGraph, emitter: "Emitter") -> None:
    for node in graph:
        emitter.tensor(node)
        if not isinstance(node.op, ops.Input):
            emit(node.op, emitter, node)
    image, result = emitter.index[graph.nodes[0].name], emitter.index[graph.output]
    emitter.subgraph.finish(signature, {INPUT: image}, {OUTPUT: result})


def write_op(node: TypedNode, graph: TypedGraph, sizes: Mapping[str, Shape]) -> bytes:
    """A TFLite file of one op of an arranged graph alone; the tensors that it reads are its inputs."""
    model = Model()
    emitter = Emitter(Subgraph(model, OUTPUT), sizes, pack_int4=False)
    for source in dict.fromkeys(node.inputs):
        emitter.tensor(graph[source])
    inputs = dict(emitter.index)
    emitter.tensor(node)
    emit(node.op, emitter, node)
    emitter.subgraph.finish(OUTPUT, inputs, {OUTPUT: emitter.index[node.name]})
    return model.to_bytes()


class Emitter:
    """One subgraph in the making: where each node's tensor is, and of which nodes height and width may become
    others than those in `sizes`."""

    def __init__(
        self, subgraph: Subgraph, sizes: Mapping[str, Shape], pack_int4: bool, free: Collection[str] = ()
    ) -> None:
        self.subgraph, self.sizes, self.pack_int4, self.free = subgraph, sizes, pack_int4, free
        self.index: dict[str, int] = {}

    def tensor(self, node: TypedNode) -> None:
        channels, height, width = self.sizes[node.name]
        index = self.subgraph.tensor(node.name, (1, height, width, channels), node.qparams)
        if node.name in self.free:
            self.subgraph.free_size(index)
        self.index[node.name] = index

    def operator(self, builtin: str, version: int, node: TypedNode, *constants: int, options: object = None,
                 values: int | None = None) -> None:  # fmt: skip
        """An operator that reads the node's first `values` inputs (all by default), then constants."""
        inputs = [self.index[name] for name in node.inputs[:values]]
        self.subgraph.operator(builtin, version, [*inputs, *constants], self.index[node.name], options)


@singledispatch
def emit(op: ops.Op, e: Emitter, node: TypedNode) -> None:
    """Writes one node's operator."""
    raise NotImplementedError(f"TFLite has no {op.kind}")


def _activation(relu: bool) -> int:
    kind = schema.ActivationFunctionType
    return int(kind.RELU if relu else kind.NONE)


def _version(node: TypedNode, integer: int) -> int:
    return 1 if node.qparams is None else integer


@emit.register(Quantize)
@emit.register(Requantize)
def _(op: ops.Op, e: Emitter, node: TypedNode) -> None:
    e.operator("QUANTIZE", 1 if isinstance(op, Quantize) else 2, node, options=schema.QuantizeOptionsT())


@emit.register
def _(op: Dequantize, e: Emitter, node: TypedNode) -> None:
    e.operator("DEQUANTIZE", 2, node, options=schema.DequantizeOptionsT())


@emit.register
def _(op: ops.Conv2d, e: Emitter, node: TypedNode) -> None:
    bias = e.subgraph.constant(f"{node.name}/bias", op.bias.astype(np.float32))
    weight, _ = _weight_layout(op)
    _conv(op, e, node, e.subgraph.constant(f"{node.name}/weight", weight.astype(np.float32)), bias, 1)


@emit.register
def _(op: QConv2d, e: Emitter, node: TypedNode) -> None:
    source = e.subgraph.table.tensors[e.index[node.inputs[0]]].quantization.scale[0]
    unit = (np.float32(source) * op.scales).astype(np.float32)
    bias = e.subgraph.constant(f"{node.name}/bias", op.bias.astype(np.int32), unit)
    weight, axis = _weight_layout(op)
    if op.bits == 4 and e.pack_int4 and op.groups == 1:
        _conv(op, e, node, e.subgraph.packed_int4(f"{node.name}/weight", weight, op.scales), bias, 7)
    else:
        _conv(op, e, node, e.subgraph.constant(f"{node.name}/weight", weight, op.scales, axis), bias, 3)


@emit.register
def _(op: DynamicConv2d, e: Emitter, node: TypedNode) -> None:
    bias = e.subgraph.constant(f"{node.name}/bias", op.bias.astype(np.float32))
    weight, axis = _weight_layout(op)
    _conv(op, e, node, e.subgraph.constant(f"{node.name}/weight", weight, op.scales, axis), bias, 5)


def _weight_layout(op: AnyConv) -> tuple[np.ndarray, int]:
    """Weights as TFLite wants them, and the axis of the output channels."""
    if is_depthwise(op):
        return op.weight.transpose(1, 2, 3, 0), 3
    return op.weight.transpose(0, 2, 3, 1), 0


def _conv(op: AnyConv, e: Emitter, node: TypedNode, weight: int, bias: int, version: int) -> None:
    depthwise = is_depthwise(op)
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    if depthwise:
        options.depthMultiplier = op.weight.shape[0] // op.groups
    options.padding = schema.Padding.SAME if op.padding else schema.Padding.VALID
    options.strideH, options.strideW = op.stride
    options.dilationHFactor, options.dilationWFactor = op.dilation
    options.fusedActivationFunction = _activation(op.relu)
    e.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", version, node, weight, bias, options=options)


@emit.register
def _(op: ops.Add, e: Emitter, node: TypedNode) -> None:
    options = schema.AddOptionsT()
    options.fusedActivationFunction = _activation(op.relu)
    e.operator("ADD", _version(node, 2), node, options=options)


@emit.register
def _(op: ops.Sub, e: Emitter, node: TypedNode) -> None:
    e.operator("SUB", _version(node, 2), node, options=schema.SubOptionsT())


@emit.register
def _(op: ops.Mul, e: Emitter, node: TypedNode) -> None:
    e.operator("MUL", _version(node, 2), node, options=schema.MulOptionsT())


@emit.register
def _(op: ops.SquaredDifference, e: Emitter, node: TypedNode) -> None:
    e.operator("SQUARED_DIFFERENCE", 1, node, options=schema.SquaredDifferenceOptionsT())


@emit.register
def _(op: ops.Sqrt, e: Emitter, node: TypedNode) -> None:
    e.operator("SQRT", 1, node)


@emit.register
def _(op: ops.Mean, e: Emitter, node: TypedNode) -> None:
    options = schema.ReducerOptionsT()
    options.keepDims = True
    axes = e.subgraph.constant(f"{node.name}/axes", np.array([1, 2], np.int32))
    e.operator("MEAN", 1, node, axes, options=options)


@emit.register
def _(op: ops.Slice, e: Emitter, node: TypedNode) -> None:
    height, width = (ALL, ALL) if node.name in e.free else e.sizes[node.name][1:]
    begin = np.array([0, 0, 0, op.start], np.int32)
    size = np.array([1, height, width, op.stop - op.start], np.int32)
    ends = [e.subgraph.constant(f"{node.name}/{n}", v) for n, v in (("begin", begin), ("size", size))]
    e.operator("SLICE", _version(node, 2), node, *ends, options=schema.SliceOptionsT())


@emit.register
def _(op: ops.Concat, e: Emitter, node: TypedNode) -> None:
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    e.operator("CONCATENATION", _version(node, 2), node, options=options)


@emit.register
def _(op: ops.Relu, e: Emitter, node: TypedNode) -> None:
    e.operator("RELU", 1, node)


@emit.register
def _(op: ops.LeakyRelu, e: Emitter, node: TypedNode) -> None:
    options = schema.LeakyReluOptionsT()
    options.alpha = op.slope
    e.operator("LEAKY_RELU", _version(node, 2), node, options=options)


@emit.register
def _(op: ops.PRelu, e: Emitter, node: TypedNode) -> None:
    slope = e.subgraph.constant(f"{node.name}/slope", op.slope.astype(np.float32).reshape(1, 1, -1))
    e.operator("PRELU", 1, node, slope)


@emit.register
def _(op: ops.Sigmoid, e: Emitter, node: TypedNode) -> None:
    e.operator("LOGISTIC", _version(node, 2), node)


@emit.register
def _(op: ops.Tanh, e: Emitter, node: TypedNode) -> None:
    e.operator("TANH", _version(node, 2), node)


@emit.register
def _(op: ops.MaxPool, e: Emitter, node: TypedNode) -> None:
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.filterHeight, options.filterWidth = op.kernel
    options.strideH, options.strideW = op.stride
    e.operator("MAX_POOL_2D", _version(node, 2), node, options=options)


@emit.register
def _(op: ops.Pad, e: Emitter, node: TypedNode) -> None:
    p = op.padding
    amounts = np.array([[0, 0], [p.top, p.bottom], [p.left, p.right], [0, 0]], np.int32)
    e.operator("PAD", _version(node, 2), node, e.subgraph.constant(f"{node.name}/amounts", amounts),
               options=schema.PadOptionsT())  # fmt: skip


@emit.register
def _(op: ops.DepthToSpace, e: Emitter, node: TypedNode) -> None:
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = op.factor
    e.operator("DEPTH_TO_SPACE", _version(node, 2), node, options=options)


@emit.register
def _(op: ops.ResizeBilinear, e: Emitter, node: TypedNode) -> None:
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    # The file holds numbers alone; the name keeps what they stand for, for the reader.
    label = f"{node.name}/size" if op.factor else f"{node.name}/size of {node.inputs[1]}"
    size = e.subgraph.constant(label, np.array(e.sizes[node.name][1:], np.int32))
    e.operator("RESIZE_BILINEAR", 3, node, size, options=options, values=1)


@emit.register
def _(op: ops.Clamp, e: Emitter, node: TypedNode) -> None:
    kind, bound = ("MAXIMUM", op.low) if np.isfinite(op.low) else ("MINIMUM", op.high)
    limit = e.subgraph.constant(f"{node.name}/bound", np.array([bound], np.float32))
    e.operator(kind, 1, node, limit, options=schema.MaximumMinimumOptionsT())
