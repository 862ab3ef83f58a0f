"""One TFLite operator -> one op of the typed graph: one small function per operator, chosen from a table.

The inverse of the writer's functions. An operator, or a use of one, that edgesr does not write is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr_runtime.flatbuffer import Table

from ...graph import ops
from ...quantization.affine import QParams, weight_levels
from ...quantization.quantize import FIXED_GRIDS
from ...quantization.reference import is_integer_kind
from ...quantization.typed import Dequantize, DynamicConv2d, QConv2d, Quantize, Requantize
from .flatbuffer import TYPES

LIMIT = 100_000  # entries in any list of the file
DTYPES: dict[int, Any] = {number: dtype for dtype, number in TYPES.items()}
ACTIVATIONS = {schema.ActivationFunctionType.NONE: False, schema.ActivationFunctionType.RELU: True}


class Foreign(Exception):
    """Something that edgesr never writes."""


@dataclass(frozen=True, eq=False)
class FileTensor:
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
            raise Foreign("is neither float32 nor int8 with one scale")
        return QParams(float(self.scales[0]), int(self.zeros[0]))


@dataclass(frozen=True)
class FileOperator:
    """An operator with its tensors resolved: `values` are computed, `constants` stand in the file."""

    kind: str
    options: Table | None
    values: Sequence[FileTensor]
    constants: Sequence[FileTensor]
    out: FileTensor
    known: Sequence[FileTensor]  # computed so far

    def option(self, slot: int, kind: str = "i", default: int = 0) -> int:
        """A number from the option table; `kind` is a `struct` code."""
        return default if self.options is None else self.options.number(slot, kind, default)

    def relu(self, slot: int) -> bool:
        """Whether a ReLU is fused; no other activation is known."""
        activation = self.option(slot, "b")
        if activation not in ACTIVATIONS:
            raise Foreign("has a fused activation other than ReLU")
        return ACTIVATIONS[activation]

    def constant(self, index: int, *types: int) -> FileTensor:
        """The constant at a place, which must be of one of these tensor types."""
        if index >= len(self.constants) or self.constants[index].type not in types:
            raise Foreign("has a parameter that is missing, computed or of another type")
        return self.constants[index]


def check_formats(op: ops.Op, operator: FileOperator) -> None:
    """Float with float and int8 with int8, and the grids that int8 kernels demand."""
    formats = [t.qparams for t in operator.values]
    out = operator.out.qparams
    if isinstance(op, Quantize | Dequantize | Requantize):
        return
    if any((q is None) != (out is None) for q in formats):
        raise Foreign("mixes float32 and int8")
    if out is None:
        return
    if not is_integer_kind(type(op)):
        raise Foreign("has no int8 arithmetic")
    if isinstance(op, (*ops.PASS_THROUGH, ops.Concat)) and any(q != out for q in formats):
        raise Foreign("joins or moves int8 values of unequal scales")
    if type(op) in FIXED_GRIDS and out != FIXED_GRIDS[type(op)]:
        raise Foreign("has another grid than its kernel")


Read = tuple[ops.Op, tuple[str, ...]]
"""An op, and the inputs that it names beyond those that the operator reads."""

_FLOAT, _INT8, _INT4, _INT32 = (getattr(schema.TensorType, t) for t in ("FLOAT32", "INT8", "INT4", "INT32"))


def _quantize(operator: FileOperator) -> Read:
    if operator.out.type != _INT8:
        raise Foreign("makes something else than int8")
    return (Quantize() if operator.values[0].type == _FLOAT else Requantize()), ()


def _dequantize(operator: FileOperator) -> Read:
    if operator.values[0].type != _INT8 or operator.out.type != _FLOAT:
        raise Foreign("is not from int8 to float32")
    return Dequantize(), ()


def _conv(operator: FileOperator) -> Read:
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    weight = operator.constant(0, _FLOAT, _INT8, _INT4)
    if len(weight.shape) != 4 or weight.levels is None or len(operator.values[0].shape) != 4:
        raise Foreign("has a kernel or an input that is not of four axes")
    levels = np.ascontiguousarray(weight.levels.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)))
    channels = operator.values[0].shape[3]
    if 0 in levels.shape or channels % levels.shape[1]:
        raise Foreign(f"has a kernel that does not fit {channels} channels")
    groups = channels // levels.shape[1]
    if levels.shape[0] % groups:
        raise Foreign("has a kernel that cannot be split into its groups")
    slots = (4, 5, 6) if depthwise else (3, 4, 5)  # activation, dilation across, dilation down
    stride = operator.option(2), operator.option(1)
    dilation = operator.option(slots[2], default=1), operator.option(slots[1], default=1)
    if min(*stride, *dilation) < 1:
        raise Foreign("has a stride or dilation below 1")
    geometry: dict[str, Any] = {
        "stride": stride,
        "padding": _padding(operator, levels.shape[2:], stride, dilation),
        "dilation": dilation,
        "groups": groups,
        "relu": operator.relu(slots[0]),
    }
    if weight.type == _FLOAT:
        return ops.Conv2d(levels, _bias(operator, len(levels), _FLOAT), **geometry), ()
    if operator.values[0].type == _FLOAT and not depthwise:
        return _dynamic_conv(operator, levels, geometry), ()
    return _int8_conv(operator, levels, geometry), ()


def _padding(
    operator: FileOperator, kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]
) -> ops.Padding:
    """SAME at stride 1 is the same on both sides, or one more behind; other SAME depends on the size."""
    if operator.option(0, "b") == schema.Padding.VALID:
        return ops.Padding()
    high, wide = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    same = ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    if same and stride != (1, 1):
        raise Foreign("is strided and padded by SAME")
    return same


def _int8_conv(operator: FileOperator, levels: np.ndarray, geometry: dict[str, Any]) -> QConv2d:
    if operator.out.type != _INT8:
        raise Foreign("computes in float32")
    scales = _weight_scales(operator, len(levels))
    narrow = operator.constants[0].type == _INT4 or int(
        np.abs(levels.astype(np.int16)).max()
    ) <= weight_levels(4)
    return QConv2d(levels, scales, _bias(operator, len(levels), _INT32), 4 if narrow else 8, **geometry)


def _dynamic_conv(operator: FileOperator, levels: np.ndarray, geometry: dict[str, Any]) -> DynamicConv2d:
    scales = _weight_scales(operator, len(levels))
    return DynamicConv2d(levels, scales, _bias(operator, len(levels), _FLOAT), **geometry)


def _weight_scales(operator: FileOperator, channels: int) -> np.ndarray:
    stored = operator.constants[0]
    if len(stored.scales) not in (1, channels) or stored.zeros.any():
        raise Foreign("has weights that are not symmetric per channel")
    return np.array(np.broadcast_to(stored.scales, (channels,)))


def _bias(operator: FileOperator, channels: int, kind: int) -> np.ndarray:
    if len(operator.constants) < 2:
        return np.zeros(channels, DTYPES[kind])
    bias = operator.constant(1, kind).levels
    if bias is None or bias.shape != (channels,):
        raise Foreign("has a bias of another shape")
    return bias


def _slice(operator: FileOperator) -> Read:
    """Channels alone: from 0 on, the other axes are as long as the input's, in height and width perhaps
    whatever they are (-1)."""
    begin, size = (operator.constant(i, _INT32).levels for i in range(2))
    shape = operator.values[0].shape
    if begin is None or size is None or not begin.shape == size.shape == (4,) or len(shape) != 4:
        raise Foreign("has a begin or a size that is not of four axes")
    start, stop = int(begin[3]), int(begin[3]) + int(size[3])
    whole = tuple(size[:3].tolist()) in (shape[:3], (shape[0], -1, -1))
    if begin[:3].any() or not whole or not 0 <= start < stop <= shape[3]:
        raise Foreign(f"does not take some of {shape[3]} channels")
    return ops.Slice(start, stop), ()


def _mean(operator: FileOperator) -> Read:
    axes = operator.constant(0, _INT32).levels
    if axes is None or axes.tolist() != [1, 2] or not operator.option(0, "b"):
        raise Foreign("is not over height and width")
    return ops.Mean(), ()


def _concat(operator: FileOperator) -> Read:
    if operator.option(0) not in (3, -1) or operator.relu(1):
        raise Foreign("is not a plain concatenation of channels")
    return ops.Concat(), ()


def _without_relu(op: ops.Op) -> Callable[[FileOperator], Read]:
    def reader(operator: FileOperator) -> Read:
        if operator.relu(0):
            raise Foreign("has a fused ReLU")
        return op, ()

    return reader


def _leaky_relu(operator: FileOperator) -> Read:
    return ops.LeakyRelu(float(operator.option(0, "f"))), ()


def _prelu(operator: FileOperator) -> Read:
    slope = operator.constant(0, _FLOAT).levels
    if slope is None or slope.shape != (1, 1, operator.values[0].shape[-1]):
        raise Foreign("has slopes that are not one per channel")
    return ops.PRelu(slope.reshape(-1)), ()


def _max_pool(operator: FileOperator) -> Read:
    kernel, stride = (operator.option(4), operator.option(3)), (operator.option(2), operator.option(1))
    if operator.option(0, "b") != schema.Padding.VALID or operator.relu(5) or min(*kernel, *stride) < 1:
        raise Foreign("is padded, activated or of no size")
    return ops.MaxPool(kernel, stride), ()


def _pad(operator: FileOperator) -> Read:
    amounts = operator.constant(0, _INT32).levels
    if amounts is None or amounts.shape != (4, 2) or amounts[[0, 3]].any() or amounts.min() < 0:
        raise Foreign("pads other axes than height and width")
    return ops.Pad(ops.Padding(*amounts[1:3].reshape(-1).tolist())), ()


def _depth_to_space(operator: FileOperator) -> Read:
    if operator.option(0) < 1:
        raise Foreign("has no block size")
    return ops.DepthToSpace(operator.option(0)), ()


def _resize_bilinear(operator: FileOperator) -> Read:
    size = operator.constant(0, _INT32)
    if operator.option(2, "b") or not operator.option(3, "b") or size.levels is None or size.shape != (2,):
        raise Foreign("does not put pixel centres at halves")
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
    raise Foreign("resizes to a size that is no multiple of its input's")


def _bound(operator: FileOperator) -> Read:
    limit = operator.constant(0, _FLOAT).levels
    if limit is None or limit.size != 1:
        raise Foreign("has another bound than one number")
    value = float(limit.reshape(-1)[0])
    return (ops.Clamp(value, np.inf) if operator.kind == "MAXIMUM" else ops.Clamp(-np.inf, value)), ()


READERS: dict[str, Callable[[FileOperator], Read]] = {
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
    "TANH": lambda _: (ops.Tanh(), ()),
    "SLICE": _slice,
    "MEAN": _mean,
    "SQUARED_DIFFERENCE": lambda _: (ops.SquaredDifference(), ()),
    "SQRT": lambda _: (ops.Sqrt(), ()),
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "DEPTH_TO_SPACE": _depth_to_space,
    "RESIZE_BILINEAR": _resize_bilinear,
    "MAXIMUM": _bound,
    "MINIMUM": _bound,
}
COUNTS = dict.fromkeys(("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"), (2,)) | {"CONCATENATION": range(1, LIMIT)}
"""How many computed tensors an operator reads, where it is not one."""
