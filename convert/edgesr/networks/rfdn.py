"""RFDN: residual feature distillation, in the layout of the published checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Config, Shapes
from .blocks import LEAK, DeepESA, FusedChain, same_conv
from .keys import conv_channels, count_indices, shuffle_scale


class RFDB(nn.Module):
    """Three residual steps, each of which sets half its channels aside, then fusion and attention."""

    def __init__(self, width: int, esa: int) -> None:
        super().__init__()
        distilled = width // 2
        self.c1_d = same_conv(width, distilled, kernel=1)
        self.c1_r = same_conv(width, width)
        self.c2_d = same_conv(width, distilled, kernel=1)
        self.c2_r = same_conv(width, width)
        self.c3_d = same_conv(width, distilled, kernel=1)
        self.c3_r = same_conv(width, width)
        self.c4 = same_conv(width, distilled)
        self.c5 = same_conv(4 * distilled, width, kernel=1)
        self.esa = DeepESA(width, esa)

    def forward(self, features: Tensor) -> Tensor:
        kept = []
        for distil, refine in ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r)):
            kept.append(functional.leaky_relu(distil(features), LEAK))
            features = functional.leaky_relu(refine(features) + features, LEAK)
        kept.append(functional.leaky_relu(self.c4(features), LEAK))
        return self.esa(self.c5(torch.cat(kept, dim=1)))


class RFDN(FusedChain):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 255, H and W at least 15."""

    def __init__(self, scale: int, width: int = 50, blocks: int = 4, esa: int = 12) -> None:
        super().__init__(scale, width, blocks, "B", lambda: RFDB(width, esa))


def detect(shapes: Shapes) -> Config | None:
    first = conv_channels(shapes, "fea_conv")
    attention = conv_channels(shapes, "B1.esa.conv1")
    last = conv_channels(shapes, "upsampler.0")
    blocks = count_indices(shapes, r"B(\d+)\.c1_r\.weight", first=1)
    if first is None or attention is None or last is None or first[0] < 2 or blocks < 1:
        return None
    return {"scale": shuffle_scale(last[0]), "width": first[0], "blocks": blocks, "esa": attention[0]}


ARCHITECTURE = Architecture(
    name="rfdn",
    title="RFDN",
    source="Liu et al., Residual Feature Distillation Network, ECCV workshops 2020",
    pixel_range=255,
    build=RFDN,
    detect=detect,
    defaults={"scale": 4, "width": 50, "blocks": 4, "esa": 12},
)
