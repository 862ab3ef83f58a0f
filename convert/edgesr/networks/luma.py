"""A network for grey pictures, made one for colour: it runs on Y, and the chroma is up-scaled by bicubic.

Published Y-only networks were trained on the luma of ITU-R BT.601 in studio range (16 to 235 of 255, as
MATLAB's rgb2ycbcr makes it). Chroma needs no axes of its own here: RGB without its luma is linear in Cb
and Cr, and so is up-scaling, hence

    RGB' = (Y' - 16) * 255 / 219 + bicubic(RGB - (Y - 16) * 255 / 219)

which is what converting to YCbCr, up-scaling Cb and Cr and converting back gives.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .bicubic import Bicubic

WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255
"""Luma of red, green and blue (BT.601, studio range)."""

BLACK = 16 / 255
"""Luma of black, white = 1."""


class Luma(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale) around a network that maps (N,1,H,W) to (N,1,H*scale,W*scale).

    Args:
        white: value of white at the network's input and output, 1 or 255.
    """

    def __init__(self, network: nn.Module, scale: int, white: float) -> None:
        super().__init__()
        gain = 1 / WEIGHTS.sum()
        grey = gain * np.tile(WEIGHTS, (3, 1))  # RGB -> the grey picture of the same luma, as RGB
        self.luma = _pointwise(WEIGHTS[None], np.array([BLACK * white]))
        self.network = network
        self.rgb = _pointwise(np.full((3, 1), gain), np.full(3, -gain * BLACK * white))
        self.chroma = _pointwise(np.eye(3) - grey, np.zeros(3))
        self.bicubic = Bicubic(3, scale)

    def forward(self, image: Tensor) -> Tensor:
        return self.rgb(self.network(self.luma(image))) + self.bicubic(self.chroma(image))


def _pointwise(matrix: NDArray[np.float64], bias: NDArray[np.float64]) -> nn.Conv2d:
    conv = nn.Conv2d(matrix.shape[1], matrix.shape[0], kernel_size=1)
    conv.weight = nn.Parameter(torch.tensor(matrix, dtype=torch.float32)[..., None, None])
    conv.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float32))
    return conv
