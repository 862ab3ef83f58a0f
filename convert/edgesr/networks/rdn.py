"""RDN: residual dense blocks, in the layout of EDSR-PyTorch (which trains it with white = 255).

No mean shift. The published network is configuration B: 16 blocks of 8 dense convolutions, growth 64.
"""

import torch
from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .edsr import SHUFFLES
from .keys import conv_channels, count_indices


class DenseConv(nn.Module):
    """The features, and beside them what a convolution with ReLU makes of them."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(same_conv(inputs, growth), nn.ReLU())

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.conv(features)], dim=1)


class RDB(nn.Module):
    """x + fusion of everything that a row of dense convolutions made of x."""

    def __init__(self, width: int, growth: int, layers: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(*(DenseConv(width + i * growth, growth) for i in range(layers)))
        self.LFF = same_conv(width + layers * growth, width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.LFF(self.convs(features))


class RDN(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 255."""

    def __init__(
        self, scale: int, width: int = 64, blocks: int = 16, layers: int = 8, growth: int = 64
    ) -> None:
        super().__init__()
        upsampler: list[nn.Module] = []
        inputs = width
        for factor in SHUFFLES[scale]:
            upsampler += [same_conv(inputs, growth * factor**2), nn.PixelShuffle(factor)]
            inputs = growth
        self.SFENet1 = same_conv(3, width)
        self.SFENet2 = same_conv(width, width)
        self.RDBs = nn.ModuleList(RDB(width, growth, layers) for _ in range(blocks))
        self.GFF = nn.Sequential(same_conv(blocks * width, width, kernel=1), same_conv(width, width))
        self.UPNet = nn.Sequential(*upsampler, same_conv(growth, 3))

    def forward(self, image: Tensor) -> Tensor:
        shallow = self.SFENet1(image)
        features = self.SFENet2(shallow)
        outputs = []
        for block in self.RDBs:
            features = block(features)
            outputs.append(features)
        return self.UPNet(self.GFF(torch.cat(outputs, dim=1)) + shallow)


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "SFENet1")
    dense = conv_channels(shapes, "RDBs.0.convs.0.conv.0")
    upsampler = conv_channels(shapes, "UPNet.0")
    blocks = count_indices(shapes, r"RDBs\.(\d+)\..+")
    layers = count_indices(shapes, r"RDBs\.0\.convs\.(\d+)\..+")
    if first is None or dense is None or upsampler is None or blocks * layers > len(shapes):
        return None
    growth = dense[0]
    doublings = 2 if "UPNet.4.weight" in shapes else 1
    return {
        "scale": 3 if upsampler[0] == 9 * growth else 2**doublings,
        "width": first[0],
        "blocks": blocks,
        "layers": layers,
        "growth": growth,
    }


ARCHITECTURE = Architecture(
    name="rdn",
    title="RDN",
    source="Zhang et al., Residual Dense Network for Image Super-Resolution, CVPR 2018",
    pixel_range=255,
    build=RDN,
    detect=detect,
    defaults={"scale": 4, "width": 64, "blocks": 16, "layers": 8, "growth": 64},
)
