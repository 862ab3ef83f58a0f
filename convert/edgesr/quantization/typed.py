"""The typed graph: what a program computes, with the number format of every tensor decided.

It is the meeting point of this package: a plan turns a float graph into it, each target writes it, the
TFLite reader reads it back from a file, and the integer reference executes it. A tensor with `QParams`
is int8, one without is float32; conversions are nodes of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..graph.ops import NO_PADDING, Array, Conv2d, Op, Padding
from ..graph.shapes import conv_shape, shape
from .affine import QParams


@dataclass(frozen=True, eq=False)
class QConv2d(Op):
    """Convolution of int8 by int8 with int32 sums.

    Attributes:
        weight: int8 (out, in / groups, kernel height, kernel width).
        scales: float32 (out,), real value of one weight level.
        bias: int32 (out,), in units of input scale * weight scale.
        bits: width of the weight grid, 8 or 4 (always stored as int8 unless a target packs it).
        Geometry as in `Conv2d`.
    """

    weight: Array
    scales: Array
    bias: Array
    bits: int = 8
    stride: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    relu: bool = False


@dataclass(frozen=True, eq=False)
class DynamicConv2d(Op):
    """Convolution of int8 by int8 between float32 tensors: its input is rounded on a grid of its own.

    The grid is laid anew over the values of each picture (see `dynamic`), so nothing is clipped.

    Attributes:
        weight: int8 (out, in / groups, kernel height, kernel width).
        scales: float32 (out,), real value of one weight level.
        bias: float32 (out,).
        Geometry as in `Conv2d`.
    """

    weight: Array
    scales: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    relu: bool = False


shape.register(QConv2d, conv_shape)
shape.register(DynamicConv2d, conv_shape)

AnyConv = Conv2d | QConv2d | DynamicConv2d
"""Every form that a convolution has in a typed graph."""


def is_depthwise(op: AnyConv) -> bool:
    """Whether each output channel reads one input channel."""
    return op.groups > 1 and op.weight.shape[1] == 1


@dataclass(frozen=True, eq=False)
class Quantize(Op):
    """float32 to int8."""


@dataclass(frozen=True, eq=False)
class Dequantize(Op):
    """int8 to float32."""


@dataclass(frozen=True, eq=False)
class Requantize(Op):
    """int8 to int8 on another grid."""


@dataclass(frozen=True)
class TypedNode:
    """A node and the format of its value: int8 with `qparams`, float32 without."""

    name: str
    op: Op
    inputs: tuple[str, ...] = ()
    qparams: QParams | None = None


@dataclass(frozen=True)
class TypedGraph:
    """Typed nodes in execution order; the first is the input, `output` names the float32 result."""

    nodes: tuple[TypedNode, ...]
    output: str
    _index: Mapping[str, TypedNode] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {node.name: node for node in self.nodes})

    def __iter__(self) -> Iterator[TypedNode]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> TypedNode:
        return self._index[name]

    @cached_property
    def users(self) -> Mapping[str, tuple[TypedNode, ...]]:
        """Name -> the nodes that read it."""
        users: dict[str, list[TypedNode]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in node.inputs:
                users[name].append(node)
        return {name: tuple(nodes) for name, nodes in users.items()}

    @cached_property
    def is_mixed(self) -> bool:
        """Whether anything in it is rounded to int8, so that float32 values need the runtime's last bit."""
        return any(node.qparams is not None or isinstance(node.op, DynamicConv2d) for node in self)

    def equals(self, other: "TypedGraph") -> bool:
        """Same names, formats, ops, weights and output."""
        return self.output == other.output and [_key(n) for n in self] == [_key(n) for n in other] and all(
            a.op.same_as(b.op) for a, b in zip(self, other, strict=True)
        )  # fmt: skip


def _key(node: TypedNode) -> tuple[object, ...]:
    return node.name, node.inputs, node.qparams
