"""Halos: exact where that is cheap, else as small as leaves no seam."""

import numpy as np
import pytest
import torch
from torch import nn

from edgesr.graph.capture import capture
from edgesr.graph.graph import Graph
from edgesr.graph.receptive import receptive_radius
from edgesr.networks.source import load_network
from edgesr.steps.halo import CHEAP, SEAM, economic_halo, exact_halo, seam_errors, waste
from edgesr.steps.network import float_graph

TILE = 64


class Chain(nn.Module):
    """Convolutions one after the other, each of which smooths by `weight` of its neighbours."""

    def __init__(self, depth: int, weight: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False) for _ in range(depth))
        kernel = torch.full((3, 3), weight)
        kernel[1, 1] = 1 - 8 * weight
        for layer in self.layers:
            layer.weight.data[:] = kernel

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            image = layer(image)
        return image


def chain(depth: int, weight: float) -> Graph:
    return capture(Chain(depth, weight).eval())


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)


def test_a_short_reach_is_kept_in_full(picture: np.ndarray) -> None:
    graph = float_graph(load_network("plain"))
    radius = receptive_radius(graph)
    assert radius is not None and radius <= CHEAP
    assert economic_halo(graph, radius, TILE, [picture], 1) == radius == exact_halo(radius, TILE)
    assert seam_errors(graph, TILE, picture, 1)[radius:].max() < 1e-3


def test_a_long_reach_that_hardly_counts_is_cut(picture: np.ndarray) -> None:
    graph = chain(14, 0.01)
    halo = economic_halo(graph, 14, TILE, [picture], 1)
    errors = seam_errors(graph, TILE, picture, 1)
    assert halo < 14
    assert errors[halo:].max() <= SEAM < errors[halo - 1]


def test_a_long_reach_that_counts_is_kept(picture: np.ndarray) -> None:
    halo = economic_halo(chain(40, 0.11), 40, TILE, [picture], 1)
    assert CHEAP < halo <= TILE // 4


def test_no_more_than_a_quarter_of_the_tile(picture: np.ndarray) -> None:
    assert economic_halo(chain(14, 0.11), 14, 32, [picture], 1) == 8
    assert exact_halo(14, 28) is None and exact_halo(14, 29) == 14


def test_attention_has_no_exact_halo() -> None:
    assert exact_halo(None, TILE) is None
    assert economic_halo(chain(1, 0.1), None, TILE, [], 1) == CHEAP


def test_pictures_no_larger_than_a_tile_say_nothing() -> None:
    small = np.zeros((TILE, TILE, 3), np.uint8)
    assert economic_halo(chain(14, 0.11), 14, TILE, [small], 1) == CHEAP


def test_much_waste_is_told_with_a_better_size() -> None:
    assert not waste(128, 6) and not waste(64, 8)
    assert "tiles of 64 pixels keep 32% of what is computed, --tile 128 would keep 61%" in waste(64, 14)
