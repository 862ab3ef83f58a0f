"""RLFN: residual local features, in the layout of the published checkpoints.

One class covers the network of the paper (6 blocks, 52 features throughout) and the one that won the
NTIRE 2022 efficiency challenge (4 blocks, 46 features, 48 inside the blocks).
"""

from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Config, Shapes
from .blocks import ESA, LEAK, same_conv, shuffle_upsampler
from .keys import conv_channels, count_indices, shuffle_scale


class RLFB(nn.Module):
    """Three convolutions with leaky ReLU and a residual, then a 1x1 convolution and attention."""

    def __init__(self, width: int, mid: int, esa: int) -> None:
        super().__init__()
        self.c1_r = same_conv(width, mid)
        self.c2_r = same_conv(mid, mid)
        self.c3_r = same_conv(mid, width)
        self.c5 = same_conv(width, width, kernel=1)
        self.esa = ESA(width, esa)

    def forward(self, image: Tensor) -> Tensor:
        features = image
        for conv in (self.c1_r, self.c2_r, self.c3_r):
            features = functional.leaky_relu(conv(features), LEAK)
        return self.esa(self.c5(features + image))


class RLFN(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 255, H and W at least 15."""

    def __init__(self, scale: int, width: int = 52, mid: int = 52, blocks: int = 6, esa: int = 16) -> None:
        super().__init__()
        self.names = tuple(f"block_{index}" for index in range(1, blocks + 1))
        self.conv_1 = same_conv(3, width)
        for name in self.names:
            self.add_module(name, RLFB(width, mid, esa))
        self.conv_2 = same_conv(width, width)
        self.upsampler = shuffle_upsampler(width, scale)

    def forward(self, image: Tensor) -> Tensor:
        shallow = features = self.conv_1(image)
        for name in self.names:
            features = getattr(self, name)(features)
        return self.upsampler(self.conv_2(features) + shallow)


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "conv_1")
    middle = conv_channels(shapes, "block_1.c1_r")
    attention = conv_channels(shapes, "block_1.esa.conv1")
    last = conv_channels(shapes, "upsampler.0")
    blocks = count_indices(shapes, r"block_(\d+)\.c1_r\.weight", first=1)
    if first is None or middle is None or attention is None or last is None or blocks < 1:
        return None
    return {
        "scale": shuffle_scale(last[0]),
        "width": first[0],
        "mid": middle[0],
        "blocks": blocks,
        "esa": attention[0],
    }


ARCHITECTURE = Architecture(
    name="rlfn",
    title="RLFN",
    source="Kong et al., Residual Local Feature Network, CVPR workshops 2022",
    pixel_range=255,
    build=RLFN,
    detect=detect,
    defaults={"scale": 2, "width": 52, "mid": 52, "blocks": 6, "esa": 16},
)
