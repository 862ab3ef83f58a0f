"""TFLite program -> typed graphs, the inverse of the writer: what a file really says, ready to execute.

So a program is judged by its bytes and not by the memory of how it was made. Every offset is checked
before it is followed; an op or a use of one that edgesr does not write is refused with its name.
"""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr_runtime.flatbuffer import CorruptFile, Table
from edgesr_runtime.verify import check_structure

from ...errors import UserError
from ...graph import ops
from ...graph.shapes import Shape, shapes
from ...quantization.typed import TypedGraph, TypedNode
from .flatbuffer import FILE_IDENTIFIER
from .operators import COUNTS, DTYPES, LIMIT, READERS, FileOperator, FileTensor, Foreign, check_formats

REMEDY = "check a program written by `edgesr convert`"
BUILTIN = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


def read(data: bytes) -> dict[str, TypedGraph]:
    """The typed graph of every signature, as `arrange` left it: names, formats, ops and weights.

    A convolution whose int8 weights all lie within -7..7 reads as one of 4 bits.

    Raises:
        UserError: the file is damaged, or holds something that edgesr does not write; names op and tensor.
    """
    try:
        check_structure(data)
        return _read_model(Table.root(data, FILE_IDENTIFIER))
    except CorruptFile as error:
        raise UserError(f"the program is not a sound .tflite file: {error}; convert it again") from error


def _read_model(model: Table) -> dict[str, TypedGraph]:
    buffers = [table.bytes(0) for table in model.tables(4, LIMIT)]
    kinds = [_builtin(code) for code in model.tables(1, LIMIT)]
    subgraphs = model.tables(2, LIMIT)
    graphs: dict[str, TypedGraph] = {}
    for signature in model.tables(7, LIMIT):
        name, subgraph = signature.string(2), subgraphs[signature.number(4, "I")]
        try:
            graphs[name] = _Reading(subgraph, buffers, kinds).graph()
        except Foreign as error:
            raise UserError(
                f"signature {name!r}: {error} is not something edgesr writes; {REMEDY}"
            ) from error
    return graphs


def _builtin(code: Table) -> str:
    number = max(code.number(0, "b"), code.number(3, "i"))
    return BUILTIN.get(number, f"op number {number}")


class _Reading:
    """One subgraph, read operator by operator."""

    def __init__(self, table: Table, buffers: Sequence[memoryview], kinds: Sequence[str]) -> None:
        self.table, self.kinds = table, kinds
        self.tensors = [_read_tensor(t, buffers) for t in table.tables(0, LIMIT)]
        self.nodes: dict[str, TypedNode] = {}
        self.known: list[FileTensor] = []

    def graph(self) -> TypedGraph:
        ends = [[self.tensors[i] for i in self.table.numbers(slot, "i4")] for slot in (1, 2)]
        if [len(end) for end in ends] != [1, 1] or any(len(t.shape) != 4 for end in ends for t in end):
            raise Foreign("anything but one picture in and one picture out")
        image, result = ends[0][0], ends[1][0]
        if any(t.type != schema.TensorType.FLOAT32 for t in (image, result)):
            raise Foreign(f"input {image.name!r} or output {result.name!r} that is not float32")
        self._add(image, ops.Input(image.shape[3]), ())
        for table in self.table.tables(3, LIMIT):
            self._operator(table)
        graph = TypedGraph(tuple(self.nodes.values()), result.name)
        self._check_shapes(graph, image)
        return graph

    def _add(self, tensor: FileTensor, op: ops.Op, inputs: tuple[str, ...]) -> None:
        if tensor.name in self.nodes:
            raise Foreign(f"two tensors of the name {tensor.name!r}")
        self.nodes[tensor.name] = TypedNode(tensor.name, op, inputs, tensor.qparams)
        self.known.append(tensor)

    def _operator(self, table: Table) -> None:
        kind = self.kinds[table.number(0, "I")]
        outputs = table.numbers(2, "i4").tolist()
        label = f"{kind} ({self.tensors[outputs[0]].name!r})" if outputs else kind
        if kind not in READERS or len(outputs) != 1:
            raise Foreign(label)
        inputs = [self.tensors[i] for i in table.numbers(1, "i4").tolist() if i >= 0]
        values = [t for t in inputs if t.levels is None]
        operator = FileOperator(
            kind,
            table.table(4),
            values,
            [t for t in inputs if t.levels is not None],
            self.tensors[outputs[0]],
            self.known,
        )
        try:
            if inputs[: len(values)] != values or len(values) not in COUNTS.get(kind, (1,)):
                raise Foreign("has inputs of another number or order")
            op, more = READERS[kind](operator)
            check_formats(op, operator)
            self._add(operator.out, op, (*(t.name for t in values), *more))
        except Foreign as error:
            raise Foreign(f"{label}, which {error},") from error

    def _check_shapes(self, graph: TypedGraph, image: FileTensor) -> None:
        """What the file declares must be what the ops make; also rules out broadcasting."""
        try:
            computed = shapes(graph, image.shape[1], image.shape[2])
        except (ValueError, IndexError) as error:
            raise Foreign(f"a tensor of an impossible shape ({error})") from error
        for tensor in self.known:
            if tensor.shape != _nhwc(computed[tensor.name]):
                raise Foreign(f"the shape {list(tensor.shape)} of {tensor.name!r}")


def _nhwc(shape: Shape) -> tuple[int, ...]:
    channels, height, width = shape
    return 1, height, width, channels


def _read_tensor(table: Table, buffers: Sequence[memoryview]) -> FileTensor:
    shape = tuple(table.numbers(0, "i4").tolist())
    kind, data = table.number(1, "b"), buffers[table.number(2, "I")]
    quantization = table.table(4)
    scales = quantization.numbers(2, "f4").copy() if quantization else np.empty(0, np.float32)
    zeros = quantization.numbers(3, "i8") if quantization else np.empty(0, np.int64)
    return FileTensor(table.string(3), kind, shape, scales, zeros, _levels(kind, data, shape))


def _levels(kind: int, data: memoryview, shape: tuple[int, ...]) -> np.ndarray | None:
    """The values of a constant; None of a computed tensor and of types that edgesr does not write."""
    if not len(data):
        return None
    if kind == schema.TensorType.INT4:
        pairs = np.frombuffer(data, np.int8)
        halves = np.stack([pairs << 4 >> 4, pairs >> 4], axis=1).reshape(-1)  # low half first, sign kept
        return halves[: int(np.prod(shape))].reshape(shape)
    if kind in DTYPES:
        return np.frombuffer(data, DTYPES[kind]).reshape(shape).copy()
    return np.empty(0)
