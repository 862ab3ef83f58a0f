"""Translations of ATen layers: convolutions, norms, activations, pooling, resizing."""

from typing import Any

import numpy as np
import torch
from torch import fx

from . import ops
from .fx_nodes import UnsupportedOp, argument, integer_factor, node_name, pair
from .translation import Handlers, Translation, per_channel, registrar

aten = torch.ops.aten
LAYERS: Handlers = {}
handles = registrar(LAYERS)


@handles(aten.conv2d.default, aten.conv2d.padding)
def _conv(c: Translation, node: fx.Node) -> None:
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


@handles(aten.conv_transpose2d.input)
def _transposed_conv(c: Translation, node: fx.Node) -> None:
    """Each of the s*s phases of the larger picture is a convolution of the smaller one."""
    weight = c.constant(node.args[1])
    bias_argument = argument(node, 2, "bias", None)
    bias = None if bias_argument is None else c.constant(bias_argument)
    if weight is None or (bias_argument is not None and bias is None):
        raise UnsupportedOp("a convolution with computed weights")
    factor, padding = pair(argument(node, 3, "stride", 1)), pair(argument(node, 4, "padding", 0))
    if factor[0] != factor[1] or padding[0] != padding[1] or weight.shape[2] != weight.shape[3]:
        raise UnsupportedOp("a transposed convolution that is not the same in both directions")
    if argument(node, 6, "groups", 1) != 1 or pair(argument(node, 7, "dilation", 1)) != (1, 1):
        raise UnsupportedOp("a transposed convolution with groups or dilation")
    sides = [tuple(n.meta["val"].shape[2:]) for n in (node.args[0], node)]  # type: ignore[union-attr]
    if sides[1] != tuple(factor[0] * side for side in sides[0]):
        raise UnsupportedOp("a transposed convolution whose result is not its stride times as large")
    kernel, edges = subpixel_kernel(weight, factor[0], padding[0])
    shifts = np.repeat(np.zeros(weight.shape[1], np.float32) if bias is None else bias, factor[0] ** 2)
    c.emit(node, ops.Conv2d(kernel, shifts, padding=edges), c.value(node.args[0]))
    if factor[0] > 1:
        name = f"{node_name(node)}.pixel_shuffle"
        c.emit(node, ops.PixelShuffle(factor[0]), c.value(node), name=name)


