"""EDSR: residual blocks without normalisation, in the layout of the published EDSR-PyTorch checkpoints.

The published network subtracts the mean colour of DIV2K and adds it back; both are frozen 1x1
convolutions inside the checkpoint. Residual scaling leaves no trace in the keys: the paper uses 0.1 for
its wide model (256 features) and none for the others, and so does detection.
"""

import torch
from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .keys import conv_channels, count_indices

MEAN_COLOUR = (0.4488, 0.4371, 0.4040)
"""Mean RGB of DIV2K, white = 1."""

SHUFFLES = {2: (2,), 3: (3,), 4: (2, 2)}
"""Scale -> factors of the pixel shuffles that make it."""

WIDE = 256
"""Features from which on the paper scales its residuals."""


class MeanShift(nn.Conv2d):
    """Adds `sign` times the mean colour; a frozen 1x1 convolution, white = 255."""

    def __init__(self, sign: int) -> None:
        super().__init__(3, 3, kernel_size=1)
        self.weight = nn.Parameter(torch.eye(3).reshape(3, 3, 1, 1), requires_grad=False)
        self.bias = nn.Parameter(sign * 255 * torch.tensor(MEAN_COLOUR), requires_grad=False)


class ResidualBlock(nn.Module):
    """x + res_scale * conv(relu(conv(x)))."""

    def __init__(self, width: int, res_scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(same_conv(width, width), nn.ReLU(), same_conv(width, width))
        self.res_scale = res_scale

    def forward(self, features: Tensor) -> Tensor:
        residual = self.body(features)
        if self.res_scale != 1:  # a multiplication by one would still cost a pass over memory
            residual = residual * self.res_scale
        return features + residual


class EDSR(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 255."""

    def __init__(self, scale: int, width: int = 64, depth: int = 16, res_scale: float = 1.0) -> None:
        super().__init__()
        upsampler: list[nn.Module] = []
        for factor in SHUFFLES[scale]:
            upsampler += [same_conv(width, width * factor**2), nn.PixelShuffle(factor)]
        self.sub_mean = MeanShift(-1)
        self.head = nn.Sequential(same_conv(3, width))
        self.body = nn.Sequential(
            *(ResidualBlock(width, res_scale) for _ in range(depth)), same_conv(width, width)
        )
        self.tail = nn.Sequential(nn.Sequential(*upsampler), same_conv(width, 3))
        self.add_mean = MeanShift(1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.head(self.sub_mean(image))
        return self.add_mean(self.tail(features + self.body(features)))


def detect(shapes: Shapes) -> Config | None:
    head = conv_channels(shapes, "head.0")
    upsampler = conv_channels(shapes, "tail.0.0")
    depth = count_indices(shapes, r"body\.(\d+)\.body\.0\.weight")
    if head is None or upsampler is None or depth == 0:
        return None
    width = head[0]
    doublings = 2 if "tail.0.2.weight" in shapes else 1
    scale = 3 if upsampler[0] == 9 * width else 2**doublings
    return {"scale": scale, "width": width, "depth": depth, "res_scale": 0.1 if width >= WIDE else 1.0}


ARCHITECTURE = Architecture(
    name="edsr",
    title="EDSR",
    source="Lim et al., Enhanced Deep Residual Networks for Single Image Super-Resolution, CVPRW 2017",
    pixel_range=255,
    build=EDSR,
    detect=detect,
    defaults={"scale": 2, "width": 64, "depth": 16, "res_scale": 1.0},
)
