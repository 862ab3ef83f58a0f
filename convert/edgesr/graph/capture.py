"""From the user's `nn.Module` to the graph, through torch.export.

The network is exported at one odd-shaped picture and every ATen op is translated by the one function
registered for it. Sizes are read as roles, not numbers ("as large as that tensor", "twice as large"),
so the graph runs at any size; `verify` proves that at a second one. What cannot be translated is named,
with its module path and source line, before any other work starts.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from ..errors import UserError
from . import ops
from .execute import predict
from .export import Size, export, functional
from .fx_nodes import (
    UnsupportedOp,
    argument,
    check_same_shape,
    integer_factor,
    module_path,
    node_name,
    pair,
    source_line,
)
from .graph import Graph, Node, single_input

EXPORT_SIZE = (104, 72)  # height and width share no small ratio, so equal sizes mean equal roles
PROOF_SIZE = (56, 80)
TOLERANCE = 1e-4  # of the pixel range

aten = torch.ops.aten
Handler = Callable[["_Capture", fx.Node], None]
_HANDLERS: dict[Any, Handler] = {}


def capture(network: nn.Module | ExportedProgram, size: Size | None = None) -> Graph:
    """The float graph of a network that maps (1,3,H,W) to (1,3,H*scale,W*scale).

    Args:
        size: (height, width) of the only pictures that the module takes; None if it takes any.

    Raises:
        UserError: if the network cannot be exported, has an op outside the graph's kinds, or holds
            weights that are not finite.
    """
    program = network if isinstance(network, ExportedProgram) else export(network, size or EXPORT_SIZE)
    return _Capture(functional(program)).graph()


def verify(
    graph: Graph, module: nn.Module, pixel_range: float, seed: int = 0, size: Size | None = None
) -> float:
    """Largest difference between graph and module on a random picture of another size.

    Args:
        size: (height, width) of the only pictures that the module takes; None if it takes any.

    Raises:
        UserError: if it exceeds 1e-4 of the pixel range (a network whose structure depends on the size).
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = size or PROOF_SIZE
    picture = torch.rand(1, 3, height, width, generator=generator) * pixel_range
    try:
        with torch.inference_mode():
            expected = module(picture)
    except Exception as raised:  # the user's code can raise anything
        raise UserError(
            f"the network does not run on a {width}x{height} picture ({' '.join(str(raised).split())}): "
            "it must take pictures of every size."
        ) from raised
    got = predict(graph, picture)
    error = float((got - expected).abs().max()) if got.shape == expected.shape else float("inf")
    if not error <= TOLERANCE * pixel_range:
        raise UserError(
            f"the captured graph differs from the network by {error:.3g} at {width}x{height} "
            "pixels: forward() must do the same for every picture size."
        )
    return error


def _handles(*targets: Any) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(targets, handler))
        return handler

    return register


