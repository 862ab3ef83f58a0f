"""Networks of one convolution and a function, and a proof that their graphs compute the same."""

import torch
from torch import Tensor, nn

from edgesr.graph.capture import capture, verify


class Calls(nn.Module):
    """A network of one convolution and whatever `function` does with its value."""

    def __init__(self, function, channels: int = 3) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.function = function

    def forward(self, image: Tensor) -> Tensor:
        return self.function(self.conv(image))


def check_same(module: nn.Module, range_: float = 1.0) -> None:
    assert verify(capture(module), module.eval(), range_) <= 1e-5 * range_


def deviation(x: Tensor) -> Tensor:
    """As IMDN's published code writes it."""
    pixels = x.shape[2] * x.shape[3]
    mean = x.sum(3, keepdim=True).sum(2, keepdim=True) / pixels
    return ((x - mean).pow(2).sum(3, keepdim=True).sum(2, keepdim=True) / pixels).pow(0.5)
