"""ESPCN: three convolutions and the first sub-pixel up-sampling.

Keys are those of yjn870's PyTorch code: `first_part.0`, `first_part.2`, `last_part.0`. The published
network has tanh and runs on Y. Keys do not tell an activation, so a checkpoint is taken to have tanh; a
network with ReLU is `ESPCN(..., activation="relu")` in a factory.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv, shuffle_upsampler
from .keys import conv_channels, shuffle_scale

ACTIVATIONS: Mapping[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class ESPCN(nn.Module):
    """(N,channels,H,W) -> (N,channels,H*scale,W*scale), white = 1; channels is 1 (Y) or 3 (RGB)."""

    def __init__(
        self, scale: int, width: int = 64, narrow: int = 32, channels: int = 1, activation: str = "tanh"
    ) -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        self.first_part = nn.Sequential(
            same_conv(channels, width, kernel=5), act(), same_conv(width, narrow), act()
        )
        self.last_part = shuffle_upsampler(narrow, scale, channels)

    def forward(self, image: Tensor) -> Tensor:
        return self.last_part(self.first_part(image))


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "first_part.0")
    second = conv_channels(shapes, "first_part.2")
    last = conv_channels(shapes, "last_part.0")
    if first is None or second is None or last is None or first[1] not in (1, 3):
        return None
    return {
        "scale": shuffle_scale(last[0], first[1]),
        "width": first[0],
        "narrow": second[0],
        "channels": first[1],
        "activation": "tanh",
    }


ARCHITECTURE = Architecture(
    name="espcn",
    title="ESPCN",
    source="Shi et al., Efficient Sub-Pixel Convolutional Neural Network, CVPR 2016",
    pixel_range=1,
    build=ESPCN,
    detect=detect,
    defaults={"scale": 3, "width": 64, "narrow": 32, "channels": 1, "activation": "tanh"},
)
