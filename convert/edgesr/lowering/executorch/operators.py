"""Nodes of a delegate program -> one op of the typed graph: one small function per kind, chosen from a table.

The inverse of the writer's functions. They need not be suspicious: what they give is written again and
compared with the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgesr_runtime.flatbuffer import CorruptFile, Table

from ...graph import ops
from ...quantization.affine import QParams, weight_levels
from ...quantization.typed import Dequantize, DynamicConv2d, QConv2d, Quantize, Requantize
from .kinds import CONCATS, NONE, RELU, Datatype, Kind

DTYPES: Mapping[Datatype, Any] = {
    Datatype.FLOAT: np.float32,
    Datatype.INT8_PER_CHANNEL: np.int8,
    Datatype.INT32_PER_CHANNEL: np.int32,
}
"""Formats that constants have."""

_ONE, _TWO = ((0,), 1), ((0, 1), 2)
ENDS: Mapping[Kind, tuple[tuple[int, ...], int]] = {
    **dict.fromkeys((Kind.CONVERT, Kind.CLAMP, Kind.SIGMOID, Kind.TANH, Kind.MEAN), _ONE),
    **dict.fromkeys((Kind.SQUARE, Kind.SQUARE_ROOT), _ONE),
    **dict.fromkeys((Kind.ADD, Kind.SUBTRACT, Kind.MULTIPLY, Kind.PRELU), _TWO),
    **dict.fromkeys((Kind.CONV, Kind.DEPTHWISE_CONV, Kind.TRANSPOSED_CONV), ((15, 16, 17), 18)),
    **dict.fromkeys((Kind.TRANSPOSE, Kind.RESHAPE, Kind.RESIZE_BILINEAR), ((2,), 3)),
    **dict.fromkeys((Kind.SLICE, Kind.PAD), ((3,), 4)),
    **dict.fromkeys(CONCATS.values(), ((1, 2, 3, 4, 7), 5)),
    Kind.LEAKY_RELU: ((1,), 2),
    Kind.MAX_POOL: ((10,), 11),
}
"""Node kind -> the slots of the values that it reads, and of the one that it makes."""


@dataclass(frozen=True, eq=False)
class FileValue:
    """A tensor of the program; `data` where it is constant, `scales` where each channel has its own."""

    datatype: Datatype
    shape: tuple[int, ...]
    qparams: QParams | None
    scales: np.ndarray | None
    data: np.ndarray | None


@dataclass(frozen=True, eq=False)
class FileNode:
    """A node: its kind, its fields, which tensor of the graph it helps to compute, what it clips to."""

    kind: Kind
    fields: Table
    label: int
    limits: tuple[float, float] | None
    ends: tuple[tuple[int, ...], int]

    def number(self, slot: int) -> int:
        return self.fields.number(slot, "I")

    def numbers(self, *slots: int) -> tuple[int, ...]:
        return tuple(self.number(slot) for slot in slots)

    @property
    def read(self) -> list[int]:
        """Numbers of the values that it reads."""
        return [index for index in self.numbers(*self.ends[0]) if index != NONE]

    @property
    def out(self) -> int:
        return self.number(self.ends[1])

    def computed(self, values: Sequence[FileValue]) -> list[int]:
        """Numbers of the values that it reads and that are no constants."""
        return [index for index in self.read if values[index].data is None]


Group = Sequence[FileNode]
Values = Sequence[FileValue]


def _plain(op: ops.Op) -> Callable[[Group, Values], ops.Op]:
    return lambda group, values: op


def _convert(group: Group, values: Values) -> ops.Op:
    source, out = (values[index].qparams for index in (group[0].read[0], group[0].out))
    return Quantize() if source is None else Dequantize() if out is None else Requantize()


def _conv(group: Group, values: Values) -> ops.Op:
    """Of float32, of int8, or (after the conversion of its input) on a grid found at run time."""
    node = group[-1]
    _, weight, bias = (values[index] for index in node.read)
    if weight.data is None or bias.data is None:
        raise CorruptFile("a convolution has weights that are no constants")
    order = (3, 0, 1, 2) if node.kind == Kind.DEPTHWISE_CONV else (0, 3, 1, 2)
    levels = np.ascontiguousarray(weight.data.transpose(order))
    top, right, bottom, left = node.numbers(0, 1, 2, 3)
    geometry: dict[str, Any] = {
        "stride": node.numbers(6, 7),
        "padding": ops.Padding(top, bottom, left, right),
        "dilation": node.numbers(8, 9),
        "groups": node.number(12),
        "relu": node.limits is not None,
    }
    if weight.scales is None:
        return ops.Conv2d(levels, bias.data, **geometry)
    if len(group) > 1:
        return DynamicConv2d(levels, weight.scales, bias.data, **geometry)
    narrow = np.abs(levels.astype(np.int16)).max() <= weight_levels(4)
    return QConv2d(levels, weight.scales, bias.data, 4 if narrow else 8, **geometry)


def _clamp(group: Group, values: Values) -> ops.Op:
    low, high = group[0].limits or RELU
    return ops.Relu() if (low, high) == RELU else ops.Clamp(low, high)


def _prelu(group: Group, values: Values) -> ops.Op:
    slope = values[group[0].number(1)].data
    if slope is None:
        raise CorruptFile("a PReLU has slopes that are no constants")
    return ops.PRelu(slope)


def _slice(group: Group, values: Values) -> ops.Op:
    start, width = (int(group[0].fields.numbers(slot, "u4")[3]) for slot in (1, 2))
    return ops.Slice(start, start + width)


def _max_pool(group: Group, values: Values) -> ops.Op:
    kernel_h, kernel_w, stride_h, stride_w = group[0].numbers(4, 5, 6, 7)
    if not (kernel_h and kernel_w and stride_h and stride_w):
        raise CorruptFile("a pool has a window or a stride of no size")
    return ops.MaxPool((kernel_h, kernel_w), (stride_h, stride_w))


def _pad(group: Group, values: Values) -> ops.Op:
    (_, top, left, _), (_, bottom, right, _) = (group[0].fields.numbers(s, "u4").tolist() for s in (0, 1))
    return ops.Pad(ops.Padding(top, bottom, left, right))


def _resize(group: Group, values: Values) -> ops.Op:
    """By a factor; the reader knows better where it is to another tensor's size."""
    return ops.ResizeBilinear(group[0].number(0) // max(values[group[0].read[0]].shape[1], 1))


def _depth_to_space(group: Group, values: Values) -> ops.Op:
    """Of a tensor of one size by a transposition, of one of any size by a transposed convolution."""
    node = group[0]
    factor = node.number(4) if node.kind == Kind.TRANSPOSED_CONV else int(node.fields.numbers(1, "u4")[2])
    if not factor:
        raise CorruptFile("a depth-to-space has no block size")
    return ops.DepthToSpace(factor)


READERS: Mapping[tuple[Kind, ...], Callable[[Group, Values], ops.Op]] = {
    (Kind.CONVERT,): _convert,
    (Kind.CONV,): _conv,
    (Kind.DEPTHWISE_CONV,): _conv,
    (Kind.CONVERT, Kind.CONV): _conv,
    (Kind.ADD,): lambda group, values: ops.Add(group[0].limits is not None),
    (Kind.SUBTRACT,): _plain(ops.Sub()),
    (Kind.MULTIPLY,): _plain(ops.Mul()),
    (Kind.SUBTRACT, Kind.SQUARE): _plain(ops.SquaredDifference()),
    **{(kind,): _plain(ops.Concat()) for kind in CONCATS.values()},
    (Kind.CLAMP,): _clamp,
    (Kind.LEAKY_RELU,): lambda group, values: ops.LeakyRelu(float(group[0].fields.number(0, "f"))),
    (Kind.PRELU,): _prelu,
    (Kind.SIGMOID,): _plain(ops.Sigmoid()),
    (Kind.TANH,): _plain(ops.Tanh()),
    (Kind.SQUARE_ROOT,): _plain(ops.Sqrt()),
    (Kind.MEAN,): _plain(ops.Mean()),
    (Kind.SLICE,): _slice,
    (Kind.MAX_POOL,): _max_pool,
    (Kind.PAD,): _pad,
    (Kind.RESIZE_BILINEAR,): _resize,
    (Kind.RESHAPE, Kind.TRANSPOSE, Kind.RESHAPE): _depth_to_space,
    (Kind.TRANSPOSED_CONV,): _depth_to_space,
}
"""Kinds of the nodes that compute one tensor -> its op."""
