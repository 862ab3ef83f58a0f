"""Convolutions whose input grid is found at run time, exactly as XNNPACK computes them.

The input of a picture is rounded to int8 between its own extremes, zero among them; the input of a
pointwise convolution even pixel by pixel. Sums are int32, and one fused multiply-add per value turns them
into float32 (each formula was checked bit by bit against LiteRT). On a CPU this costs about a fifth more
time than static int8, and nothing is ever clipped.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..graph.execute import conv2d, tensor
from ..graph.ops import Conv2d
from .affine import INT8_MAX, INT8_MIN
from .typed import DynamicConv2d, QConv2d


@dataclass(frozen=True)
class DynamicGrid:
    """level = round(value * inverse) + zero_point, one level being worth `scale`; all float32 (N,1,h,w).

    h and w are 1 where a picture has one grid, and the picture's where each pixel has one.
    """

    inverse: Tensor
    scale: Tensor
    zero_point: Tensor

    def levels(self, x: Tensor) -> Tensor:
        """Levels of (N,C,H,W) minus the zero point, as float32."""
        levels = (x * self.inverse).round_().add_(self.zero_point).clamp_(INT8_MIN, INT8_MAX)
        return levels.sub_(self.zero_point)


def is_pointwise(op: Conv2d | DynamicConv2d) -> bool:
    """Whether the kernels treat each pixel as a picture of its own."""
    return op.weight.shape[2:] == (1, 1) and op.stride == (1, 1) and op.groups == 1 and not op.padding


def dynamic_grid(x: Tensor, by_pixel: bool) -> DynamicGrid:
    """The grid of float32 (N,C,H,W) over its extremes, extended to contain zero.

    Not defined, as in the kernels, over values so small (up to 1e-36, but not all 0) that 255 / span
    overflows.
    """
    axes = (1,) if by_pixel else (1, 2, 3)
    low, high = x.amin(axes, keepdim=True).clamp_max(0), x.amax(axes, keepdim=True).clamp_min(0)
    span = high - low
    width = torch.full_like(span, INT8_MAX - INT8_MIN)  # a plain number would be multiplied by 1 / span
    inverse = torch.where(span > 0, width / span, 1.0)
    at_low, at_high = low * inverse, high * inverse
    nearer_low = (at_low + INT8_MIN) + (at_high + INT8_MAX) > 0  # the end whose rounding error is smaller
    zero_point = torch.where(nearer_low, INT8_MIN - at_low, INT8_MAX - at_high)
    return DynamicGrid(inverse, 1 / inverse, zero_point.clamp_(INT8_MIN, INT8_MAX).round_())


def dynamic_conv2d(op: DynamicConv2d, x: Tensor) -> Tensor:
    """The convolution of float32 (N,C,H,W)."""
    grid = dynamic_grid(x, is_pointwise(op))
    sums = exact_sums(op, grid.levels(x)).float() * grid.scale
    scales, bias = (tensor(values).double().view(1, -1, 1, 1) for values in (op.scales, op.bias))
    # A product of two float32 values is exact in float64, so this rounds once, as a fused multiply-add does.
    y = (sums.double() * scales + bias).float()
    return y.relu_() if op.relu else y


def exact_sums(op: QConv2d | DynamicConv2d, centred: Tensor) -> Tensor:
    """Sums of weights and levels minus zero point (float32, within +-255), exact, as float64.

    float32 convolution is exact while no partial sum can reach 2^24.
    """
    largest = np.abs(op.weight.astype(np.int64)).reshape(op.weight.shape[0], -1).sum(axis=1).max() * 255
    dtype = torch.float32 if largest < 2**24 else torch.float64
    geometry = Conv2d(op.weight, op.bias, op.stride, op.padding, op.dilation, op.groups)
    return conv2d(centred.to(dtype), tensor(op.weight).to(dtype), None, geometry).to(torch.float64)
