"""Tiles, times and histograms of real programs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgesr.graph.graph import Graph
from edgesr.networks.source import load_network
from edgesr.quantization.methods import by_name
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.report.histograms import TENSORS, histograms
from edgesr.report.material import Box
from edgesr.report.tile_map import most_telling, routes, tile_map
from edgesr.report.timing import measure
from edgesr.steps.network import float_graph
from edgesr_runtime import ProgramInfo, open_program
from edgesr_runtime.complexity import complexity
from edgesr_runtime.metadata import Routing
from report.samples import picture


@pytest.fixture(scope="module")
def graph() -> Graph:
    return float_graph(load_network("plain", None, 2))


@pytest.fixture(scope="module")
def info(program: Path) -> ProgramInfo:
    return open_program(program, trusted=True).info


def test_the_tiles_cover_the_picture_once(info: ProgramInfo) -> None:
    lr = picture(50, 70)
    found = tile_map("a.png", lr, info)
    seen = np.zeros((50, 70), int)
    for tile in found.tiles:
        box = tile.box
        seen[box.top : box.top + box.height, box.left : box.left + box.width] += 1
    assert (seen == 1).all()
    assert found.size == (70, 50)
    assert {tile.variant for tile in found.tiles} == set(info.variants)
    assert routes([found, found]) == {info.variants[-1]: 2 * len(found.tiles)}


def test_tiles_are_routed_as_the_runtime_does(info: ProgramInfo) -> None:
    lr = picture(32, 64)
    lr[:, :32] = 90
    both = replace(info, variants=("low", "high"), routing=Routing(5.0, 5.0), tile=32, halo=0)
    flat, rich = tile_map("a.png", lr, both).tiles
    assert (flat.box, flat.variant, flat.complexity) == (Box(0, 0, 32, 32), "low", 0.0)
    assert (rich.variant, rich.complexity) == ("high", complexity(lr[:, 32:]))


def test_the_most_telling_picture_uses_most_variants(info: ProgramInfo) -> None:
    routed = replace(info, variants=("low", "high"), routing=Routing(5.0, 5.0), tile=32, halo=0)
    mixed = picture(32, 64)
    mixed[:, :32] = 90
    maps = [tile_map(str(i), each, routed) for i, each in enumerate((picture(96, 96), mixed))]
    assert most_telling(maps).name == "1"
    assert most_telling(maps[:1] * 2).name == "0"
    huge = [replace(maps[1], tiles=maps[1].tiles * 600), maps[0]]
    assert most_telling(huge).name == "0"
    assert most_telling(huge[:1] * 2).name == "1"


def test_every_variant_is_timed_beside_float(program: Path, info: ProgramInfo, graph: Graph) -> None:
    timing = measure(program.read_bytes(), info, graph, picture(info.tile, info.tile))
    assert set(timing.variants) == set(info.variants)
    for times in (timing.plain, *timing.variants.values()):
        assert 0 < times.least <= times.median <= times.most
    assert timing.rounds >= 3
    assert timing.plain_bytes > timing.plain_bytes_compressed > program.stat().st_size


def test_histograms_count_what_lies_within_the_clip_points(graph: Graph) -> None:
    pixels = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    tiles = CalibrationTiles(pixels, 1)
    plan = by_name("adabm")(graph, tiles, 8)
    wide = histograms(graph, plan, tiles)
    assert len(wide) == TENSORS
    assert [h.sensitivity for h in wide] == sorted((h.sensitivity for h in wide), reverse=True)
    first = wide[0]
    assert first.clip == plan.ranges[first.name]
    assert first.low <= first.clip[0] < first.clip[1] <= first.high

    middle = sum(first.clip) / 2
    halved = replace(plan, ranges={**plan.ranges, first.name: (first.clip[0], middle)})
    cut = histograms(graph, halved, tiles)[0]
    assert cut.counts.sum() == first.counts.sum()
    assert cut.above > first.above and cut.below == first.below


def test_float_tensors_are_not_clipped(graph: Graph) -> None:
    tiles = CalibrationTiles(torch.rand(1, 3, 32, 32), 1)
    plan = by_name("minmax")(graph, tiles, 8)
    first, *_ = histograms(graph, plan, tiles)
    assert first.sensitivity is None
    others = histograms(graph, plan.with_containers({first.name: "f32"}), tiles)
    assert first.name not in {h.name for h in others}
    assert histograms(graph, plan.with_containers({n.name: "f32" for n in graph}), tiles) == ()
