"""The float pass over calibration tiles, and the rules that hold for every method's ranges."""

import numpy as np
import pytest
import torch

from edgesr.graph import ops
from edgesr.graph.execute import run
from edgesr.graph.graph import Graph
from edgesr.quantization.plan import Range
from edgesr.quantization.statistics import CalibrationTiles, collect, range_groups, settle

from .toy import conv, graph_of, picture_levels, residual


@pytest.mark.parametrize("count", [1, 4, 5])
def test_statistics_are_those_of_the_values(count: int) -> None:
    """Also where the tiles are no multiple of a batch."""
    graph, pixels = residual(), picture_levels(count)
    statistics = collect(graph, CalibrationTiles(pixels, 1))
    values = run(graph, pixels, keep=[node.name for node in graph])
    assert set(statistics.low) == set(values)
    for name, value in values.items():
        assert statistics.low[name].shape == statistics.high[name].shape == (count, value.shape[1])
        assert np.allclose(statistics.low[name], value.amin((2, 3)))
        assert np.allclose(statistics.high[name], value.amax((2, 3)))
        low, high = statistics.extremes(name)
        assert np.allclose(low, value.amin((0, 2, 3))) and np.allclose(high, value.amax((0, 2, 3)))
        exact = value.double()
        variance = exact.var((0, 2, 3), unbiased=False)
        assert np.allclose(statistics.variance[name], variance, rtol=1e-4, atol=1e-6)
        assert np.allclose(statistics.spread[name], exact.std((1, 2, 3), unbiased=False), rtol=1e-4)


def test_variance_is_over_all_tiles_and_spread_within_each() -> None:
    """Two tiles that differ much from each other, and little within."""
    pixels = torch.cat([picture_levels(1) * 0.01, 1 - picture_levels(1) * 0.01])
    statistics = collect(residual(), CalibrationTiles(pixels, 1))
    assert (statistics.variance["image"] > 0.2).all()
    assert (statistics.spread["image"] < 0.01).all()


def test_constants_have_no_variance() -> None:
    statistics = collect(residual(), CalibrationTiles(torch.full((2, 3, 16, 16), 0.7), 1))
    for value in (statistics.variance["image"], statistics.spread["image"]):
        assert (value >= 0).all() and value == pytest.approx(0, abs=1e-3)


def test_tiles_of_one_colour_do_not_count() -> None:
    graph = residual()
    flat = torch.ones(1, 3, 16, 16)
    mixed = torch.cat([flat, picture_levels(2), flat * 0])
    with_flat, without = (collect(graph, CalibrationTiles(p, 1)) for p in (mixed, picture_levels(2)))
    for name in with_flat.low:
        assert np.array_equal(with_flat.low[name], without.low[name])
        assert np.array_equal(with_flat.variance[name], without.variance[name])
        assert np.array_equal(with_flat.spread[name], without.spread[name])


def test_where_all_tiles_are_of_one_colour_they_count() -> None:
    tiles = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    statistics = collect(residual(), CalibrationTiles(tiles, 1))
    assert statistics.low["image"].tolist() == [[0.0] * 3, [1.0] * 3]


def test_progress_is_told_per_batch() -> None:
    steps: list[int] = []
    collect(residual(), CalibrationTiles(picture_levels(9), 1), lambda: steps.append(0))
    assert len(steps) == 3


def test_the_fingerprint_is_that_of_the_8_bit_pixels() -> None:
    pixels = picture_levels(2)
    same = CalibrationTiles((pixels * 255).round(), 255)
    assert CalibrationTiles(pixels, 1).fingerprint == same.fingerprint
    assert CalibrationTiles(pixels.flip(0), 1).fingerprint != same.fingerprint


@pytest.mark.parametrize("white", [1, 255])
def test_vivid_tiles_have_stronger_colours_and_the_same_greys(white: int) -> None:
    colours = torch.tensor([[200, 100, 100], [250, 20, 20], [90, 90, 90]]).float().T.view(1, 3, 1, 3)
    vivid = CalibrationTiles(colours * white / 255, white).vivid().pixels * 255 / white
    luma = 0.299 * 200 + 0.701 * 100
    assert vivid[0, 0, 0, 0] == pytest.approx(luma + 1.4 * (200 - luma), abs=0.5)
    assert vivid[0, :, 0, 1].tolist() == pytest.approx([255, 0, 0])
    assert vivid[0, :, 0, 2].tolist() == pytest.approx([90, 90, 90])
    assert torch.allclose(vivid, vivid.round(), atol=1e-4)


def test_statistics_can_reach_what_other_tiles_need() -> None:
    graph, near, far = residual(), picture_levels(2), picture_levels(1) * 3
    both = collect(graph, CalibrationTiles(near, 1)).reaching(collect(graph, CalibrationTiles(far, 1)))
    values = run(graph, torch.cat([near, far]), keep=[node.name for node in graph])
    for name, value in values.items():
        low, high = both.extremes(name)
        assert np.allclose(low, value.amin((0, 2, 3))) and np.allclose(high, value.amax((0, 2, 3)))
    assert np.array_equal(both.variance["a"], collect(graph, CalibrationTiles(near, 1)).variance["a"])


