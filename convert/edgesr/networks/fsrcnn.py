"""FSRCNN: shrink, map, expand, and a transposed convolution, in the layout of yjn870's PyTorch code.

The published network runs on Y. Its weights have the same shapes at every scale (only the stride of the
last layer differs), so a checkpoint needs to be told its scale: see `Architecture.alike_scales`.
"""

from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .keys import conv_channels, count_indices


class FSRCNN(nn.Module):
    """(N,channels,H,W) -> (N,channels,H*scale,W*scale), white = 1; channels is 1 (Y) or 3 (RGB).

    `width`, `narrow` and `depth` are d, s and m of the paper.
    """

    def __init__(
        self, scale: int, width: int = 56, narrow: int = 12, depth: int = 4, channels: int = 1
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [same_conv(width, narrow, kernel=1), nn.PReLU(narrow)]
        for _ in range(depth):
            layers += [same_conv(narrow, narrow), nn.PReLU(narrow)]
        self.first_part = nn.Sequential(same_conv(channels, width, kernel=5), nn.PReLU(width))
        self.mid_part = nn.Sequential(*layers, same_conv(narrow, width, kernel=1), nn.PReLU(width))
        self.last_part = nn.ConvTranspose2d(
            width, channels, kernel_size=9, stride=scale, padding=4, output_padding=scale - 1
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.last_part(self.mid_part(self.first_part(image)))


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "first_part.0")
    shrink = conv_channels(shapes, "mid_part.0")
    layers = count_indices(shapes, r"mid_part\.(\d+)\.\w+")
    if first is None or shrink is None or layers < 4 or first[1] not in (1, 3):
        return None
    return {
        "scale": ARCHITECTURE.defaults["scale"],
        "width": first[0],
        "narrow": shrink[0],
        "depth": (layers + 1) // 2 - 2,  # each a convolution and an activation, but shrinking and expanding
        "channels": first[1],
    }


ARCHITECTURE = Architecture(
    name="fsrcnn",
    title="FSRCNN",
    source="Dong et al., Accelerating the Super-Resolution Convolutional Neural Network, ECCV 2016",
    pixel_range=1,
    build=FSRCNN,
    detect=detect,
    defaults={"scale": 2, "width": 56, "narrow": 12, "depth": 4, "channels": 1},
    alike_scales=(2, 3, 4),
)
