"""How far networks look, against what a single changed pixel does."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgesr.graph.capture import capture
from edgesr.graph.execute import predict
from edgesr.graph.receptive import receptive_radius, smallest_side
from edgesr.networks import registry


class Nearest(nn.Module):
    """A body beside a nearest-neighbour path."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=2, dilation=2), nn.PixelShuffle(2))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.last = nn.Conv2d(3, 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x) + self.up(x))  # type: ignore[no-any-return]


def shuffle_only() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 12, 1), nn.PixelShuffle(2))


def tail_after_shuffle() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 27, 3, padding=1), nn.PixelShuffle(3), nn.Conv2d(3, 3, 3, padding=1))


def bilinear() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Upsample(scale_factor=2, mode="bilinear"))


def transposed() -> nn.Module:
    """Three phases that look at an even number of pixels."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ConvTranspose2d(4, 3, 9, 3, 4, output_padding=2))


def plain() -> nn.Module:
    return registry.by_name("plain").build(**registry.by_name("plain").defaults)


def edsr() -> nn.Module:
    return registry.by_name("edsr").build(scale=2, width=4, blocks=2)


MAKERS: list[Callable[[], nn.Module]] = [
    shuffle_only,
    tail_after_shuffle,
    bilinear,
    transposed,
    Nearest,
    plain,
]


def measured(module: nn.Module) -> int:
    """Radius by changing one pixel and looking where the output differs."""
    graph = capture(module)
    side, middle = 48, 24
    picture = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    changed = picture.clone()
    changed[0, :, middle, middle] += 1e3
    differs = (predict(graph, picture) != predict(graph, changed)).any(1)[0].numpy()
    scale = differs.shape[0] // side
    rows = np.flatnonzero(differs.any(1)) // scale
    columns = np.flatnonzero(differs.any(0)) // scale
    return int(max(middle - rows[0], rows[-1] - middle, middle - columns[0], columns[-1] - middle))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_is_exact(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    module = make().eval()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0)  # nothing may cancel or be cut off by a ReLU
    assert receptive_radius(capture(module)) == measured(module)


@pytest.mark.parametrize("name", ["rlfn", "rfdn", "imdn"])
def test_attention_over_pooled_maps_has_no_radius(name: str) -> None:
    architecture = registry.by_name(name)
    assert receptive_radius(capture(architecture.build(**architecture.defaults).eval())) is None


def test_the_smallest_picture() -> None:
    assert smallest_side(capture(shuffle_only())) == 1
    architecture = registry.by_name("rlfn")
    graph = capture(architecture.build(**architecture.defaults).eval())
    least = smallest_side(graph)
    assert 8 < least < 32
    predict(graph, torch.zeros(1, 3, least, least))
    with pytest.raises((RuntimeError, ValueError)):
        predict(graph, torch.zeros(1, 3, least - 1, least - 1))
