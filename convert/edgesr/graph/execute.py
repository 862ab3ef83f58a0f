"""Float execution of a graph in PyTorch: the meaning of each op, one small function per kind.

A `hook` sees, and may replace, the value of each node: calibration observes and rounds through it.
"""

from collections.abc import Callable, Collection, Mapping
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import ops
from .graph import Graph, Node
from .shapes import ANY_SIDE, fits, shapes, side_multiple

Hook = Callable[[Node, Tensor], Tensor]


def run(
    graph: Graph,
    image: Tensor,
    hook: Hook | None = None,
    keep: Collection[str] = (),
    known: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Runs the graph on a batch.

    Args:
        image: float32 (N, C, H, W) in the network's pixel range.
        hook: called with each node and its value; what it returns takes the value's place.
        keep: names of the nodes whose values are returned besides the output's.
        known: values that need not be computed again (for instance of an unchanged prefix).

    Returns:
        Name -> value of the output and of the kept nodes. Other values are freed when last used.
    """
    values: dict[str, Tensor] = {}
    known = known or {}
    wanted = {graph.output, *keep}
    needed = _needed(graph, known, wanted)
    last_use = {name: node.name for node in graph for name in node.inputs if node.name in needed}
    for node in graph:
        if node.name not in needed:
            continue
        if node.name in known:
            value = known[node.name]
        else:
            value = (
                image
                if isinstance(node.op, ops.Input)
                else evaluate(node.op, [values[n] for n in node.inputs])
            )
            value = hook(node, value) if hook else value
        values[node.name] = value
        for name in node.inputs:
            if last_use.get(name) == node.name and name not in wanted:
                values.pop(name, None)
    return {name: values[name] for name in wanted}


def _needed(graph: Graph, known: Mapping[str, Tensor], wanted: Collection[str]) -> set[str]:
    """Nodes that must be visited to compute the wanted ones, stopping at known values."""
    needed = set(wanted)
    for node in reversed(graph.nodes):
        if node.name in needed and node.name not in known:
            needed.update(node.inputs)
    return needed


def predict(graph: Graph, image: Tensor) -> Tensor:
    """The float output for a batch: (N, 3, H*scale, W*scale).

    A picture that a network of strides or space to depth does not take is mirrored to the next size that
    it takes, and the result is cut.
    """
    height, width = image.shape[2:]
    scale = shapes(graph, ANY_SIDE, ANY_SIDE)[graph.output][1] // ANY_SIDE
    multiple = (
        1 if fits(graph, graph.output, scale, height, width) else side_multiple(graph, graph.output, scale)
    )
    with torch.inference_mode():
        if multiple == 1:
            return run(graph, image)[graph.output]
        larger = run(graph, _mirrored(image, multiple))[graph.output]
        return larger[:, :, : height * scale, : width * scale]


def _mirrored(image: Tensor, multiple: int) -> Tensor:
    """Continued to the right and below up to a multiple, edge pixels not repeated."""
    for axis in (2, 3):
        size = image.shape[axis]
        index = torch.arange(-(-size // multiple) * multiple) % max(1, 2 * size - 2)
        image = image.index_select(axis, torch.where(index < size, index, 2 * size - 2 - index))
    return image


@singledispatch
def evaluate(op: ops.Op, inputs: list[Tensor]) -> Tensor:
    """The value of one op. Raises NotImplementedError for a kind that has no function here."""
    raise NotImplementedError(f"no float execution for {op.kind}")


def tensor(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory."""
    return torch.from_numpy(np.ascontiguousarray(array))


@evaluate.register
def _(op: ops.Conv2d, inputs: list[Tensor]) -> Tensor:
    y = conv2d(inputs[0], tensor(op.weight), tensor(op.bias), op)
    return y.relu() if op.relu else y


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, op: ops.Conv2d) -> Tensor:
    """Convolution with an op's geometry and any weights."""
    p = op.padding
    symmetric = p.top == p.bottom and p.left == p.right
    if not symmetric:
        x = functional.pad(x, (p.left, p.right, p.top, p.bottom))
    padding = (p.top, p.left) if symmetric else (0, 0)
    return functional.conv2d(x, weight, bias, op.stride, padding, op.dilation, op.groups)


