"""The plain mobile network: 3x3 convolutions, ReLU, and a residual in image space.

Every op of it runs in int8 on a phone's accelerated path. The convolutions learn only what
nearest-neighbour up-sampling of the picture misses (the anchor of ABPN, Du et al., CVPR workshops
2021); lowering moves that addition before depth-to-space, where it costs least.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Config, Shapes
from .keys import conv_channels, count_indices, shuffle_scale


class PlainNet(nn.Module):
    """conv-ReLU, `depth` x conv-ReLU, conv, pixel shuffle, plus the nearest-neighbour picture."""

    def __init__(self, scale: int, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(depth))
        self.tail = nn.Conv2d(width, 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, image: Tensor) -> Tensor:
        features = torch.relu(self.head(image))
        for conv in self.body:
            features = torch.relu(conv(features))
        anchor = functional.interpolate(image, scale_factor=self.scale, mode="nearest")
        return self.shuffle(self.tail(features)) + anchor

    def for_white(self, white: float) -> "PlainNet":
        """The same network for pictures whose white is not 1, as this one's must be, but `white`."""
        other = copy.deepcopy(self)
        with torch.no_grad():
            other.head.weight /= white
            other.tail.weight *= white
            assert other.tail.bias is not None
            other.tail.bias *= white
        return other


def detect(shapes: Shapes) -> Config | None:
    head = conv_channels(shapes, "head")
    tail = conv_channels(shapes, "tail")
    depth = count_indices(shapes, r"body\.(\d+)\.weight")
    if head is None or tail is None or depth == 0:
        return None
    return {"scale": shuffle_scale(tail[0]), "width": head[0], "depth": depth}


ARCHITECTURE = Architecture(
    name="plain",
    title="Plain mobile network",
    source="edgesr; anchor-based residual after ABPN (CVPR workshops 2021)",
    pixel_range=1,
    build=PlainNet,
    detect=detect,
    defaults={"scale": 2, "width": 32, "depth": 4},
)
