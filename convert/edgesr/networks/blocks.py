"""Parts that several published networks share: size-keeping convolutions, attention, and one whole frame."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.05
"""Negative slope of every leaky ReLU in IDN, IMDN, RFDN and RLFN."""


def same_conv(inputs: int, outputs: int, kernel: int = 3, groups: int = 1, bias: bool = True) -> nn.Conv2d:
    """A convolution of odd kernel size, zero-padded so that height and width stay."""
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=bias)


def shuffle_upsampler(width: int, scale: int, channels: int = 3) -> nn.Sequential:
    """3x3 convolution and pixel shuffle: (N,width,H,W) -> (N,channels,H*scale,W*scale)."""
    return nn.Sequential(same_conv(width, channels * scale**2), nn.PixelShuffle(scale))


class ESA(nn.Module):
    """Enhanced spatial attention (RFANet, CVPR 2020; this short form: RLFN, CVPR workshops 2022).

    A few channels are looked at over a wide field (stride, pooling) and resized back; the result,
    squashed to 0..1, scales the input. Pictures must be at least 15 pixels high and wide.
    """

    def __init__(self, width: int, reduced: int) -> None:
        super().__init__()
        self.conv1 = same_conv(width, reduced, kernel=1)
        self.conv_f = same_conv(reduced, reduced, kernel=1)
        self.conv2 = nn.Conv2d(reduced, reduced, 3, stride=2)
        self.conv3 = same_conv(reduced, reduced)
        self.conv4 = same_conv(reduced, width, kernel=1)

    def refine(self, pooled: Tensor) -> Tensor:
        """The convolutions at the coarsest size."""
        return self.conv3(pooled)

    def forward(self, features: Tensor) -> Tensor:
        reduced = self.conv1(features)
        pooled = functional.max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)
        wide = functional.interpolate(
            self.refine(pooled), size=features.shape[-2:], mode="bilinear", align_corners=False
        )
        return features * torch.sigmoid(self.conv4(wide + self.conv_f(reduced)))


class DeepESA(ESA):
    """ESA with three convolutions at the coarsest size, as RFDN has it."""

    def __init__(self, width: int, reduced: int) -> None:
        super().__init__(width, reduced)
        self.conv_max = same_conv(reduced, reduced)
        self.conv3_ = same_conv(reduced, reduced)

    def refine(self, pooled: Tensor) -> Tensor:
        features = torch.relu(self.conv_max(pooled))
        return self.conv3_(torch.relu(self.conv3(features)))


class FusedChain(nn.Module):
    """The frame of IMDN and RFDN: (N,3,H,W) -> (N,3,H*scale,W*scale).

    Blocks in a row, the outputs of all of them fused, and what went into the first added. The blocks
    are named `prefix`1, `prefix`2, ... as in the published checkpoints.
    """

    def __init__(
        self, scale: int, width: int, blocks: int, prefix: str, block: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.names = tuple(f"{prefix}{index}" for index in range(1, blocks + 1))
        self.fea_conv = same_conv(3, width)
        for name in self.names:
            self.add_module(name, block())
        self.c = nn.Sequential(same_conv(width * blocks, width, kernel=1), nn.LeakyReLU(LEAK))
        self.LR_conv = same_conv(width, width)
        self.upsampler = shuffle_upsampler(width, scale)

    def forward(self, image: Tensor) -> Tensor:
        shallow = features = self.fea_conv(image)
        outputs = []
        for name in self.names:
            features = getattr(self, name)(features)
            outputs.append(features)
        fused = self.c(torch.cat(outputs, dim=1))
        return self.upsampler(self.LR_conv(fused) + shallow)