class _Capture:
    """State of one translation: graph nodes so far, and what each fx node stands for."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self.nodes: list[Node] = []
        self.names: dict[fx.Node, str] = {}  # fx node -> graph node
        self.constants: dict[fx.Node, np.ndarray] = {}  # fx node -> weight or buffer
        self.sizes: dict[tuple[int, int], str] = {}  # spatial size -> first graph node that has it
        self.taken: dict[str, int] = {}

    def graph(self) -> Graph:
        problems: list[str] = []
        output = ""
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "output":
                output = self._output(node)
            elif node.op == "call_function":
                handler = _HANDLERS.get(node.target, _unsupported)
                try:
                    handler(self, node)
                except UnsupportedOp as error:
                    line = f" ({where})" if (where := source_line(node)) else ""
                    problems.append(f"{module_path(node) or 'the network'}: {error}{line}")
                    self.names[node] = self.nodes[0].name  # a stand-in, to find the other problems too
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise UserError(f"{problems[0]} is not supported{more}. `edgesr models` lists the supported ops.")
        return Graph(tuple(self.nodes), output).pruned()

    def _placeholder(self, node: fx.Node) -> None:
        signature = self.program.graph_signature
        target = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}.get(node.name)
        if target is not None:
            stored = self.program.state_dict.get(target, self.program.constants.get(target))
            self._constant(node, stored, target)
        elif node.name in signature.inputs_to_lifted_tensor_constants:
            name = signature.inputs_to_lifted_tensor_constants[node.name]
            self._constant(node, self.program.constants[name], name)
        elif self.nodes:
            raise UserError("the network takes more than one input; edgesr converts networks of one picture.")
        else:
            shape = tuple(node.meta["val"].shape)
            if len(shape) != 4 or shape[:2] != (1, 3):
                raise UserError(
                    f"the network takes {shape}; edgesr converts networks of (1, 3, H, W) pictures."
                )
            self.nodes.append(single_input())
            self.taken["image"] = 1
            self._bind(node, "image")

    def _constant(self, node: fx.Node, value: Any, name: str) -> None:
        if not isinstance(value, Tensor):
            return
        array = value.detach().to(torch.float32).numpy()
        if not np.isfinite(array).all():
            raise UserError(f"{name} holds NaN or infinite values: the checkpoint is damaged.")
        self.constants[node] = array

    def _output(self, node: fx.Node) -> str:
        results = node.args[0]
        first = results[0] if isinstance(results, tuple | list) else results
        if (isinstance(results, tuple | list) and len(results) != 1) or not isinstance(first, fx.Node):
            raise UserError("the network must return one picture; this one returns something else.")
        return self.value(first)

    def value(self, argument: Any) -> str:
        """Name of the graph node that an fx argument stands for."""
        if isinstance(argument, fx.Node) and argument in self.names:
            return self.names[argument]
        raise UnsupportedOp("an op on something that is not computed from the picture")

    def constant(self, argument: Any) -> np.ndarray | None:
        """A parameter or buffer, or a number as an array; None if it is computed from the picture."""
        if isinstance(argument, int | float):
            return np.float32(argument).reshape(1)
        return self.constants.get(argument)

    def emit(self, node: fx.Node, op: ops.Op, *inputs: str) -> None:
        """Adds a graph node for an fx node."""
        base = node_name(node)
        count = self.taken[base] = self.taken.get(base, 0) + 1
        name = base if count == 1 else f"{base}#{count}"
        self.nodes.append(Node(name, op, inputs, source_line(node)))
        self._bind(node, name)

    def _bind(self, node: fx.Node, name: str) -> None:
        self.names[node] = name
        value = node.meta["val"]  # a batch norm yields its output and two unused statistics
        shape = (value[0] if isinstance(value, tuple | list) else value).shape
        self.sizes.setdefault(tuple(shape[2:]), name)

    def channels(self, node: Any) -> int:
        return int(node.meta["val"].shape[1])

    def affine(self, node: fx.Node, source: Any, scale: Any, shift: Any) -> None:
        """x * scale + shift per channel, as a depthwise 1x1 convolution that rewrites fold away."""
        channels = self.channels(source)
        weight, bias = (_per_channel(v, channels) for v in (scale, shift))
        op = ops.Conv2d(weight.reshape(channels, 1, 1, 1), bias, groups=channels)
        self.emit(node, op, self.value(source))


def _unsupported(_: _Capture, node: fx.Node) -> None:
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    raise UnsupportedOp(f"the op {name}")


def _per_channel(value: Any, channels: int) -> np.ndarray:
    array = np.asarray(value, np.float32)
    if array.size not in (1, channels) or array.size != max(array.shape, default=1):
        raise UnsupportedOp(f"arithmetic with a constant of shape {tuple(array.shape)}")
    return np.array(np.broadcast_to(array.reshape(-1), (channels,)))


# --- layers ------------------------------------------------------------------------------------------


@_handles(aten.conv2d.default, aten.conv2d.padding)
def _conv(c: _Capture, node: fx.Node) -> None:
    weight = c.constant(node.args[1])
    bias_argument = argument(node, 2, "bias", None)
    bias = None if bias_argument is None else c.constant(bias_argument)
    if weight is None or (bias_argument is not None and bias is None):
        raise UnsupportedOp("a convolution with computed weights")
    dilation = pair(argument(node, 5, "dilation", 1))
    padding = argument(node, 4, "padding", 0)
    op = ops.Conv2d(
        weight,
        bias if bias is not None else np.zeros(weight.shape[0], np.float32),
        pair(argument(node, 3, "stride", 1)),
        _conv_padding(padding, weight.shape[2:], dilation),
        dilation,
        int(argument(node, 6, "groups", 1)),
    )
    c.emit(node, op, c.value(node.args[0]))


def _conv_padding(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> ops.Padding:
    if padding == "same":
        (high, wide) = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        return ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    if padding == "valid":
        return ops.Padding()
    vertical, horizontal = pair(padding)
    return ops.Padding(vertical, vertical, horizontal, horizontal)


@_handles(aten._native_batch_norm_legit_no_training.default)
def _batch_norm(c: _Capture, node: fx.Node) -> None:
    gamma, beta, mean, variance = (c.constant(a) if a is not None else None for a in node.args[1:5])
    if mean is None or variance is None:
        raise UnsupportedOp("a batch norm without running statistics")
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + float(node.args[6]))  # type: ignore[arg-type]
    c.affine(node, node.args[0], scale, (0.0 if beta is None else beta) - mean * scale)


@_handles(aten.prelu.default)
def _prelu(c: _Capture, node: fx.Node) -> None:
    slope = c.constant(node.args[1])
    if slope is None:
        raise UnsupportedOp("a PReLU with computed slopes")
    c.emit(node, ops.PRelu(_per_channel(slope, c.channels(node.args[0]))), c.value(node.args[0]))


@_handles(aten.leaky_relu.default)
def _leaky_relu(c: _Capture, node: fx.Node) -> None:
    slope = float(argument(node, 1, "negative_slope", 0.01))
    c.emit(node, ops.LeakyRelu(slope) if slope else ops.Relu(), c.value(node.args[0]))


_ACTIVATIONS: dict[Any, ops.Op] = {
    aten.relu.default: ops.Relu(),
    aten.relu6.default: ops.Clamp(0.0, 6.0),
    aten.sigmoid.default: ops.Sigmoid(),
}


@_handles(*_ACTIVATIONS)
def _activation(c: _Capture, node: fx.Node) -> None:
    c.emit(node, _ACTIVATIONS[node.target], c.value(node.args[0]))


@_handles(aten.clamp.default, aten.hardtanh.default, aten.clamp_min.default, aten.clamp_max.default)
def _clamp(c: _Capture, node: fx.Node) -> None:
    names = ("min_val", "max_val") if node.target is aten.hardtanh.default else ("min", "max")
    default = (-1.0, 1.0) if node.target is aten.hardtanh.default else (None, None)
    if node.target is aten.clamp_max.default:
        low, high = None, node.args[1]
    else:
        low, high = (argument(node, i + 1, names[i], default[i]) for i in range(2))
    bounds = (-np.inf if low is None else float(low), np.inf if high is None else float(high))  # type: ignore[arg-type]
    c.emit(node, ops.Relu() if bounds == (0, np.inf) else ops.Clamp(*bounds), c.value(node.args[0]))


@_handles(aten.max_pool2d.default)
def _max_pool(c: _Capture, node: fx.Node) -> None:
    kernel = pair(node.args[1])
    padding, dilation = pair(argument(node, 3, "padding", 0)), pair(argument(node, 4, "dilation", 1))
    if padding != (0, 0) or dilation != (1, 1) or argument(node, 5, "ceil_mode", False):
        raise UnsupportedOp("a max pool with padding, dilation or ceil mode")
    stride = pair(argument(node, 2, "stride", None) or kernel)
    c.emit(node, ops.MaxPool(kernel, stride), c.value(node.args[0]))


@_handles(aten.pixel_shuffle.default)
def _pixel_shuffle(c: _Capture, node: fx.Node) -> None:
    c.emit(node, ops.PixelShuffle(int(node.args[1])), c.value(node.args[0]))  # type: ignore[arg-type]


@_handles(aten.upsample_nearest2d.vec)
def _nearest(c: _Capture, node: fx.Node) -> None:
    c.emit(node, ops.ResizeNearest(integer_factor(node, node.args[0])), c.value(node.args[0]))


@_handles(aten.upsample_bilinear2d.vec)
def _bilinear(c: _Capture, node: fx.Node) -> None:
    if argument(node, 2, "align_corners", False):
        raise UnsupportedOp("bilinear resizing with align_corners=True")
    like = c.sizes.get(tuple(node.meta["val"].shape[2:]))
    if like is not None:
        c.emit(node, ops.ResizeBilinear(), c.value(node.args[0]), like)
    else:
        c.emit(node, ops.ResizeBilinear(integer_factor(node, node.args[0])), c.value(node.args[0]))


# --- arithmetic --------------------------------------------------------------------------------------


@_handles(aten.add.Tensor, aten.sub.Tensor, aten.rsub.Scalar)
def _add_or_sub(c: _Capture, node: fx.Node) -> None:
    first, second = node.args[:2]
    if argument(node, 2, "alpha", 1) != 1:
        raise UnsupportedOp("an addition with alpha")
    if node.target is aten.rsub.Scalar:
        first, second = second, first
    negative = node.target is not aten.add.Tensor
    a, b = c.constant(first), c.constant(second)
    if b is not None:
        c.affine(node, first, 1.0, -b if negative else b)
    elif a is not None:
        c.affine(node, second, -1.0 if negative else 1.0, a)
    else:
        check_same_shape(first, second)
        c.emit(node, ops.Sub() if negative else ops.Add(), c.value(first), c.value(second))


@_handles(aten.mul.Tensor, aten.div.Tensor)
def _mul_or_div(c: _Capture, node: fx.Node) -> None:
    first, second = node.args[:2]
    a, b = c.constant(first), c.constant(second)
    if node.target is aten.div.Tensor and b is None:
        raise UnsupportedOp("a division by something computed")
    if b is not None:
        c.affine(node, first, 1.0 / b if node.target is aten.div.Tensor else b, 0.0)
    elif a is not None:
        c.affine(node, second, a, 0.0)
    else:
        check_same_shape(first, second)
        c.emit(node, ops.Mul(), c.value(first), c.value(second))


@_handles(aten.neg.default)
def _neg(c: _Capture, node: fx.Node) -> None:
    c.affine(node, node.args[0], -1.0, 0.0)


@_handles(aten.cat.default)
def _cat(c: _Capture, node: fx.Node) -> None:
    if argument(node, 1, "dim", 0) not in (1, -3):
        raise UnsupportedOp("a concatenation along another axis than the channels")
    c.emit(node, ops.Concat(), *(c.value(item) for item in node.args[0]))  # type: ignore[union-attr]


# --- ops that change nothing -------------------------------------------------------------------------


@_handles(
    aten.clone.default, aten.alias.default, aten.detach.default, aten.contiguous.default,
    aten.dropout.default, aten._to_copy.default, aten.to.dtype, aten.lift_fresh_copy.default,
)  # fmt: skip
def _alias(c: _Capture, node: fx.Node) -> None:
    constant = c.constant(node.args[0])
    if constant is not None:
        c.constants[node] = constant
    else:
        c.names[node] = c.value(node.args[0])


@_handles(operator.getitem)
def _getitem(c: _Capture, node: fx.Node) -> None:
    source, index = node.args
    if getattr(source, "target", None) is aten._native_batch_norm_legit_no_training.default and index == 0:
        c.names[node] = c.value(source)
    else:
        _unsupported(c, node)
