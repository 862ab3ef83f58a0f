"""IDN: information distillation, in the layout of yjn870's PyTorch code (which CADyQ shares).

The published network runs on Y; the PyTorch checkpoints are for RGB. The up-sampler learns what bicubic
interpolation misses. Weights have the same shapes at every scale: see `Architecture.alike_scales`. White is 1
there; CADyQ's own checkpoints of this layout have 255.
"""

import torch
from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .bicubic import PYTORCH, Bicubic
from .blocks import LEAK, same_conv
from .keys import conv_channels, count_indices

GROUPS = 4
"""Groups of the middle convolution in each half of a block."""


class FeatureBlock(nn.Module):
    """Two convolutions, from picture to features."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.module = nn.Sequential(*_chain(same_conv(channels, width), same_conv(width, width)))

    def forward(self, image: Tensor) -> Tensor:
        return self.module(image)


class DistillationBlock(nn.Module):
    """Sets `step` channels aside half-way, enhances the others, and adds the input and what was kept."""

    def __init__(self, width: int, step: int) -> None:
        super().__init__()
        self.step = step
        self.enhancement_top = nn.Sequential(
            *_chain(
                same_conv(width, width - step),
                same_conv(width - step, width - 2 * step, groups=GROUPS),
                same_conv(width - 2 * step, width),
            )
        )
        self.enhancement_bottom = nn.Sequential(
            *_chain(
                same_conv(width - step, width),
                same_conv(width, width - step, groups=GROUPS),
                same_conv(width - step, width + step),
            )
        )
        self.compression = same_conv(width + step, width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        enhanced = self.enhancement_top(features)
        passed, kept = enhanced[:, : -self.step], enhanced[:, -self.step :]
        return self.compression(self.enhancement_bottom(passed) + torch.cat([features, kept], dim=1))


class IDN(nn.Module):
    """(N,channels,H,W) -> (N,channels,H*scale,W*scale), white = 1; channels is 1 (Y) or 3 (RGB)."""

    def __init__(
        self, scale: int, width: int = 64, blocks: int = 4, step: int = 16, channels: int = 1
    ) -> None:
        super().__init__()
        self.fblock = FeatureBlock(channels, width)
        self.dblocks = nn.Sequential(*(DistillationBlock(width, step) for _ in range(blocks)))
        self.deconv = nn.ConvTranspose2d(
            width, channels, kernel_size=17, stride=scale, padding=8, output_padding=scale - 1
        )
        self.bicubic = Bicubic(channels, scale, PYTORCH)

    def forward(self, image: Tensor) -> Tensor:
        return self.bicubic(image) + self.deconv(self.dblocks(self.fblock(image)))


def _chain(*convs: nn.Conv2d) -> list[nn.Module]:
    """Convolutions with a leaky ReLU after each."""
    return [layer for conv in convs for layer in (conv, nn.LeakyReLU(LEAK))]


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "fblock.module.0")
    top = conv_channels(shapes, "dblocks.0.enhancement_top.0")
    blocks = count_indices(shapes, r"dblocks\.(\d+)\..+")
    if first is None or top is None or first[1] not in (1, 3):
        return None
    width, step = first[0], first[0] - top[0]
    if not 0 < 2 * step < width or width % GROUPS or step % GROUPS:
        return None
    return {
        "scale": ARCHITECTURE.defaults["scale"],
        "width": width,
        "blocks": blocks,
        "step": step,
        "channels": first[1],
    }


ARCHITECTURE = Architecture(
    name="idn",
    title="IDN",
    source="Hui et al., Information Distillation Network, CVPR 2018",
    pixel_range=1,
    build=IDN,
    detect=detect,
    defaults={"scale": 2, "width": 64, "blocks": 4, "step": 16, "channels": 1},
    alike_scales=(2, 3, 4),
)
