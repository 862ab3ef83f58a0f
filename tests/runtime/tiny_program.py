"""Builds a small valid edgesr program: nearest-neighbour up-sampling as one 1x1 conv and DEPTH_TO_SPACE.

What such a program must give back is known exactly, in float and (within one level) in int8, so tests of
the runtime need no network and no converter.
"""

import hashlib
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr_runtime.metadata import Calibration, LayerRecord, ProgramInfo

Types, Ops = schema.TensorType, schema.BuiltinOperator


def tiny_info(**changes: Any) -> ProgramInfo:
    layer = LayerRecord("up.0", "conv", 8, 8, "int8", (0.0, 255.0), (0.0, 255.0), 0.01)
    info = ProgramInfo(
        schema="1.0",
        edgesr="0.1.0",
        network="nearest",
        scale=2,
        pixel_range=255,
        tile=16,
        halo=2,
        variants=("serving_default",),
        routing=None,
        colour="rgb",
        calibration=Calibration("minmax", 16, hashlib.sha256(b"pictures").hexdigest(), 0),
        layers=(layer,),
        evidence={"drop_db": 0.02},
    )
    return replace(info, **changes)


class _Builder:
    """The few steps between the schema's object API and a one-conv program."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = [_code(Ops.CONV_2D, 3), _code(Ops.DEPTH_TO_SPACE, 1)]
        self.model.operatorCodes += [_code(Ops.QUANTIZE, 1), _code(Ops.DEQUANTIZE, 2)]
        self.model.subgraphs, self.model.signatureDefs, self.model.metadata = [], [], []

    def buffer(self, content: np.ndarray) -> int:
        item = schema.BufferT()
        item.data = np.frombuffer(content.tobytes(), np.uint8)
        self.model.buffers.append(item)
        return len(self.model.buffers) - 1

    def tensor(
        self, name: str, shape: list[int], kind: int, constant: np.ndarray | None = None, zero: int = -128
    ) -> int:
        item = schema.TensorT()
        item.name, item.shape, item.type = name, shape, kind
        item.buffer = 0 if constant is None else self.buffer(constant)
        if kind != Types.FLOAT32:
            item.quantization = schema.QuantizationParametersT()
            item.quantization.scale = np.array([1.0], np.float32)
            item.quantization.zeroPoint = np.array([zero], np.int64)
        graph = self.model.subgraphs[-1]
        graph.tensors.append(item)
        return len(graph.tensors) - 1

    def operator(
        self, code: int, inputs: list[int], outputs: list[int], kind: int = 0, options: Any = None
    ) -> None:
        item = schema.OperatorT()
        item.opcodeIndex, item.inputs, item.outputs = code, inputs, outputs
        item.builtinOptionsType, item.builtinOptions = kind, options
        self.model.subgraphs[-1].operators.append(item)

    def variant(self, name: str, tile: int, scale: int, int8: bool) -> None:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = [], []
        self.model.subgraphs.append(graph)
        channels, kind = 3 * scale * scale, Types.INT8 if int8 else Types.FLOAT32
        image = self.tensor("image", [1, tile, tile, 3], Types.FLOAT32)
        sr = self.tensor("sr", [1, tile * scale, tile * scale, 3], Types.FLOAT32)
        weight = np.tile(np.eye(3), (scale * scale, 1)).reshape(channels, 1, 1, 3)
        numpy_kinds = (np.int8, np.int32) if int8 else (np.float32, np.float32)
        weights = self.tensor("w", [channels, 1, 1, 3], kind, weight.astype(numpy_kinds[0]), zero=0)
        bias_kind = Types.INT32 if int8 else Types.FLOAT32
        bias = self.tensor("b", [channels], bias_kind, np.zeros(channels, numpy_kinds[1]), zero=0)
        wide = self.tensor("up", [1, tile, tile, channels], kind)
        entry, leave = image, sr
        if int8:
            entry = self.tensor("image_q", [1, tile, tile, 3], kind)
            leave = self.tensor("sr_q", [1, tile * scale, tile * scale, 3], kind)
            self.operator(2, [image], [entry])
        conv = schema.Conv2DOptionsT()
        conv.strideW = conv.strideH = 1
        self.operator(0, [entry, weights, bias], [wide], schema.BuiltinOptions.Conv2DOptions, conv)
        shuffle = schema.DepthToSpaceOptionsT()
        shuffle.blockSize = scale
        self.operator(1, [wide], [leave], schema.BuiltinOptions.DepthToSpaceOptions, shuffle)
        if int8:
            self.operator(3, [leave], [sr])
        graph.inputs, graph.outputs = [image], [sr]
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = name, len(self.model.subgraphs) - 1
        signature.inputs, signature.outputs = [_named("image", image)], [_named("sr", sr)]
        self.model.signatureDefs.append(signature)


def _code(builtin: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    return code


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def tiny_model(info: ProgramInfo | None = None, int8: bool = False, entry: bytes | None = None) -> Any:
    """The program in the schema's object form, for tests that spoil a field of it."""
    info = info or tiny_info()
    builder = _Builder()
    for variant in info.variants:
        builder.variant(variant, info.tile, info.scale, int8)
    metadata = schema.MetadataT()
    metadata.name = "edgesr"
    metadata.buffer = builder.buffer(np.frombuffer(entry or info.to_json().encode(), np.uint8))
    builder.model.metadata.append(metadata)
    return builder.model


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def tiny_program(info: ProgramInfo | None = None, int8: bool = False) -> bytes:
    """The program file; its answer is the input with every pixel repeated `scale` times both ways."""
    return pack(tiny_model(info, int8))
