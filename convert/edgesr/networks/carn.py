"""CARN and CARN-M: cascading residual blocks, in the layout of the published checkpoints.

In both, every block sees all outputs before it, fused by a 1x1 convolution. CARN has three residual blocks
in each cascade; CARN-M applies a single one three times, with grouped convolutions. Published checkpoints
are multi-scale: one body, and the up-samplers `upsample.up2`, `up3` and `up4`. A network here has one
scale, named `upsample.up` as in the single-scale checkpoints of the same code; `one_scale` takes such a
checkpoint out of a multi-scale one.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from edgesr.errors import UserError

from .architecture import Architecture, Config, Shapes
from .blocks import same_conv
from .edsr import MEAN_COLOUR, SHUFFLES
from .keys import conv_channels

UPSAMPLER = re.compile(r"upsample\.up([2-9])(\..+)")
"""Keys of a multi-scale checkpoint's up-samplers: scale, and the rest of the key."""


class MeanShift(nn.Module):
    """Adds `sign` times the mean colour; a frozen 1x1 convolution, white = 1."""

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.shifter = nn.Conv2d(3, 3, kernel_size=1)
        self.shifter.weight = nn.Parameter(torch.eye(3).reshape(3, 3, 1, 1), requires_grad=False)
        self.shifter.bias = nn.Parameter(sign * torch.tensor(MEAN_COLOUR), requires_grad=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.shifter(image)


class Body(nn.Module):
    """Layers in a row, under the name that checkpoints give them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return self.body(features)


class Residual(Body):
    """relu(x + layers(x))."""

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.body(features))


class Cascade(nn.Module):
    """Three steps; what goes into each, and the result, is fused from the input and all steps before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c1 = Body(same_conv(2 * width, width, kernel=1), nn.ReLU())
        self.c2 = Body(same_conv(3 * width, width, kernel=1), nn.ReLU())
        self.c3 = Body(same_conv(4 * width, width, kernel=1), nn.ReLU())

    def cascade(self, features: Tensor, steps: Sequence[nn.Module]) -> Tensor:
        kept = [features]
        for step, fuse in zip(steps, (self.c1, self.c2, self.c3), strict=True):
            kept.append(step(features))
            features = fuse(torch.cat(kept, dim=1))
        return features


class Block(Cascade):
    """A cascade of three residual blocks."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.b1 = self.residual(width)
        self.b2 = self.residual(width)
        self.b3 = self.residual(width)

    @staticmethod
    def residual(width: int) -> Residual:
        return Residual(same_conv(width, width), nn.ReLU(), same_conv(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return self.cascade(features, (self.b1, self.b2, self.b3))


class RecursiveBlock(Cascade):
    """A cascade of one efficient residual block, three times."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__(width)
        self.b1 = Residual(
            same_conv(width, width, groups=groups),
            nn.ReLU(),
            same_conv(width, width, groups=groups),
            nn.ReLU(),
            same_conv(width, width, kernel=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.cascade(features, (self.b1, self.b1, self.b1))


class Cascading(Cascade):
    """The network around the blocks: (N,3,H,W) -> (N,3,H*scale,W*scale), white = 1."""

    def __init__(self, scale: int, width: int, groups: int, block: Callable[[], nn.Module]) -> None:
        super().__init__(width)
        layers: list[nn.Module] = []
        for factor in SHUFFLES[scale]:
            conv = same_conv(width, width * factor**2, groups=groups)
            layers += [conv, nn.ReLU(), nn.PixelShuffle(factor)]
        self.sub_mean = MeanShift(-1)
        self.entry = same_conv(3, width)
        self.b1 = block()
        self.b2 = block()
        self.b3 = block()
        self.upsample = nn.ModuleDict({"up": Body(*layers)})
        self.exit = same_conv(width, 3)
        self.add_mean = MeanShift(1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.cascade(self.entry(self.sub_mean(image)), (self.b1, self.b2, self.b3))
        return self.add_mean(self.exit(self.upsample["up"](features)))


class CARN(Cascading):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 1."""

    def __init__(self, scale: int, width: int = 64) -> None:
        super().__init__(scale, width, 1, lambda: Block(width))


class CARNM(Cascading):
    """(N,3,H,W) -> (N,3,H*scale,W*scale), white = 1; blocks and up-sampler have grouped convolutions."""

    def __init__(self, scale: int, width: int = 64, groups: int = 4) -> None:
        super().__init__(scale, width, groups, lambda: RecursiveBlock(width, groups))


def one_scale(state: Mapping[str, Tensor], scale: int | None, origin: str) -> dict[str, Tensor]:
    """A multi-scale checkpoint as the single-scale one of `scale`; any other checkpoint as it is.

    Raises:
        UserError: several scales to choose from, and `scale` is none of them.
    """
    parts = {key: match for key in state if (match := UPSAMPLER.fullmatch(key))}
    scales = sorted({int(match[1]) for match in parts.values()})
    both = any(key.startswith("upsample.up.") for key in state)
    if not scales or both or "b1.c1.body.0.weight" not in state:
        return dict(state)
    chosen = scales[0] if scale is None and len(scales) == 1 else scale
    if chosen not in scales:
        held = ", ".join(f"x{held}" for held in scales)
        raise UserError(f"{origin}: a multi-scale checkpoint for {held}: choose one of them with --scale")
    body = {key: tensor for key, tensor in state.items() if key not in parts}
    own = {f"upsample.up{match[2]}": key for key, match in parts.items() if int(match[1]) == chosen}
    return body | {name: state[key] for name, key in own.items()}


def _detect(shapes: Shapes) -> Config | None:
    """What both have in common: scale and width."""
    entry = conv_channels(shapes, "entry")
    upsampler = conv_channels(shapes, "upsample.up.body.0")
    if entry is None or upsampler is None:
        return None
    width = entry[0]
    doublings = 2 if "upsample.up.body.3.weight" in shapes else 1
    return {"scale": 3 if upsampler[0] == 9 * width else 2**doublings, "width": width}


def detect(shapes: Shapes) -> Config | None:
    return _detect(shapes) if conv_channels(shapes, "b1.b2.body.0") else None


def detect_m(shapes: Shapes) -> Config | None:
    config = _detect(shapes)
    grouped = conv_channels(shapes, "b1.b1.body.0")
    if config is None or grouped is None or config["width"] % grouped[1]:
        return None
    return {**config, "groups": config["width"] // grouped[1]}


PAPER = "Ahn et al., Fast, Accurate, and Lightweight Super-Resolution with CARN, ECCV 2018"

ARCHITECTURE = Architecture(
    name="carn",
    title="CARN",
    source=PAPER,
    pixel_range=1,
    build=CARN,
    detect=detect,
    defaults={"scale": 4, "width": 64},
)

ARCHITECTURE_M = Architecture(
    name="carn_m",
    title="CARN-M",
    source=PAPER,
    pixel_range=1,
    build=CARNM,
    detect=detect_m,
    defaults={"scale": 4, "width": 64, "groups": 4},
)
