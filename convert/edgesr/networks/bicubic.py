"""Bicubic up-scaling from plain convolutions, so that it converts and runs like the rest of a network.

A convolution over a zero-padded picture darkens its border. Here zeros pad *differences* of neighbours
instead, which is the same as repeating the edge pixels of the picture:

    bicubic(x) = nearest(x) + h * dx + v * dy + (v outer h) * dxdy

where h and v sum the cubic kernel's taps from the outside in. With a = -0.75 it equals PyTorch's bicubic
interpolation up to rounding, at the border too.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

KEYS = -0.5
"""Second-order accurate cubic convolution (Keys, 1981): that of MATLAB, Pillow and `evaluation.resize`."""

PYTORCH = -0.75
"""The sharper one of `torch.nn.functional.interpolate`."""

REACH = 2
"""Source pixels on either side that a tap can be away."""


def cubic(distance: float, a: float) -> float:
    """Weight of a source pixel at this distance (Keys, 1981)."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def difference_taps(scale: int, a: float) -> NDArray[np.float64]:
    """(scale, 4): what each phase of an output pixel takes of the differences at -2, -1, 0 and 1.

    Difference m is pixel m+1 minus pixel m, pixel 0 being the one below the output pixel.
    """
    taps = np.arange(-REACH, REACH + 1)
    phases = (np.arange(scale) + 0.5) / scale - 0.5
    weights = np.array([[cubic(phase - tap, a) for tap in taps] for phase in phases])
    left = -np.cumsum(weights[:, :REACH], axis=1)
    right = np.cumsum(weights[:, :REACH:-1], axis=1)[:, ::-1]
    return np.concatenate([left, right], axis=1)


class Bicubic(nn.Module):
    """(N,channels,H,W) -> (N,channels,H*scale,W*scale), edge pixels repeated outwards; H and W at least 2.

    Its kernels are no part of the state dict.
    """

    dx: Tensor
    dy: Tensor
    dxdy: Tensor
    across: Tensor
    along: Tensor
    both: Tensor

    def __init__(self, channels: int, scale: int, a: float = KEYS) -> None:
        super().__init__()
        self.scale = scale
        step = np.array([-1.0, 1.0])
        taps = difference_taps(scale, a)
        across = np.broadcast_to(taps[None, :, None, :], (scale, scale, 1, 2 * REACH))
        kernels = {
            "dx": step[None, None, None, :],
            "dy": step[None, None, :, None],
            "dxdy": np.outer(step, step)[None, None],
            "across": across,
            "along": across.transpose(1, 0, 3, 2),
            "both": np.einsum("iv,jh->ijvh", taps, taps),
        }
        for name, kernel in kernels.items():
            self.register_buffer(name, _each_channel(kernel, channels), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        terms = (
            self._term(image, self.dx, self.across),
            self._term(image, self.dy, self.along),
            self._term(image, self.dxdy, self.both),
        )
        detail = functional.pixel_shuffle(terms[0] + terms[1] + terms[2], self.scale)
        return detail + functional.interpolate(image, scale_factor=self.scale, mode="nearest")

    @staticmethod
    def _term(image: Tensor, step: Tensor, taps: Tensor) -> Tensor:
        """One pixel narrower by the difference, and as much wider again by the padding."""
        padding = [REACH if size > 1 else 0 for size in step.shape[2:]]
        return functional.conv2d(functional.conv2d(image, step), taps, padding=padding)


def _each_channel(kernel: NDArray[np.float64], channels: int) -> Tensor:
    """(i, j, height, width), phases first -> weight of a convolution that treats every channel alike.

    On the CPU whatever the default device: a network is built on `meta` before its weights are assigned.
    """
    phases = kernel.reshape(-1, *kernel.shape[2:])
    weight = np.einsum("oc,phw->opchw", np.eye(channels), phases).reshape(-1, channels, *kernel.shape[2:])
    return torch.tensor(weight, dtype=torch.float32, device="cpu")
