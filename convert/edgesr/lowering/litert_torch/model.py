"""A .tflite file that edgesr did not write, taken apart and put together again; and what it holds.

The files come from the converter, or were verified before: nothing here guards against hostile bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgesr_runtime.metadata import METADATA_ENTRY

from ..tflite.flatbuffer import FILE_IDENTIFIER

BUILTIN = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
MOVES = ("TRANSPOSE", "RESHAPE", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "SLICE", "STRIDED_SLICE", "PAD")
"""Ops that move values and make no new ones but 0."""


@dataclass(frozen=True)
class WeightPlace:
    """Where an op kind has its weights: index of the input, axis of the output channels."""

    index: int
    axis: int


WEIGHTS = {
    "CONV_2D": WeightPlace(1, 0),
    "DEPTHWISE_CONV_2D": WeightPlace(1, 3),
    "TRANSPOSE_CONV": WeightPlace(1, 0),
    "FULLY_CONNECTED": WeightPlace(1, 0),
}


@dataclass(frozen=True)
class Step:
    """One operator of a program: its kind in TFLite's words, and its tensors (None: an input left out)."""

    kind: str
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def weight(self) -> Any:
        """The tensor of its weights; None for an op without."""
        place = WEIGHTS.get(self.kind)
        return None if place is None else self.inputs[place.index]

    @property
    def picture(self) -> Any:
        """The tensor that it works on."""
        return self.inputs[2 if self.kind == "TRANSPOSE_CONV" else 0]


class Model:
    """The parts of a file with one signature."""

    def __init__(self, program: bytes) -> None:
        self.table = schema.ModelT.InitFromPackedBuf(program, 0)
        for buffer in self.table.buffers:
            _bring_in(buffer, program)
        self.signature = self.table.signatureDefs[0]
        self.graph = self.table.subgraphs[self.signature.subgraphIndex]

    def steps(self) -> Iterator[Step]:
        """In the order in which they run."""
        for operator in self.graph.operators:
            code = self.table.operatorCodes[operator.opcodeIndex]
            yield Step(
                BUILTIN[max(code.builtinCode, code.deprecatedBuiltinCode)],
                tuple(None if index < 0 else self.graph.tensors[index] for index in operator.inputs),
                tuple(self.graph.tensors[index] for index in operator.outputs),
            )

    def constant(self, tensor: Any) -> NDArray[np.float32] | None:
        """The values of a float32 constant; None of any other tensor."""
        data = self.table.buffers[tensor.buffer].data
        if data is None or tensor.type != schema.TensorType.FLOAT32:
            return None
        return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)

    def replace(self, tensor: Any, values: NDArray[np.float32]) -> None:
        """Gives a constant other values, also where its old ones are another tensor's too."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
        tensor.buffer = len(self.table.buffers)
        self.table.buffers.append(buffer)

    def computed(self) -> tuple[str, ...]:
        """Names of the float32 tensors that a run fills, the signature's ends included."""
        ends = [self.graph.tensors[index] for index in self.graph.inputs]
        made = [tensor for step in self.steps() for tensor in step.outputs]
        return tuple(name_of(t) for t in (*ends, *made) if t.type == schema.TensorType.FLOAT32)

    def _drop_unused(self) -> None:
        users = [t for graph in self.table.subgraphs for t in graph.tensors] + list(self.table.metadata or ())
        old = self.table.buffers
        kept = sorted({0, *(user.buffer for user in users)})
        place = {index: new for new, index in enumerate(kept)}
        for user in users:
            user.buffer = place[user.buffer]
        self.table.buffers = [old[index] for index in kept]

    @property
    def ends(self) -> tuple[str, str]:
        """Names of the tensors that are the program's input and its output."""
        image, result = (
            self.graph.tensors[e[0].tensorIndex] for e in (self.signature.inputs, self.signature.outputs)
        )
        return name_of(image), name_of(result)

    def to_bytes(self) -> bytes:
        """The file, without data that nothing refers to any more."""
        self._drop_unused()
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.table.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())


def _bring_in(buffer: Any, program: bytes) -> None:
    """Data of large files may lie behind their FlatBuffers part; edgesr programs have all of it inside."""
    if buffer.size:
        buffer.data = np.frombuffer(program, np.uint8, buffer.size, buffer.offset)
    buffer.offset = buffer.size = 0


def name_of(tensor: Any) -> str:
    name: bytes = tensor.name
    return name.decode()


def with_metadata(program: bytes, metadata: bytes) -> bytes:
    """The program with the entry `edgesr`."""
    model = Model(program)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    entry.name, entry.buffer = METADATA_ENTRY, len(model.table.buffers)
    model.table.buffers.append(buffer)
    model.table.metadata = [*(model.table.metadata or ()), entry]
    return model.to_bytes()
