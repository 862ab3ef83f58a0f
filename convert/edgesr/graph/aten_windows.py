"""Translations of ATen ops on windows of a picture, and of resizing: pooling, padding, interpolation."""

from typing import Any

import numpy as np
import torch
from torch import fx
from torch.nn import functional

from . import ops
from .aten_reductions import emit_mean
from .fx_nodes import UnsupportedOp, argument, integer_factor, node_name, pair
from .translation import Handlers, Translation, registrar

aten = torch.ops.aten
WINDOWS: Handlers = {}
handles = registrar(WINDOWS)


FEW = 4
"""Channels up to which an ordinary convolution, which a pixel shuffle can reorder, is better than groups."""


@handles(aten.max_pool2d.default)
def _max_pool(c: Translation, node: fx.Node) -> None:
    kernel = pair(node.args[1])
    padding, dilation = pair(argument(node, 3, "padding", 0)), pair(argument(node, 4, "dilation", 1))
    if dilation != (1, 1) or argument(node, 5, "ceil_mode", False):
        raise UnsupportedOp("a max pool with dilation or ceil mode")
    source = c.value(node.args[0])
    if padding != (0, 0):
        if not _is_never_negative(c.made(source).op):
            raise UnsupportedOp("a max pool with padding, unless right after a ReLU or sigmoid,")
        edges = ops.Padding(padding[0], padding[0], padding[1], padding[1])
        source = c.make(node, ops.Pad(edges), source, name=f"{node_name(node)}.pad")
    stride = pair(argument(node, 2, "stride", None) or kernel)
    c.emit(node, ops.MaxPool(kernel, stride), source)


def _is_never_negative(op: ops.Op) -> bool:
    return isinstance(op, ops.Relu | ops.Sigmoid) or (isinstance(op, ops.Clamp) and op.low >= 0)


@handles(aten.avg_pool2d.default)
def _avg_pool(c: Translation, node: fx.Node) -> None:
    kernel, padding = pair(node.args[1]), pair(argument(node, 3, "padding", 0))
    stride = pair(argument(node, 2, "stride", None) or kernel)
    if argument(node, 4, "ceil_mode", False) or argument(node, 6, "divisor_override", None) is not None:
        raise UnsupportedOp("an average pool with ceil mode or a divisor of its own")
    if padding != (0, 0) and not argument(node, 5, "count_include_pad", True):
        raise UnsupportedOp("an average pool that does not count its padding")
    source: Any = node.args[0]
    if kernel == c.shapes[c.value(source)][1:] and padding == (0, 0):
        emit_mean(c, node, source)
    else:
        _emit_average(
            c, node, source, kernel, stride, ops.Padding(padding[0], padding[0], padding[1], padding[1])
        )


def _emit_average(
    c: Translation, node: fx.Node, source: Any, kernel: tuple[int, int], stride: tuple[int, int],
    padding: ops.Padding,
) -> None:  # fmt: skip
    name = c.value(source)
    channels = c.shapes[name][0]
    weight = np.full((channels, 1, *kernel), 1 / (kernel[0] * kernel[1]), np.float32)
    zeros = np.zeros(channels, np.float32)
    c.emit(node, ops.Conv2d(weight, zeros, stride, padding, groups=channels), name)


@handles(aten.adaptive_avg_pool2d.default)
def _adaptive_average(c: Translation, node: fx.Node) -> None:
    source: Any = node.args[0]
    if list(node.args[1]) == [1, 1]:  # type: ignore[arg-type]
        emit_mean(c, node, source)
    else:
        kernel = _windows(c, node, c.value(source))
        _emit_average(c, node, source, kernel, kernel, ops.NO_PADDING)


@handles(aten.adaptive_max_pool2d.default)
def _adaptive_maximum(c: Translation, node: fx.Node) -> None:
    source = c.value(node.args[0])
    kernel = _windows(c, node, source)
    c.emit(node, ops.MaxPool(kernel, kernel), source)


def _windows(c: Translation, node: fx.Node, source: str) -> tuple[int, int]:
    """The windows of an adaptive pooling, where they are equal and do not overlap."""
    sides = c.shapes[source][1:]
    wanted: Any = node.args[1]
    if tuple(wanted) == (1, 1):
        raise UnsupportedOp("a maximum over the whole picture")
    if any(side % parts for side, parts in zip(sides, wanted, strict=True)):
        raise UnsupportedOp("an adaptive pooling into windows of unequal sizes")
    return sides[0] // wanted[0], sides[1] // wanted[1]


@handles(aten.constant_pad_nd.default)
def _pad(c: Translation, node: fx.Node) -> None:
    left, right, top, bottom, *others = [*node.args[1], 0, 0][:6]  # type: ignore[misc]
    value = float(argument(node, 2, "value", 0.0))
    if any(others) or min(left, right, top, bottom) < 0 or not np.isfinite(value):
        raise UnsupportedOp("padding of other axes than height and width, by less than 0, or with infinity")
    pad = ops.Pad(ops.Padding(top, bottom, left, right))
    if value == 0:
        c.emit(node, pad, c.value(node.args[0]))
        return
    name = _shifted(c, node, c.value(node.args[0]), -value)
    c.bind(node, _shifted(c, node, c.make(node, pad, name), value))


