"""SRResNet, in the layout of the quantization papers' code (CADyQ and AdaBM, of the EDSR-PyTorch family).

Published in TensorFlow; this is the layout in which those papers release their PyTorch baselines: `head`,
`body` with `conv1, bn1, act, conv2, bn2` in each block, `tail`; no biases, PReLU with one slope, white =
255. Detection also takes biases, PReLU with a slope per channel, and another kernel of the last
convolution. CADyQ's module carries EDSR's mean shifts without ever applying them: a checkpoint that has
them is taken, and here as there they do nothing.
"""

from torch import Tensor, nn

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .edsr import SHUFFLES, MeanShift
from .keys import conv_channels, count_indices


class ResidualBlock(nn.Module):
    """x + bn(conv(prelu(bn(conv(x)))))."""

    def __init__(self, width: int, bias: bool, slopes: int) -> None:
        super().__init__()
        self.conv1 = same_conv(width, width, bias=bias)
        self.bn1 = nn.BatchNorm2d(width)
        self.act = nn.PReLU(slopes)
        self.conv2 = same_conv(width, width, bias=bias)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.bn2(self.conv2(self.act(self.bn1(self.conv1(features)))))


class SRResNet(nn.Module):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 255.

    Args:
        bias: whether the convolutions have one.
        slope_per_channel: whether each PReLU has a slope per channel or a single one.
        last: kernel size of the last convolution.
        idle_shift: whether there are mean shifts, which are not applied.
    """

    def __init__(
        self,
        scale: int,
        width: int = 64,
        depth: int = 16,
        bias: bool = False,
        slope_per_channel: bool = False,
        last: int = 9,
        idle_shift: bool = False,
    ) -> None:
        super().__init__()
        slopes = width if slope_per_channel else 1
        upsampler: list[nn.Module] = []
        for factor in SHUFFLES[scale]:
            conv = same_conv(width, width * factor**2, bias=bias)
            upsampler += [conv, nn.PixelShuffle(factor), nn.PReLU(slopes)]
        if idle_shift:
            self.sub_mean = MeanShift(-1)
            self.add_mean = MeanShift(1)
        self.head = nn.Sequential(same_conv(3, width, kernel=9, bias=bias), nn.PReLU(slopes))
        self.body = nn.Sequential(
            *(ResidualBlock(width, bias, slopes) for _ in range(depth)),
            same_conv(width, width, bias=bias),
            nn.BatchNorm2d(width),
        )
        self.tail = nn.Sequential(nn.Sequential(*upsampler), same_conv(width, 3, kernel=last, bias=bias))

    def forward(self, image: Tensor) -> Tensor:
        features = self.head(image)
        return self.tail(features + self.body(features))


def detect(shapes: Shapes) -> Config | None:
    head = conv_channels(shapes, "head.0")
    upsampler = conv_channels(shapes, "tail.0.0")
    depth = count_indices(shapes, r"body\.(\d+)\.(?:conv|bn)[12]\.\w+")
    last = shapes.get("tail.1.weight", ())[-1:]
    if head is None or upsampler is None or depth == 0 or last not in ((3,), (5,), (7,), (9,)):
        return None
    width = head[0]
    doublings = 2 if "tail.0.3.weight" in shapes else 1
    return {
        "scale": 3 if upsampler[0] == 9 * width else 2**doublings,
        "width": width,
        "depth": depth,
        "bias": "head.0.bias" in shapes,
        "slope_per_channel": shapes.get("head.1.weight") == (width,) != (1,),
        "last": last[0],
        "idle_shift": "sub_mean.weight" in shapes,
    }


ARCHITECTURE = Architecture(
    name="srresnet",
    title="SRResNet",
    source="Ledig et al., Photo-Realistic Single Image Super-Resolution Using a GAN, CVPR 2017",
    pixel_range=255,
    build=SRResNet,
    detect=detect,
    defaults={
        "scale": 4,
        "width": 64,
        "depth": 16,
        "bias": False,
        "slope_per_channel": False,
        "last": 9,
        "idle_shift": False,
    },
)
