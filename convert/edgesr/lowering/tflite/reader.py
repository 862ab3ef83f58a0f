"""TFLite program -> typed graphs, the inverse of the writer: what a file really says, ready to execute.

So a program is judged by its bytes and not by the memory of how it was made. Every offset is checked
before it is followed; an op or a use of one that edgesr does not write is refused with its name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr_runtime.flatbuffer import CorruptFile, Table
from edgesr_runtime.verify import check_structure

from ...errors import UserError
from ...graph import ops
from ...graph.shapes import Shape, shapes
from ...quantization.affine import QParams, weight_levels
from ...quantization.quantize import SIGMOID
from ...quantization.reference import is_integer_kind
from ...quantization.typed import Dequantize, QConv2d, Quantize, Requantize, TypedGraph, TypedNode
from .flatbuffer import FILE_IDENTIFIER, TYPES

LIMIT = 100_000  # entries in any list of the file
REMEDY = "check a program written by `edgesr convert`"
ACTIVATIONS = {schema.ActivationFunctionType.NONE: False, schema.ActivationFunctionType.RELU: True}
BUILTIN = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
DTYPES: dict[int, Any] = {number: dtype for dtype, number in TYPES.items()}


class _Foreign(Exception):
    """Something that edgesr never writes."""


@dataclass(frozen=True, eq=False)
class _Tensor:
    """A tensor of the file: `levels` are its constant values, `scales` and `zeros` its number format."""

    name: str
    type: int
    shape: tuple[int, ...]
    scales: np.ndarray
    zeros: np.ndarray
    levels: np.ndarray | None

    @property
    def qparams(self) -> QParams | None:
        if self.type == schema.TensorType.FLOAT32:
            return None
        if self.type != schema.TensorType.INT8 or len(self.scales) != 1:
            raise _Foreign("is neither float32 nor int8 with one scale")
        return QParams(float(self.scales[0]), int(self.zeros[0]))


@dataclass(frozen=True)
class _Operator:
    """An operator with its tensors resolved: `values` are computed, `constants` stand in the file."""

    kind: str
    options: Table | None
    values: Sequence[_Tensor]
    constants: Sequence[_Tensor]
    out: _Tensor
    known: Sequence[_Tensor]  # computed so far

    def option(self, slot: int, kind: str = "i", default: int = 0) -> int:
        """A number from the option table; `kind` is a `struct` code."""
        return default if self.options is None else self.options.number(slot, kind, default)

    def relu(self, slot: int) -> bool:
        """Whether a ReLU is fused; no other activation is known."""
        activation = self.option(slot, "b")
        if activation not in ACTIVATIONS:
            raise _Foreign("has a fused activation other than ReLU")
        return ACTIVATIONS[activation]

    def constant(self, index: int, *types: int) -> _Tensor:
        """The constant at a place, which must be of one of these tensor types."""
        if index >= len(self.constants) or self.constants[index].type not in types:
            raise _Foreign("has a parameter that is missing, computed or of another type")
        return self.constants[index]


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
        except _Foreign as error:
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
        self.known: list[_Tensor] = []

    def graph(self) -> TypedGraph:
        ends = [[self.tensors[i] for i in self.table.numbers(slot, "i4")] for slot in (1, 2)]
        if [len(end) for end in ends] != [1, 1] or any(len(t.shape) != 4 for end in ends for t in end):
            raise _Foreign("anything but one picture in and one picture out")
        image, result = ends[0][0], ends[1][0]
        if any(t.type != schema.TensorType.FLOAT32 for t in (image, result)):
            raise _Foreign(f"input {image.name!r} or output {result.name!r} that is not float32")
        self._add(image, ops.Input(image.shape[3]), ())
        for table in self.table.tables(3, LIMIT):
            self._operator(table)
        graph = TypedGraph(tuple(self.nodes.values()), result.name)
        self._check_shapes(graph, image)
        return graph

    def _add(self, tensor: _Tensor, op: ops.Op, inputs: tuple[str, ...]) -> None:
        if tensor.name in self.nodes:
            raise _Foreign(f"two tensors of the name {tensor.name!r}")
        self.nodes[tensor.name] = TypedNode(tensor.name, op, inputs, tensor.qparams)
        self.known.append(tensor)

    def _operator(self, table: Table) -> None:
        kind = self.kinds[table.number(0, "I")]
        outputs = table.numbers(2, "i4").tolist()
        label = f"{kind} ({self.tensors[outputs[0]].name!r})" if outputs else kind
        if kind not in READERS or len(outputs) != 1:
            raise _Foreign(label)
        inputs = [self.tensors[i] for i in table.numbers(1, "i4").tolist() if i >= 0]
        values = [t for t in inputs if t.levels is None]
        operator = _Operator(
            kind,
            table.table(4),
            values,
            [t for t in inputs if t.levels is not None],
            self.tensors[outputs[0]],
            self.known,
        )
        try:
            if inputs[: len(values)] != values or len(values) not in COUNTS.get(kind, (1,)):
                raise _Foreign("has inputs of another number or order")
            op, more = READERS[kind](operator)
            _check_formats(op, operator)
            self._add(operator.out, op, (*(t.name for t in values), *more))
        except _Foreign as error:
            raise _Foreign(f"{label}, which {error},") from error

    def _check_shapes(self, graph: TypedGraph, image: _Tensor) -> None:
        """What the file declares must be what the ops make; also rules out broadcasting."""
        try:
            computed = shapes(graph, image.shape[1], image.shape[2])
        except (ValueError, IndexError) as error:
            raise _Foreign(f"a tensor of an impossible shape ({error})") from error
        for tensor in self.known:
            if tensor.shape != _nhwc(computed[tensor.name]):
                raise _Foreign(f"the shape {list(tensor.shape)} of {tensor.name!r}")


def _nhwc(shape: Shape) -> tuple[int, ...]:
    channels, height, width = shape
    return 1, height, width, channels


def _read_tensor(table: Table, buffers: Sequence[memoryview]) -> _Tensor:
    shape = tuple(table.numbers(0, "i4").tolist())
    kind, data = table.number(1, "b"), buffers[table.number(2, "I")]
    quantization = table.table(4)
    scales = quantization.numbers(2, "f4").copy() if quantization else np.empty(0, np.float32)
    zeros = quantization.numbers(3, "i8") if quantization else np.empty(0, np.int64)
    return _Tensor(table.string(3), kind, shape, scales, zeros, _levels(kind, data, shape))


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


def _check_formats(op: ops.Op, operator: _Operator) -> None:
    """Float with float and int8 with int8, and the grids that int8 kernels demand."""
    formats = [t.qparams for t in operator.values]
    out = operator.out.qparams
    if isinstance(op, Quantize | Dequantize | Requantize):
        return
    if any((q is None) != (out is None) for q in formats):
        raise _Foreign("mixes float32 and int8")
    if out is None:
        return
    if not is_integer_kind(type(op)):
        raise _Foreign("has no int8 arithmetic")
    if isinstance(op, (*ops.PASS_THROUGH, ops.Concat)) and any(q != out for q in formats):
        raise _Foreign("joins or moves int8 values of unequal scales")
    if isinstance(op, ops.Sigmoid) and out != SIGMOID:
        raise _Foreign("has a grid other than 1/256")


Read = tuple[ops.Op, tuple[str, ...]]
"""An op, and the inputs that it names beyond those that the operator reads."""

_FLOAT, _INT8, _INT4, _INT32 = (getattr(schema.TensorType, t) for t in ("FLOAT32", "INT8", "INT4", "INT32"))


def _quantize(operator: _Operator) -> Read:
    if operator.out.type != _INT8:
        raise _Foreign("makes something else than int8")
    return (Quantize() if operator.values[0].type == _FLOAT else Requantize()), ()


def _dequantize(operator: _Operator) -> Read:
    if operator.values[0].type != _INT8 or operator.out.type != _FLOAT:
        raise _Foreign("is not from int8 to float32")
    return Dequantize(), ()


def _conv(operator: _Operator) -> Read:
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    weight = operator.constant(0, _FLOAT, _INT8, _INT4)
    if len(weight.shape) != 4 or weight.levels is None or len(operator.values[0].shape) != 4:
        raise _Foreign("has a kernel or an input that is not of four axes")
    levels = np.ascontiguousarray(weight.levels.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)))
    channels = operator.values[0].shape[3]
    if 0 in levels.shape or channels % levels.shape[1]:
        raise _Foreign(f"has a kernel that does not fit {channels} channels")
    groups = channels // levels.shape[1]
    if levels.shape[0] % groups:
        raise _Foreign("has a kernel that cannot be split into its groups")
    slots = (4, 5, 6) if depthwise else (3, 4, 5)  # activation, dilation across, dilation down
    stride = operator.option(2), operator.option(1)
    dilation = operator.option(slots[2], default=1), operator.option(slots[1], default=1)
    if min(*stride, *dilation) < 1:
        raise _Foreign("has a stride or dilation below 1")
    geometry: dict[str, Any] = {
        "stride": stride,
        "padding": _padding(operator, levels.shape[2:], stride, dilation),
        "dilation": dilation,
        "groups": groups,
        "relu": operator.relu(slots[0]),
    }
    if weight.type == _FLOAT:
        return ops.Conv2d(levels, _bias(operator, len(levels), _FLOAT), **geometry), ()
    return _int8_conv(operator, levels, geometry), ()


def _padding(
    operator: _Operator, kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]
) -> ops.Padding:
    """SAME at stride 1 is the same on both sides, or one more behind; other SAME depends on the size."""
    if operator.option(0, "b") == schema.Padding.VALID:
        return ops.Padding()
    high, wide = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    same = ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    if same and stride != (1, 1):
        raise _Foreign("is strided and padded by SAME")
    return same


def _int8_conv(operator: _Operator, levels: np.ndarray, geometry: dict[str, Any]) -> QConv2d:
    stored = operator.constants[0]
    if len(stored.scales) not in (1, len(levels)) or stored.zeros.any() or operator.out.type != _INT8:
        raise _Foreign("has weights that are not symmetric per channel, or computes in float32")
    scales = np.array(np.broadcast_to(stored.scales, (len(levels),)))
    narrow = stored.type == _INT4 or int(np.abs(levels.astype(np.int16)).max()) <= weight_levels(4)
    return QConv2d(levels, scales, _bias(operator, len(levels), _INT32), 4 if narrow else 8, **geometry)


def _bias(operator: _Operator, channels: int, kind: int) -> np.ndarray:
    if len(operator.constants) < 2:
        return np.zeros(channels, DTYPES[kind])
    bias = operator.constant(1, kind).levels
    if bias is None or bias.shape != (channels,):
        raise _Foreign("has a bias of another shape")
    return bias


def _concat(operator: _Operator) -> Read:
    if operator.option(0) not in (3, -1) or operator.relu(1):
        raise _Foreign("is not a plain concatenation of channels")
    return ops.Concat(), ()


def _without_relu(op: ops.Op) -> Callable[[_Operator], Read]:
    def reader(operator: _Operator) -> Read:
        if operator.relu(0):
            raise _Foreign("has a fused ReLU")
        return op, ()

    return reader


def _leaky_relu(operator: _Operator) -> Read:
    return ops.LeakyRelu(float(operator.option(0, "f"))), ()


def _prelu(operator: _Operator) -> Read:
    slope = operator.constant(0, _FLOAT).levels
    if slope is None or slope.shape != (1, 1, operator.values[0].shape[-1]):
        raise _Foreign("has slopes that are not one per channel")
    return ops.PRelu(slope.reshape(-1)), ()


def _max_pool(operator: _Operator) -> Read:
    kernel, stride = (operator.option(4), operator.option(3)), (operator.option(2), operator.option(1))
    if operator.option(0, "b") != schema.Padding.VALID or operator.relu(5) or min(*kernel, *stride) < 1:
        raise _Foreign("is padded, activated or of no size")
    return ops.MaxPool(kernel, stride), ()


def _pad(operator: _Operator) -> Read:
    amounts = operator.constant(0, _INT32).levels
    if amounts is None or amounts.shape != (4, 2) or amounts[[0, 3]].any() or amounts.min() < 0:
        raise _Foreign("pads other axes than height and width")
    return ops.Pad(ops.Padding(*amounts[1:3].reshape(-1).tolist())), ()


def _depth_to_space(operator: _Operator) -> Read:
    if operator.option(0) < 1:
        raise _Foreign("has no block size")
    return ops.DepthToSpace(operator.option(0)), ()


def _resize_bilinear(operator: _Operator) -> Read:
    size = operator.constant(0, _INT32)
    if operator.option(2, "b") or not operator.option(3, "b") or size.levels is None or size.shape != (2,):
        raise _Foreign("does not put pixel centres at halves")
    target = tuple(size.levels.tolist())
    like = size.name.partition("/size of ")[2]
    same = [t.name for t in operator.known if len(t.shape) == 4 and t.shape[1:3] == target]
    if like in same:
        return ops.ResizeBilinear(), (like,)
    height, width = operator.values[0].shape[1:3]
    factor = target[0] // max(height, 1)
    if factor >= 1 and target == (height * factor, width * factor):
        return ops.ResizeBilinear(factor), ()
    if same:
        return ops.ResizeBilinear(), (same[0],)
    raise _Foreign("resizes to a size that is no multiple of its input's")


def _bound(operator: _Operator) -> Read:
    limit = operator.constant(0, _FLOAT).levels
    if limit is None or limit.size != 1:
        raise _Foreign("has another bound than one number")
    value = float(limit.reshape(-1)[0])
    return (ops.Clamp(value, np.inf) if operator.kind == "MAXIMUM" else ops.Clamp(-np.inf, value)), ()


READERS: dict[str, Callable[[_Operator], Read]] = {
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "ADD": lambda operator: (ops.Add(operator.relu(0)), ()),
    "SUB": _without_relu(ops.Sub()),
    "MUL": _without_relu(ops.Mul()),
    "CONCATENATION": _concat,
    "RELU": lambda _: (ops.Relu(), ()),
    "LEAKY_RELU": _leaky_relu,
    "PRELU": _prelu,
    "LOGISTIC": lambda _: (ops.Sigmoid(), ()),
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "DEPTH_TO_SPACE": _depth_to_space,
    "RESIZE_BILINEAR": _resize_bilinear,
    "MAXIMUM": _bound,
    "MINIMUM": _bound,
}
COUNTS = {"ADD": (2,), "SUB": (2,), "MUL": (2,), "CONCATENATION": range(1, LIMIT)}
"""How many computed tensors an operator reads, where it is not one."""
