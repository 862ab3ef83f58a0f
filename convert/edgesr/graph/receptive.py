"""How far a network looks: which low-resolution pixels an output pixel depends on.

The halo of a tile follows from it. Counted by walking back from one output pixel, exactly, as long as
every op looks at a fixed neighbourhood. Attention has no radius: strided and pooled paths that are resized
back look at places that depend on the picture's size, and means look at the whole of it.
"""

from collections.abc import Callable
from functools import singledispatch

from . import ops
from .graph import Graph, Node
from .shapes import shapes

Span = tuple[int, int]
"""First and last index along one axis."""

LARGEST_SIDE = 512  # no network of interest needs larger pictures than this


class NoRadius(Exception):
    """An op whose neighbourhood is not the same everywhere."""


def receptive_radius(graph: Graph) -> int | None:
    """Pixels beyond its own that a low-resolution pixel's output depends on, in any direction.

    None for networks with a path that is strided or pooled and resized back, or averaged.
    """
    scale = _scale(graph)
    try:
        spans = [
            (phase, _input_span(graph, (phase, phase), axis)) for phase in range(scale) for axis in (0, 1)
        ]
    except NoRadius:
        return None
    return max(max(-low, high) for _, (low, high) in spans)


def smallest_side(graph: Graph) -> int:
    """The side of the smallest square picture on which no tensor of the network is empty.

    Raises:
        ValueError: if there is none up to 512 pixels.
    """
    for side in range(1, LARGEST_SIDE + 1):
        try:
            shapes(graph, side, side)
        except ValueError:
            continue
        return side
    raise ValueError(f"the network has empty tensors even for {LARGEST_SIDE}x{LARGEST_SIDE} pixels")


def _scale(graph: Graph) -> int:
    side = smallest_side(graph)
    return shapes(graph, side, side)[graph.output][1] // side


def _input_span(graph: Graph, wanted: Span, axis: int) -> Span:
    """What the output's span depends on in the picture; both may reach below 0, as if it were endless."""
    needed: dict[str, Span] = {graph.output: wanted}
    for node in reversed(graph.nodes):
        if node.name not in needed or isinstance(node.op, ops.Input):
            continue
        source = reaches(node.op, needed[node.name], axis)
        for name in _values(node):
            low, high = needed.get(name, source)
            needed[name] = (min(low, source[0]), max(high, source[1]))
    return needed[graph.input.name]


def _values(node: Node) -> tuple[str, ...]:
    return node.inputs[:1] if isinstance(node.op, ops.ResizeBilinear) else node.inputs


@singledispatch
def reaches(op: ops.Op, span: Span, axis: int) -> Span:
    """The span of an op's input that the given span of its output needs; elementwise ops: the same."""
    return span


@reaches.register
def _(op: ops.Conv2d, span: Span, axis: int) -> Span:
    if op.stride != (1, 1):
        raise NoRadius
    before = (op.padding.top, op.padding.left)[axis]
    return span[0] - before, span[1] - before + op.dilation[axis] * (op.weight.shape[2 + axis] - 1)


@reaches.register
def _(op: ops.MaxPool, span: Span, axis: int) -> Span:
    if op.stride != (1, 1):
        raise NoRadius
    return span[0], span[1] + op.kernel[axis] - 1


@reaches.register
def _(op: ops.Pad, span: Span, axis: int) -> Span:
    before = (op.padding.top, op.padding.left)[axis]
    return span[0] - before, span[1] - before


@reaches.register(ops.PixelShuffle)
@reaches.register(ops.DepthToSpace)
@reaches.register(ops.ResizeNearest)
def _(op: ops.PixelShuffle | ops.DepthToSpace | ops.ResizeNearest, span: Span, axis: int) -> Span:
    return span[0] // op.factor, span[1] // op.factor


@reaches.register(ops.Mean)
@reaches.register(ops.Std)
def _(op: ops.Mean | ops.Std, span: Span, axis: int) -> Span:
    raise NoRadius


@reaches.register
def _(op: ops.ResizeBilinear, span: Span, axis: int) -> Span:
    if not op.factor:
        raise NoRadius
    # Source coordinate (i + 1/2) / factor - 1/2, in whole numbers of half pixels.
    below: Callable[[int], int] = lambda i: (2 * i + 1 - op.factor) // (2 * op.factor)  # noqa: E731
    return below(span[0]), below(span[1]) + 1