@evaluate.register
def _(op: ops.Add, inputs: list[Tensor]) -> Tensor:
    y = inputs[0] + inputs[1]
    return y.relu() if op.relu else y


@evaluate.register
def _(op: ops.Sub, inputs: list[Tensor]) -> Tensor:
    return inputs[0] - inputs[1]


@evaluate.register
def _(op: ops.Mul, inputs: list[Tensor]) -> Tensor:
    return inputs[0] * inputs[1]


@evaluate.register
def _(op: ops.Concat, inputs: list[Tensor]) -> Tensor:
    return torch.cat(inputs, dim=1)


@evaluate.register
def _(op: ops.Slice, inputs: list[Tensor]) -> Tensor:
    return inputs[0][:, op.start : op.stop]


@evaluate.register
def _(op: ops.Mean, inputs: list[Tensor]) -> Tensor:
    return inputs[0].mean((2, 3), keepdim=True)


@evaluate.register
def _(op: ops.Std, inputs: list[Tensor]) -> Tensor:
    return inputs[0].std((2, 3), correction=0, keepdim=True)


@evaluate.register
def _(op: ops.SquaredDifference, inputs: list[Tensor]) -> Tensor:
    return (inputs[0] - inputs[1]).square()


@evaluate.register
def _(op: ops.Sqrt, inputs: list[Tensor]) -> Tensor:
    return inputs[0].sqrt()


@evaluate.register
def _(op: ops.Relu, inputs: list[Tensor]) -> Tensor:
    return inputs[0].relu()


@evaluate.register
def _(op: ops.LeakyRelu, inputs: list[Tensor]) -> Tensor:
    return functional.leaky_relu(inputs[0], op.slope)


@evaluate.register
def _(op: ops.PRelu, inputs: list[Tensor]) -> Tensor:
    return functional.prelu(inputs[0], tensor(op.slope))


@evaluate.register
def _(op: ops.Sigmoid, inputs: list[Tensor]) -> Tensor:
    return inputs[0].sigmoid()


@evaluate.register
def _(op: ops.Tanh, inputs: list[Tensor]) -> Tensor:
    return inputs[0].tanh()


@evaluate.register
def _(op: ops.Clamp, inputs: list[Tensor]) -> Tensor:
    return inputs[0].clamp(op.low, op.high)


@evaluate.register
def _(op: ops.MaxPool, inputs: list[Tensor]) -> Tensor:
    return functional.max_pool2d(inputs[0], op.kernel, op.stride)


@evaluate.register
def _(op: ops.PixelShuffle, inputs: list[Tensor]) -> Tensor:
    return functional.pixel_shuffle(inputs[0], op.factor)


@evaluate.register
def _(op: ops.DepthToSpace, inputs: list[Tensor]) -> Tensor:
    n, channels, height, width = inputs[0].shape
    r = op.factor
    blocks = inputs[0].view(n, r, r, channels // r**2, height, width).permute(0, 3, 4, 1, 5, 2)
    return blocks.reshape(n, channels // r**2, height * r, width * r)


@evaluate.register
def _(op: ops.Pad, inputs: list[Tensor]) -> Tensor:
    p = op.padding
    return functional.pad(inputs[0], (p.left, p.right, p.top, p.bottom))


@evaluate.register
def _(op: ops.Repeat, inputs: list[Tensor]) -> Tensor:
    return inputs[0].repeat_interleave(op.times, dim=1)


@evaluate.register
def _(op: ops.ResizeBilinear, inputs: list[Tensor]) -> Tensor:
    height, width = inputs[0].shape[2:]
    size = (height * op.factor, width * op.factor) if op.factor else inputs[1].shape[2:]
    return functional.interpolate(inputs[0], size=size, mode="bilinear", align_corners=False)


@evaluate.register
def _(op: ops.ResizeNearest, inputs: list[Tensor]) -> Tensor:
    return functional.interpolate(inputs[0], scale_factor=op.factor, mode="nearest")
