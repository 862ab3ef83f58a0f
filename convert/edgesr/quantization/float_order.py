"""float32 sums in the runtime's own order, so that mixed programs can be compared too.

XNNPACK starts from the bias and adds one product after the other, each with a fused multiply-add that
rounds once: kernel rows first, then columns, then input channels; in depthwise kernels of up to 25 weights
columns before rows. Any other order differs in the last bits, and one such bit may tip a later rounding to
int8; after a few layers a mixed program and its reference would then have rounding noise of their own. In
this order they are equal bit for bit (checked against LiteRT on x86-64 with FMA; other processors may order
sums otherwise). Means add one pixel after the other and multiply by the inverse of their number.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..graph.execute import tensor
from ..graph.ops import Conv2d, Mean, Op
from .dynamic import dynamic_conv2d
from .typed import DynamicConv2d

DEPTHWISE_TAPS = 25  # of XNNPACK's largest depthwise kernel; others run as grouped convolutions


def fused_conv2d(op: Conv2d, x: Tensor) -> Tensor:
    """The convolution of float32 (N,C,H,W).

    A float64 sum of an exact product and a float32, rounded to float32, is the fused multiply-add but for
    double rounding, which one sum in about 2^29 could show.
    """
    p = op.padding
    x = functional.pad(x, (p.left, p.right, p.top, p.bottom)).double()
    weight = tensor(op.weight).double()
    outputs, per_group, kernel_h, kernel_w = weight.shape
    height = (x.shape[2] - op.dilation[0] * (kernel_h - 1) - 1) // op.stride[0] + 1
    width = (x.shape[3] - op.dilation[1] * (kernel_w - 1) - 1) // op.stride[1] + 1
    first = torch.arange(op.groups).repeat_interleave(outputs // op.groups) * per_group
    total = tensor(op.bias).view(1, -1, 1, 1).repeat(len(x), 1, height, width)
    term = torch.empty_like(total, dtype=torch.float64)
    taps = list(np.ndindex(kernel_h, kernel_w, per_group))
    if per_group == 1 and outputs == op.groups and len(taps) <= DEPTHWISE_TAPS:
        taps.sort(key=lambda tap: tap[1])  # columns first, rows in order within
    for row, column, channel in taps:
        top, left = row * op.dilation[0], column * op.dilation[1]
        window = x[:, :, top : top + (height - 1) * op.stride[0] + 1 : op.stride[0],
                   left : left + (width - 1) * op.stride[1] + 1 : op.stride[1]]  # fmt: skip
        read = window[:, channel : channel + 1] if op.groups == 1 else window[:, first + channel]
        torch.mul(read, weight[:, channel, row, column].view(1, -1, 1, 1), out=term)
        term += total
        total.copy_(term)
    return total.relu_() if op.relu else total


def sequential_mean(op: Mean, x: Tensor) -> Tensor:
    """The mean over height and width of float32 (N,C,H,W)."""
    pixels = x.flatten(2).permute(2, 0, 1).contiguous().numpy()
    total = np.add.accumulate(pixels, axis=0)[-1]  # np.sum may add in pairs
    return tensor(total * (np.float32(1) / np.float32(len(pixels))))[:, :, None, None]


IN_ORDER: dict[type[Op], Callable[[Any, Tensor], Tensor]] = {
    Conv2d: fused_conv2d,
    DynamicConv2d: dynamic_conv2d,
    Mean: sequential_mean,
}
"""Op kind -> its value in that order."""
