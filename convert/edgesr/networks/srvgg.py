"""SRVGGNetCompact, the small network of Real-ESRGAN: a straight chain of convolutions with PReLU.

Published checkpoints number convolutions and activations in one list, `body`. Variants with ReLU or
leaky ReLU exist, but their checkpoints do not say which one they need, so only PReLU is built.
"""

from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .keys import conv_channels, count_indices, shuffle_scale


class SRVGGNetCompact(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 1; learns what nearest-neighbour up-sampling misses.

    `depth` counts the convolutions of the body, without the first and the last one.
    """

    def __init__(self, scale: int, width: int = 64, depth: int = 16) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [same_conv(3, width), nn.PReLU(width)]
        for _ in range(depth):
            layers += [same_conv(width, width), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, same_conv(width, 3 * scale**2))
        self.upsampler = nn.PixelShuffle(scale)

    def forward(self, image: Tensor) -> Tensor:
        base = functional.interpolate(image, scale_factor=self.scale, mode="nearest")
        return self.upsampler(self.body(image)) + base


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "body.0")
    last = count_indices(shapes, r"body\.(\d+)\.weight") - 1
    outputs = conv_channels(shapes, f"body.{last}")
    if first is None or outputs is None or last < 4:
        return None
    return {"scale": shuffle_scale(outputs[0]), "width": first[0], "depth": last // 2 - 1}


ARCHITECTURE = Architecture(
    name="srvgg",
    title="SRVGGNetCompact",
    source="Wang et al., Real-ESRGAN, ICCVW 2021 (compact models of its code release)",
    pixel_range=1,
    build=SRVGGNetCompact,
    detect=detect,
    defaults={"scale": 4, "width": 64, "depth": 16},
)
