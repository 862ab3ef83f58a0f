"""IMDN: information multi-distillation, in the layouts of the published checkpoints.

Two networks go by this name. That of the paper has 6 blocks with contrast-aware channel attention, whose
outputs are fused. The baseline of the AIM 2020 challenge on efficient super-resolution (893,936 parameters
at x4) has 8 plain blocks, and adds the input of each to its output.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Config, Shapes
from .blocks import LEAK, FusedChain, same_conv, shuffle_upsampler
from .keys import conv_channels, count_indices, shuffle_scale


def distil(features: Tensor, convs: Sequence[nn.Module], kept: int) -> Tensor:
    """Each convolution but the last sets its first `kept` channels aside; all of those, side by side."""
    aside = []
    for conv in convs[:-1]:
        features = functional.leaky_relu(conv(features), LEAK)
        aside.append(features[:, :kept])
        features = features[:, kept:]
    return torch.cat([*aside, convs[-1](features)], dim=1)


class ContrastAttention(nn.Module):
    """Scales each channel by what two 1x1 convolutions make of its mean plus its standard deviation."""

    def __init__(self, width: int, reduced: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            same_conv(width, reduced, kernel=1), nn.ReLU(), same_conv(reduced, width, kernel=1), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(dim=(2, 3), keepdim=True)
        contrast = features.std(dim=(2, 3), correction=0, keepdim=True)
        return features * self.conv_du(contrast + mean)


class IMDB(nn.Module):
    """Distillation in four convolutions, attention, fusion, and the input added."""

    def __init__(self, width: int, distilled: int, reduced: int) -> None:
        super().__init__()
        self.distilled = distilled
        self.c1 = same_conv(width, width)
        self.c2 = same_conv(width - distilled, width)
        self.c3 = same_conv(width - distilled, width)
        self.c4 = same_conv(width - distilled, distilled)
        self.cca = ContrastAttention(4 * distilled, reduced)
        self.c5 = same_conv(4 * distilled, width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        kept = distil(features, (self.c1, self.c2, self.c3, self.c4), self.distilled)
        return self.c5(self.cca(kept)) + features


class IMDN(FusedChain):
    """The network of the paper: (N,3,H,W) -> (N,3,H*scale,W*scale), white = 1."""

    def __init__(self, scale: int, width: int, blocks: int, distilled: int, reduced: int) -> None:
        super().__init__(scale, width, blocks, "IMDB", lambda: IMDB(width, distilled, reduced))


class PlainIMDB(nn.Module):
    """Distillation in four convolutions, fusion, and the input added."""

    def __init__(self, width: int, distilled: int) -> None:
        super().__init__()
        self.distilled = distilled
        self.conv1 = nn.Sequential(same_conv(width, width))  # in the checkpoint, a leaky ReLU stands second
        self.conv2 = nn.Sequential(same_conv(width - distilled, width))
        self.conv3 = nn.Sequential(same_conv(width - distilled, width))
        self.conv4 = same_conv(width - distilled, distilled)
        self.conv1x1 = same_conv(4 * distilled, width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        kept = distil(features, (self.conv1, self.conv2, self.conv3, self.conv4), self.distilled)
        return features + self.conv1x1(kept)


class Shortcut(nn.Module):
    """x + layers(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.sub = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.sub(features)


class PlainIMDN(nn.Module):
    """The challenge's baseline: (N,3,H,W) -> (N,3,H*scale,W*scale), white = 1."""

    def __init__(self, scale: int, width: int, blocks: int, distilled: int) -> None:
        super().__init__()
        body = Shortcut(*(PlainIMDB(width, distilled) for _ in range(blocks)), same_conv(width, width))
        self.model = nn.Sequential(same_conv(3, width), body, *shuffle_upsampler(width, scale))

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)


def build(scale: int, width: int = 64, blocks: int = 6, distilled: int = 16, reduced: int = 4) -> nn.Module:
    """The network of the paper; the challenge's baseline if `reduced`, the attention's width, is 0."""
    if reduced:
        return IMDN(scale, width, blocks, distilled, reduced)
    return PlainIMDN(scale, width, blocks, distilled)


def detect(shapes: Shapes) -> Config | None:
    return _config(
        shapes,
        last="upsampler.0",
        blocks=count_indices(shapes, r"IMDB(\d+)\..+", first=1),
        distilling="IMDB1.c4",
        attention="IMDB1.cca.conv_du.0",
    ) or _config(
        shapes,
        last="model.2",
        blocks=count_indices(shapes, r"model\.1\.sub\.(\d+)\.conv.+"),
        distilling="model.1.sub.0.conv4",
        attention=None,
    )


def _config(shapes: Shapes, last: str, blocks: int, distilling: str, attention: str | None) -> Config | None:
    upsampler, conv = conv_channels(shapes, last), conv_channels(shapes, distilling)
    reduced = conv_channels(shapes, attention) if attention else (0, 0)
    if upsampler is None or conv is None or reduced is None or blocks < 1:
        return None
    return {
        "scale": shuffle_scale(upsampler[0]),
        "width": sum(conv),  # what is distilled, and what is left
        "blocks": blocks,
        "distilled": conv[0],
        "reduced": reduced[0],
    }


ARCHITECTURE = Architecture(
    name="imdn",
    title="IMDN",
    source="Hui et al., Information Multi-distillation Network, ACM Multimedia 2019",
    pixel_range=1,
    build=build,
    detect=detect,
    defaults={"scale": 4, "width": 64, "blocks": 6, "distilled": 16, "reduced": 4},
)
