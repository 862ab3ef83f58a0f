"""Tiles cover every pixel once, keep their halos and are as few as can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr_runtime.tiles import TilePlan, extract, mirrored, plan_tiles, stitch


@st.composite
def plans(draw: st.DrawFn, longest: int = 300) -> TilePlan:
    tile = draw(st.integers(1, 64))
    halo = draw(st.integers(0, (tile - 1) // 2))
    # Not more than a few thousand tiles, for the sake of time.
    most = min(longest, 50 * (tile - 2 * halo))
    return plan_tiles(draw(st.integers(1, most)), draw(st.integers(1, most)), tile, halo)


@given(plans())
def test_every_pixel_is_owned_once(plan: TilePlan) -> None:
    owners = np.zeros((plan.height, plan.width), int)
    for tile in plan.tiles:
        assert tile.top < tile.bottom and tile.left < tile.right
        owners[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert (owners == 1).all()


@given(plans())
def test_halos_stand_at_seams_and_nowhere_at_borders(plan: TilePlan) -> None:
    for tile in plan.tiles:
        for start, low, high, length in (
            (tile.y, tile.top, tile.bottom, plan.height),
            (tile.x, tile.left, tile.right, plan.width),
        ):
            end = start + plan.tile
            assert start >= 0 and low >= start and high <= end
            assert end <= length or (length < plan.tile and start == 0)
            assert low >= start + plan.halo if low > 0 else start == 0
            assert high <= end - plan.halo if high < length else end >= length


@given(plans())
def test_tiles_are_as_few_as_halos_allow(plan: TilePlan) -> None:
    def fewest(length: int) -> int:
        count, reach = 1, plan.tile
        while reach < length:  # each further tile brings this much, however it is placed
            count, reach = count + 1, reach + plan.tile - 2 * plan.halo
        return count

    assert len(plan.tiles) == fewest(plan.height) * fewest(plan.width)
    assert plan.waste == pytest.approx(1 - plan.height * plan.width / (len(plan.tiles) * plan.tile**2))
    assert 0 <= plan.waste < 1


@given(plans())
def test_overlaps_are_balanced(plan: TilePlan) -> None:
    for starts in ({tile.y for tile in plan.tiles}, {tile.x for tile in plan.tiles}):
        steps = np.diff(sorted(starts))
        assert len(steps) == 0 or steps.max() - steps.min() <= 1


@given(plans(longest=120), st.integers(1, 3))
def test_cutting_and_stitching_gives_the_picture_back(plan: TilePlan, scale: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (plan.height, plan.width, 3), dtype=np.uint8)
    enlarged = np.zeros((plan.height * scale, plan.width * scale, 3), np.uint8)
    square = np.empty((plan.tile, plan.tile, 3), np.float32)
    for tile in plan.tiles:
        extract(picture, plan, tile, square)
        stitch(square.repeat(scale, 0).repeat(scale, 1), tile, scale, enlarged)
    np.testing.assert_array_equal(enlarged, picture.repeat(scale, 0).repeat(scale, 1))


def test_an_example_worked_by_hand() -> None:
    plan = plan_tiles(16, 37, tile=16, halo=2)
    assert [(t.x, t.left, t.right) for t in plan.tiles] == [(0, 0, 13), (10, 13, 23), (21, 23, 37)]
    assert {(t.y, t.top, t.bottom) for t in plan.tiles} == {(0, 0, 16)}


def test_small_pictures_are_mirrored_to_the_right_and_downwards() -> None:
    picture = np.arange(1, 7, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)
    plan = plan_tiles(2, 3, tile=8, halo=1)
    square = np.empty((8, 8, 3), np.uint8)
    extract(picture, plan, plan.tiles[0], square)
    np.testing.assert_array_equal(square, np.pad(picture, ((0, 6), (0, 5), (0, 0)), mode="reflect"))


def test_one_pixel_fills_a_tile() -> None:
    plan = plan_tiles(1, 1, tile=4, halo=0)
    square = np.empty((4, 4, 3), np.uint8)
    extract(np.full((1, 1, 3), 9, np.uint8), plan, plan.tiles[0], square)
    assert (square == 9).all() and plan.waste == 15 / 16


@given(st.integers(-50, 50), st.integers(1, 9))
def test_mirroring_reflects_at_both_ends(index: int, length: int) -> None:
    padded = np.pad(np.arange(length), 60, mode="reflect" if length > 1 else "edge")
    assert mirrored(index, 1, length)[0] == padded[60 + index]


@pytest.mark.parametrize(
    ("height", "width", "tile", "halo"),
    [(0, 5, 8, 1), (5, 0, 8, 1), (5, 5, 8, 4), (5, 5, 8, -1), (5, 5, 0, 0)],
)
def test_refuses_the_impossible(height: int, width: int, tile: int, halo: int) -> None:
    with pytest.raises(ValueError, match=r"pixels|halo"):
        plan_tiles(height, width, tile, halo)