def concatenated(*others: tuple[str, ops.Op, str]) -> Graph:
    """Two convolutions and a gate side by side, and what else reads them."""
    return graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 3, 8), "image"), ("gate", ops.Sigmoid(), "b"),
        *others, ("cat", ops.Concat(), "a b gate"), ("small", ops.MaxPool((3, 3), (2, 2)), "cat"),
        ("out", conv(2, 24, 3), "small"),
    )  # fmt: skip


def test_concatenated_values_share_a_grid_unless_read_elsewhere() -> None:
    groups = range_groups(concatenated())
    assert groups["a"] == groups["cat"] == groups["small"]
    assert groups["b"] != groups["cat"]  # the gate reads it too
    assert groups["gate"] != groups["cat"]  # its grid is the kernels' own
    assert groups["image"] == "image" and groups["out"] == "out"


def test_what_is_read_twice_keeps_its_own_grid() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 8, 8), "a"), ("cat", ops.Concat(), "a b"),
        ("out", conv(2, 16, 3), "cat"),
    )  # fmt: skip
    groups = range_groups(graph)
    assert groups["b"] == groups["cat"] and groups["a"] == "a"


def test_concatenations_of_concatenations_are_one_group() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 3, 8), "image"), ("ab", ops.Concat(), "a b"),
        ("c", conv(2, 3, 8), "image"), ("abc", ops.Concat(), "ab c"), ("out", conv(3, 24, 3), "abc"),
    )  # fmt: skip
    groups = range_groups(graph)
    assert len({groups[name] for name in ("a", "b", "ab", "c", "abc")}) == 1


def test_a_chain_of_concatenations_shares_one_grid_whatever_reads_its_links() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 8, 8), "a"), ("ab", ops.Concat(), "a b"),
        ("c", conv(2, 16, 8), "ab"), ("abc", ops.Concat(), "ab c"), ("out", conv(3, 24, 3), "abc"),
    )  # fmt: skip
    groups = range_groups(graph)
    assert len({groups[name] for name in ("b", "ab", "c", "abc")}) == 1
    assert groups["a"] == "a"


def test_a_concatenated_slice_leaves_the_tensor_that_it_is_of_alone() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("part", ops.Slice(0, 4), "a"), ("b", conv(1, 8, 8), "a"),
        ("cat", ops.Concat(), "part b"), ("out", conv(2, 12, 3), "cat"),
    )  # fmt: skip
    groups = range_groups(graph)
    assert groups["part"] == groups["a"] != groups["cat"] == groups["b"]


def test_moved_values_keep_their_sources_grid() -> None:
    graph = graph_of(
        ("head", conv(0, 3, 8), "image"), ("pool", ops.MaxPool((3, 3), (2, 2)), "head"),
        ("back", ops.ResizeBilinear(), "pool image"), ("sum", ops.Add(), "back head"),
        ("out", conv(1, 8, 3), "sum"),
    )  # fmt: skip
    groups = range_groups(graph)
    assert groups["head"] == groups["pool"] == groups["back"]
    assert len({groups[name] for name in ("image", "head", "sum", "out")}) == 4  # the size alone is no value


def test_settled_groups_share_the_union_of_their_ranges() -> None:
    ranges: dict[str, Range] = {
        "image": (0.1, 0.8), "a": (-3.0, 1.0), "b": (-9.0, 9.0), "gate": (0.1, 0.9), "cat": (-1.0, 2.0),
        "small": (-0.5, 4.0), "out": (-0.2, 1.3),
    }  # fmt: skip
    settled = settle(concatenated(), ranges, 1)
    assert settled["a"] == settled["cat"] == settled["small"] == (-3.0, 4.0)
    assert settled["b"] == (-9.0, 9.0) and settled["gate"] == (0.1, 0.9)


@pytest.mark.parametrize(
    ("b", "shared"), [((-3.0, 4.0), True), ((-2.0, 3.7), True), ((-2.0, 3.4), False), ((-9.0, 9.0), False)]
)
def test_a_concatenation_takes_in_what_has_nearly_its_range(b: Range, shared: bool) -> None:
    """Though it is read elsewhere: 1.25 times as wide as each is the limit."""
    ranges: dict[str, Range] = dict.fromkeys(["image", "a", "cat", "small", "out"], (-3.0, 4.0))
    settled = settle(concatenated(), {**ranges, "b": b, "gate": (-3.0, 4.0)}, 1)
    assert (settled["b"] == settled["cat"]) == shared
    assert settled["gate"] == (-3.0, 4.0)
    if not shared:
        assert settled["b"] == b and settled["cat"] == (-3.0, 4.0)


def test_picture_and_output_join_no_concatenation() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 8, 8), "a"), ("cat", ops.Concat(), "image b"),
        ("out", conv(2, 11, 3), "cat"),
    )  # fmt: skip
    settled = settle(graph, {node.name: (-0.1, 1.1) for node in graph}, 1)
    assert settled["image"] == settled["out"] == (0.0, 1.0)
    assert settled["cat"] == settled["b"] == (-0.1, 1.1)


@pytest.mark.parametrize("white", [1, 255])
def test_picture_and_output_have_the_pixel_range(white: int) -> None:
    graph = graph_of(
        ("copies", ops.Repeat(4), "image"), ("tail", conv(0, 3, 12), "image"),
        ("up", ops.PixelShuffle(2), "tail"),
    )  # fmt: skip
    ranges = {node.name: (-5.0, 7.0) for node in graph}
    # With what is moved from and to them.
    assert settle(graph, ranges, white) == {node.name: (0.0, float(white)) for node in graph}
