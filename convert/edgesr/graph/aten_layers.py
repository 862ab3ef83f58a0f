"""Translations of ATen layers: convolutions, norms, activations."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx

from . import ops
from .fx_nodes import UnsupportedOp, argument, node_name, pair
from .translation import Handlers, Translation, registrar

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
    if pair(argument(node, 7, "dilation", 1)) != (1, 1):
        raise UnsupportedOp("a transposed convolution with dilation")
    source = c.value(node.args[0])
    more = _blocks_more(c.shapes[source][1:], tuple(node.meta["val"].shape[2:]), factor[0])
    groups = int(argument(node, 6, "groups", 1))
    parts = [subpixel_kernel(part, factor[0], padding[0]) for part in np.split(weight, groups)]
    kernel, edges = np.concatenate([part for part, _ in parts]), parts[0][1]
    edges = replace(edges, bottom=edges.bottom + more, right=edges.right + more)
    if min(edges.bottom, edges.right) < 0:
        raise UnsupportedOp("a transposed convolution that drops its last pixels")
    zeros = np.zeros(groups * weight.shape[1], np.float32)
    shifts = np.repeat(zeros if bias is None else bias, factor[0] ** 2)
    name = c.make(node, ops.Conv2d(kernel, shifts, padding=edges, groups=groups), source)
    if factor[0] > 1:
        label = f"{node_name(node)}.pixel_shuffle"
        name = c.make(node, ops.PixelShuffle(factor[0]), name, name=label)
    c.bind(node, name)


def _blocks_more(small: tuple[int, ...], large: tuple[int, ...], factor: int) -> int:
    """By how many blocks of factor x factor pixels the result exceeds its source's size times the factor."""
    more = [after - factor * before for before, after in zip(small, large, strict=True)]
    if more[0] != more[1] or more[0] % factor:
        raise UnsupportedOp("a transposed convolution whose result is not a multiple of its stride")
    return more[0] // factor


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
    shift = (0.0 if beta is None else beta) - mean * scale
    c.affine(node, node.args[0], scale[:, None, None], shift[:, None, None])


@handles(aten.prelu.default)
def _prelu(c: Translation, node: fx.Node) -> None:
    slope = c.constant(node.args[1])
    if slope is None:
        raise UnsupportedOp("a PReLU with computed slopes")
    if slope.size == 1:
        c.each(node, _leaky(float(slope.item())), node.args[0])
    else:
        c.emit(node, ops.PRelu(np.ascontiguousarray(slope.reshape(-1))), c.value(node.args[0]))


@handles(aten.leaky_relu.default)
def _leaky_relu(c: Translation, node: fx.Node) -> None:
    c.each(node, _leaky(float(argument(node, 1, "negative_slope", 0.01))), node.args[0])


@handles(aten.rrelu.default)
def _random_leaky_relu(c: Translation, node: fx.Node) -> None:
    """In evaluation its slope is the middle of its range."""
    low, high = float(argument(node, 1, "lower", 1 / 8)), float(argument(node, 2, "upper", 1 / 3))
    c.each(node, _leaky((low + high) / 2), node.args[0])


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
    c.each(node, _ACTIVATIONS[node.target], node.args[0])


@handles(aten.clamp.default, aten.hardtanh.default, aten.clamp_min.default, aten.clamp_max.default)
def _clamp(c: Translation, node: fx.Node) -> None:
    names = ("min_val", "max_val") if node.target is aten.hardtanh.default else ("min", "max")
    default = (-1.0, 1.0) if node.target is aten.hardtanh.default else (None, None)
    if node.target is aten.clamp_max.default:
        low, high = None, node.args[1]
    else:
        low, high = (argument(node, i + 1, names[i], default[i]) for i in range(2))
    bounds = (-np.inf if low is None else float(low), np.inf if high is None else float(high))  # type: ignore[arg-type]
    c.each(node, ops.Relu() if bounds == (0, np.inf) else ops.Clamp(*bounds), node.args[0])
