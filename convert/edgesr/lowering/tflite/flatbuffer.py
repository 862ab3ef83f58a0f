"""The TFLite container: subgraphs, tensors, operators, shared buffers, signatures and metadata.

Knows the file format and nothing of networks. Constants are shared by content, so variants of one
network cost only what differs.
"""

import hashlib
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ...quantization.affine import QParams

FILE_IDENTIFIER = b"TFL3"
TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
}


class Model:
    """A TFLite file under construction."""

    def __init__(self) -> None:
        self.table = schema.ModelT()
        self.table.version = 3
        self.table.description = "edgesr"
        self.table.operatorCodes, self.table.subgraphs = [], []
        self.table.signatureDefs, self.table.metadata = [], []
        self.table.buffers = [schema.BufferT()]  # by convention, the first one is empty
        self._buffers: dict[bytes, int] = {}
        self._codes: dict[tuple[int, int], int] = {}

    def buffer(self, data: bytes) -> int:
        """Index of the buffer that holds these bytes."""
        digest = hashlib.sha256(data).digest()
        if digest not in self._buffers:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, np.uint8)
            self._buffers[digest] = len(self.table.buffers)
            self.table.buffers.append(buffer)
        return self._buffers[digest]

    def operator_code(self, builtin: int, version: int) -> int:
        """Index of an op kind at a version."""
        if (builtin, version) not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.version = builtin, version
            code.deprecatedBuiltinCode = min(builtin, 127)
            self._codes[builtin, version] = len(self.table.operatorCodes)
            self.table.operatorCodes.append(code)
        return self._codes[builtin, version]

    def add_metadata(self, name: str, data: bytes) -> None:
        """A named blob that readers find without running the program."""
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, self.buffer(data)
        self.table.metadata.append(entry)

    def to_bytes(self) -> bytes:
        """The finished file."""
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.table.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())


class Subgraph:
    """One signature of a model: tensors by index, operators in order."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.table = schema.SubGraphT()
        self.table.name = name
        self.table.tensors, self.table.operators = [], []
        self.table.inputs, self.table.outputs = [], []
        model.table.subgraphs.append(self.table)

    def tensor(self, name: str, shape: tuple[int, ...], qparams: QParams | None) -> int:
        """An activation: int8 with scale and zero point, float32 without."""
        tensor = self._tensor(name, shape, np.dtype(np.float32 if qparams is None else np.int8))
        if qparams is not None:
            tensor.quantization = _quantization(np.array([qparams.scale]), np.array([qparams.zero_point]), 0)
        return len(self.table.tensors) - 1

    def constant(self, name: str, data: np.ndarray, scales: np.ndarray | None = None, axis: int = 0) -> int:
        """A weight, bias or parameter; with `scales`, symmetric per channel along `axis`."""
        tensor = self._tensor(name, data.shape, data.dtype)
        tensor.buffer = self.model.buffer(np.ascontiguousarray(data).tobytes())
        if scales is not None:
            tensor.quantization = _quantization(scales, np.zeros(len(scales)), axis)
        return len(self.table.tensors) - 1

    def packed_int4(self, name: str, data: np.ndarray, scales: np.ndarray) -> int:
        """Weights of -8..7, two in a byte, low half first."""
        flat = data.reshape(-1).astype(np.uint8) & 15
        flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
        tensor = self._tensor(name, data.shape, np.dtype(np.int8))
        tensor.type = schema.TensorType.INT4
        tensor.buffer = self.model.buffer((flat[0::2] | flat[1::2] << 4).tobytes())
        tensor.quantization = _quantization(scales, np.zeros(len(scales)), 0)
        return len(self.table.tensors) - 1

    def free_size(self, index: int) -> None:
        """Declares that height and width of an activation may change."""
        tensor = self.table.tensors[index]
        tensor.shapeSignature = [tensor.shape[0], -1, -1, tensor.shape[3]]

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), TYPES[dtype], 0
        self.table.tensors.append(tensor)
        return tensor

    def operator(
        self, builtin: str, version: int, inputs: list[int], output: int, options: Any = None
    ) -> None:
        """Appends an operator; `options` is its option table, named after its class."""
        op = schema.OperatorT()
        op.opcodeIndex = self.model.operator_code(getattr(schema.BuiltinOperator, builtin), version)
        op.inputs, op.outputs = inputs, [output]
        if options is not None:
            op.builtinOptions = options
            op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.table.operators.append(op)

    def finish(self, signature: str, inputs: dict[str, int], outputs: dict[str, int]) -> None:
        """Declares inputs, outputs and the signature that names them."""
        self.table.inputs, self.table.outputs = list(inputs.values()), list(outputs.values())
        entry = schema.SignatureDefT()
        entry.signatureKey = signature
        entry.subgraphIndex = len(self.model.table.subgraphs) - 1
        entry.inputs, entry.outputs = _tensor_map(inputs), _tensor_map(outputs)
        self.model.table.signatureDefs.append(entry)


def _tensor_map(names: dict[str, int]) -> list[Any]:
    entries = []
    for name, index in names.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        entries.append(entry)
    return entries


def _quantization(scales: np.ndarray, zero_points: np.ndarray, axis: int) -> Any:
    table = schema.QuantizationParametersT()
    table.scale = scales.astype(np.float32)
    table.zeroPoint = zero_points.astype(np.int64)
    table.quantizedDimension = axis
    return table