def subpixel_kernel(weight: np.ndarray, factor: int, padding: int) -> tuple[np.ndarray, ops.Padding]:
    """Weights and padding of the convolution that, pixel-shuffled, equals a transposed one.

    Args:
        weight: of the transposed convolution, (in, out, k, k).

    Row factor * j + phase of the result reads row j + d of the input with kernel row
    phase + padding - factor * d, wherever that lies within the kernel.
    """
    inputs, outputs, size, _ = weight.shape
    first, last = -((size - 1 - padding) // factor), (factor - 1 + padding) // factor
    phase, step = np.ogrid[:factor, first : last + 1]
    rows = phase + padding - factor * step
    inside = (rows >= 0) & (rows < size)
    rows = rows.clip(0, size - 1)  # (phase, d)
    taps = weight[:, :, rows[:, :, None, None], rows] * (inside[:, :, None, None] & inside)
    kernel = taps.transpose(1, 2, 4, 0, 3, 5).reshape(outputs * factor**2, inputs, *[last + 1 - first] * 2)
    return np.ascontiguousarray(kernel), ops.Padding(-first, last, -first, last)


def _conv_padding(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> ops.Padding:
    if padding == "same":
        (high, wide) = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        return ops.Padding(high // 2, high - high // 2, wide // 2, wide - wide // 2)
    if padding == "valid":
        return ops.Padding()
    vertical, horizontal = pair(padding)
    return ops.Padding(vertical, vertical, horizontal, horizontal)


@handles(aten._native_batch_norm_legit_no_training.default)
def _batch_norm(c: Translation, node: fx.Node) -> None:
    gamma, beta, mean, variance = (c.constant(a) if a is not None else None for a in node.args[1:5])
    if mean is None or variance is None:
        raise UnsupportedOp("a batch norm without running statistics")
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + float(node.args[6]))  # type: ignore[arg-type]
    c.affine(node, node.args[0], scale, (0.0 if beta is None else beta) - mean * scale)


@handles(aten.prelu.default)
def _prelu(c: Translation, node: fx.Node) -> None:
    slope = c.constant(node.args[1])
    if slope is None:
        raise UnsupportedOp("a PReLU with computed slopes")
    if slope.size == 1:
        c.emit(node, _leaky(float(slope.item())), c.value(node.args[0]))
    else:
        c.emit(node, ops.PRelu(per_channel(slope, c.channels(node.args[0]))), c.value(node.args[0]))


@handles(aten.leaky_relu.default)
def _leaky_relu(c: Translation, node: fx.Node) -> None:
    c.emit(node, _leaky(float(argument(node, 1, "negative_slope", 0.01))), c.value(node.args[0]))


def _leaky(slope: float) -> ops.Op:
    return ops.LeakyRelu(slope) if slope else ops.Relu()


_ACTIVATIONS: dict[Any, ops.Op] = {
    aten.relu.default: ops.Relu(),
    aten.relu6.default: ops.Clamp(0.0, 6.0),
    aten.sigmoid.default: ops.Sigmoid(),
    aten.tanh.default: ops.Tanh(),
}


@handles(*_ACTIVATIONS)
def _activation(c: Translation, node: fx.Node) -> None:
    c.emit(node, _ACTIVATIONS[node.target], c.value(node.args[0]))


@handles(aten.clamp.default, aten.hardtanh.default, aten.clamp_min.default, aten.clamp_max.default)
def _clamp(c: Translation, node: fx.Node) -> None:
    names = ("min_val", "max_val") if node.target is aten.hardtanh.default else ("min", "max")
    default = (-1.0, 1.0) if node.target is aten.hardtanh.default else (None, None)
    if node.target is aten.clamp_max.default:
        low, high = None, node.args[1]
    else:
        low, high = (argument(node, i + 1, names[i], default[i]) for i in range(2))
    bounds = (-np.inf if low is None else float(low), np.inf if high is None else float(high))  # type: ignore[arg-type]
    c.emit(node, ops.Relu() if bounds == (0, np.inf) else ops.Clamp(*bounds), c.value(node.args[0]))


@handles(aten.max_pool2d.default)
def _max_pool(c: Translation, node: fx.Node) -> None:
    kernel = pair(node.args[1])
    padding, dilation = pair(argument(node, 3, "padding", 0)), pair(argument(node, 4, "dilation", 1))
    if padding != (0, 0) or dilation != (1, 1) or argument(node, 5, "ceil_mode", False):
        raise UnsupportedOp("a max pool with padding, dilation or ceil mode")
    stride = pair(argument(node, 2, "stride", None) or kernel)
    c.emit(node, ops.MaxPool(kernel, stride), c.value(node.args[0]))


@handles(aten.pixel_shuffle.default)
def _pixel_shuffle(c: Translation, node: fx.Node) -> None:
    c.emit(node, ops.PixelShuffle(int(node.args[1])), c.value(node.args[0]))  # type: ignore[arg-type]


@handles(aten.upsample_nearest2d.vec)
def _nearest(c: Translation, node: fx.Node) -> None:
    c.emit(node, ops.ResizeNearest(integer_factor(node, node.args[0])), c.value(node.args[0]))


@handles(aten.upsample_bilinear2d.vec)
def _bilinear(c: Translation, node: fx.Node) -> None:
    if argument(node, 2, "align_corners", False):
        raise UnsupportedOp("bilinear resizing with align_corners=True")
    like = c.sizes.get(tuple(node.meta["val"].shape[2:]))
    if like is not None:
        c.emit(node, ops.ResizeBilinear(), c.value(node.args[0]), like)
    else:
        c.emit(node, ops.ResizeBilinear(integer_factor(node, node.args[0])), c.value(node.args[0]))
