"""Shapes of every node at one picture size: one small function per op kind."""

from collections.abc import Iterable
from functools import singledispatch
from itertools import pairwise
from typing import Protocol

from . import ops

Shape = tuple[int, int, int]
"""(channels, height, width)"""

MOST_MULTIPLE = 64
LARGE_SIDE = 1000  # large enough for every network
ANY_SIDE = 1 << 16  # a picture on which no network's tensors are empty


class AnyNode(Protocol):
    """What float and typed nodes have in common."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> ops.Op: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...


def shapes(nodes: Iterable[AnyNode], height: int, width: int) -> dict[str, Shape]:
    """Name -> (channels, height, width) for a picture of height x width.

    Raises:
        ValueError: if a tensor would be empty (a picture too small for the network), naming the node, or
            if inputs do not fit together.
    """
    known: dict[str, Shape] = {}
    for node in nodes:
        if isinstance(node.op, ops.Input):
            known[node.name] = (node.op.channels, height, width)
        else:
            known[node.name] = shape(node.op, [known[name] for name in node.inputs])
        if min(known[node.name]) < 1:
            raise ValueError(f"{node.name!r} is empty for a picture of {width}x{height} pixels")
    return known


def fits(nodes: Iterable[AnyNode], output: str, scale: int, height: int, width: int) -> bool:
    """Whether a picture of height x width runs through, and its output is exactly `scale` times as large."""
    try:
        found = shapes(nodes, height, width)[output]
    except ValueError:
        return False
    return found[1:] == (height * scale, width * scale)


def side_multiple(nodes: Iterable[AnyNode], output: str, scale: int) -> int:
    """What a picture's sides must be a multiple of: 1 for most networks, and where nothing up to 64 helps.

    Strides and space to depth, which the way back up must meet again, ask for more.
    """
    nodes = tuple(nodes)
    for multiple in range(1, MOST_MULTIPLE + 1):
        first = -(-LARGE_SIDE // multiple)
        sides = [multiple * (first + i) for i in range(4)]
        if all(fits(nodes, output, scale, *pair) for pair in pairwise([*sides, sides[0]])):
            return multiple
    return 1


def channels(nodes: Iterable[AnyNode]) -> dict[str, int]:
    """Name -> channels, which no picture's size changes."""
    return {name: shape[0] for name, shape in shapes(nodes, ANY_SIDE, ANY_SIDE).items()}


def multiplications(nodes: Iterable[AnyNode], side: int) -> dict[str, int]:
    """Convolution -> its multiplications on a picture of side x side."""
    nodes = tuple(nodes)
    sizes = shapes(nodes, side, side)
    areas = {name: height * width for name, (_, height, width) in sizes.items()}
    return {n.name: n.op.weight.size * areas[n.name] for n in nodes if isinstance(n.op, ops.Conv2d)}


@singledispatch
def shape(op: ops.Op, inputs: list[Shape]) -> Shape:
    """Shape of an op's value, by default its input's. Raises ValueError for inputs that do not fit."""
    return inputs[0]


@shape.register
def conv_shape(op: ops.Conv2d, inputs: list[Shape]) -> Shape:
    """Also used for other convolutions with the same attributes."""
    _, height, width = inputs[0]
    p, (kernel_h, kernel_w) = op.padding, op.weight.shape[2:]
    span_h, span_w = op.dilation[0] * (kernel_h - 1) + 1, op.dilation[1] * (kernel_w - 1) + 1
    out_h = (height + p.top + p.bottom - span_h) // op.stride[0] + 1
    out_w = (width + p.left + p.right - span_w) // op.stride[1] + 1
    return op.weight.shape[0], out_h, out_w


@shape.register(ops.Add)
@shape.register(ops.Sub)
@shape.register(ops.Mul)
@shape.register(ops.SquaredDifference)
def _(op: ops.Op, inputs: list[Shape]) -> Shape:
    first, second = inputs
    if first != second and not (first[0] == second[0] and (1, 1) in (first[1:], second[1:])):
        raise ValueError(f"{op.kind} between shapes {first} and {second}")
    return max(first, second)


@shape.register
def _(op: ops.Slice, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    if not 0 <= op.start < op.stop <= channels:
        raise ValueError(f"channels {op.start} to {op.stop} of {channels}")
    return op.stop - op.start, height, width


@shape.register(ops.Mean)
@shape.register(ops.Std)
def _(op: ops.Mean | ops.Std, inputs: list[Shape]) -> Shape:
    return inputs[0][0], 1, 1


@shape.register
def _(op: ops.Concat, inputs: list[Shape]) -> Shape:
    if len({s[1:] for s in inputs}) > 1:
        raise ValueError(f"a concatenation of pictures of {[s[1:] for s in inputs]}")
    return sum(s[0] for s in inputs), *inputs[0][1:]


@shape.register
def _(op: ops.Pad, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    p = op.padding
    return channels, height + p.top + p.bottom, width + p.left + p.right


@shape.register
def _(op: ops.MaxPool, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return (
        channels,
        (height - op.kernel[0]) // op.stride[0] + 1,
        (width - op.kernel[1]) // op.stride[1] + 1,
    )


@shape.register(ops.PixelShuffle)
@shape.register(ops.DepthToSpace)
def _(op: ops.PixelShuffle | ops.DepthToSpace, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return channels // op.factor**2, height * op.factor, width * op.factor


@shape.register
def _(op: ops.Repeat, inputs: list[Shape]) -> Shape:
    return inputs[0][0] * op.times, *inputs[0][1:]


@shape.register
def _(op: ops.ResizeNearest, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return channels, height * op.factor, width * op.factor


@shape.register
def _(op: ops.ResizeBilinear, inputs: list[Shape]) -> Shape:
    channels, height, width = inputs[0]
    return (channels, height * op.factor, width * op.factor) if op.factor else (channels, *inputs[1][1:])