def _shifted(c: Translation, node: fx.Node, source: str, value: float) -> str:
    channels = c.shapes[source][0]
    ones, shifts = np.ones((channels, 1, 1, 1), np.float32), np.full(channels, value, np.float32)
    return c.make(node, ops.Conv2d(ones, shifts, groups=channels), source)


@handles(aten.upsample_nearest2d.vec, aten._upsample_nearest_exact2d.vec)
def _nearest(c: Translation, node: fx.Node) -> None:
    factor, source = integer_factor(node, node.args[0]), c.value(node.args[0])
    c.bind(node, source if factor == 1 else c.make(node, ops.ResizeNearest(factor), source))


@handles(aten.upsample_bilinear2d.vec)
def _bilinear(c: Translation, node: fx.Node) -> None:
    if argument(node, 2, "align_corners", False):
        raise UnsupportedOp("bilinear resizing with align_corners=True")
    source = c.value(node.args[0])
    size = tuple(node.meta["val"].shape[2:])
    if size == c.shapes[source][1:]:
        c.bind(node, source)
    elif size in c.sizes:
        c.emit(node, ops.ResizeBilinear(), source, c.sizes[size])
    else:
        c.emit(node, ops.ResizeBilinear(integer_factor(node, node.args[0])), source)


@handles(aten.upsample_bicubic2d.vec)
def _bicubic(c: Translation, node: fx.Node) -> None:
    """Nearest neighbours, and what each pixel takes of the differences between them.

    Zeros around differences are what edge pixels repeated outwards are around the picture.
    """
    if argument(node, 2, "align_corners", False):
        raise UnsupportedOp("bicubic resizing with align_corners=True")
    factor, source = integer_factor(node, node.args[0]), c.value(node.args[0])
    if factor == 1:
        c.bind(node, source)
        return
    step, taps = np.array([-1.0, 1.0]), difference_taps(factor)
    across = np.broadcast_to(taps[None, :, None, :], (factor, factor, 1, 4))
    terms = (
        (step[None, :], across),
        (step[:, None], across.transpose(1, 0, 3, 2)),
        (np.outer(step, step), np.einsum("iv,jh->ijvh", taps, taps)),
    )
    first, *others = (_difference_term(c, node, source, *term) for term in terms)
    for other in others:
        first = c.make(node, ops.Add(), first, other)
    detail = c.make(node, ops.PixelShuffle(factor), first)
    c.emit(node, ops.Add(), detail, c.make(node, ops.ResizeNearest(factor), source))


def _difference_term(c: Translation, node: fx.Node, source: str, step: np.ndarray, taps: np.ndarray) -> str:
    """One pixel smaller by the difference, and as much larger again by the padding."""
    channels = c.shapes[source][0]
    high, wide = (2 if size > 1 else 0 for size in step.shape)
    name = c.make(node, _each_channel(step[None], channels), source)
    kernels = taps.reshape(-1, *taps.shape[2:])
    return c.make(node, _each_channel(kernels, channels, ops.Padding(high, high, wide, wide)), name)


def _each_channel(kernels: np.ndarray, channels: int, padding: ops.Padding = ops.NO_PADDING) -> ops.Conv2d:
    """The same kernels, (n, height, width), for every channel."""
    count, shape = len(kernels), kernels.shape[1:]
    zeros = np.zeros(channels * count, np.float32)
    if channels > FEW:
        weight = np.tile(kernels[:, None], (channels, 1, 1, 1))
        return ops.Conv2d(weight.astype(np.float32), zeros, padding=padding, groups=channels)
    weight = np.einsum("oc,nhw->onchw", np.eye(channels), kernels).reshape(-1, channels, *shape)
    return ops.Conv2d(weight.astype(np.float32), zeros, padding=padding)


def difference_taps(factor: int) -> np.ndarray:
    """(factor, 4): what each phase of PyTorch's bicubic interpolation takes of differences around a pixel.

    They are at -2, -1, 0 and 1 (m is pixel m+1 minus pixel m). A picture of one step, 1 high, has one
    difference: what it adds to the nearest neighbour of a pixel is that difference's weight.
    """
    side, centre = 9, 4
    steps = (torch.arange(side) > centre + torch.arange(-2, 2)[:, None]).double()
    rows = steps.view(4, 1, 1, side).expand(-1, -1, side, -1)
    enlarged = functional.interpolate(rows, scale_factor=factor, mode="bicubic")[:, 0, centre * factor]
    around = slice(centre * factor, (centre + 1) * factor)
    taps: np.ndarray = (enlarged[:, around] - steps[:, centre, None]).T.numpy()
    return taps


@handles(aten.pixel_shuffle.default)
def _pixel_shuffle(c: Translation, node: fx.Node) -> None:
    factor, source = int(node.args[1]), c.value(node.args[0])  # type: ignore[arg-type]
    c.bind(node, source if factor == 1 else c.make(node, ops.PixelShuffle(factor), source))
