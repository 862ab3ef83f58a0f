"""Drawing pictures and tiles."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesr.errors import UserError
from edgesr.evaluation.folder import Picture, read_folder
from edgesr.evaluation.resize import downscale
from edgesr.steps.pictures import (
    PIXEL_BUDGET,
    calibration_tiles,
    draw,
    most_complex,
    shipped_folder,
    tiles_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for index in range(9):
        Image.fromarray(generator.integers(0, 256, (20, 24, 3)).astype(np.uint8)).save(
            tmp_path / f"{index}.png"
        )
    return tmp_path


def names(pictures: tuple[Picture, ...]) -> list[str]:
    return [picture.name for picture in pictures]


def test_the_seed_decides(folder: Path) -> None:
    first, again, other = (draw(folder, 8, seed, 1) for seed in (0, 0, 1))
    assert names(first.calibrate) == names(again.calibrate)
    assert names(first.calibrate) != names(other.calibrate)


def test_a_quarter_is_held_back(folder: Path) -> None:
    drawn = draw(folder, 8, 0, 1)
    assert (len(drawn.calibrate), len(drawn.held_back)) == (6, 2)
    assert not set(names(drawn.calibrate)) & set(names(drawn.held_back))
    assert drawn.warnings == ()
    two = draw(folder, 2, 0, 1)
    assert (len(two.calibrate), len(two.held_back)) == (1, 1)


def test_a_single_picture_serves_both_and_says_so(folder: Path) -> None:
    drawn = draw(folder, 1, 0, 1)
    assert names(drawn.calibrate) == names(drawn.held_back)
    assert any("too optimistic" in line for line in drawn.warnings)


def test_fewer_than_asked_for_is_said(folder: Path) -> None:
    assert any("9 usable pictures, 16 were asked for" in line for line in draw(folder, 16, 0, 1).warnings)


def test_others_take_the_place_of_what_is_skipped(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"broken")
    Image.new("RGB", (24, 20), "red").save(folder / "5.png")
    drawn = draw(folder, 7, 0, 1)
    assert len(drawn.calibrate) + len(drawn.held_back) == 7
    assert sum("skipped 3.png" in line or "3.png cannot" in line for line in drawn.warnings) <= 1
    with pytest.raises(UserError, match="no picture can be used"):
        draw(folder, 7, 0, min_side=21)


def test_tiles_are_those_of_the_runtime() -> None:
    lr = np.arange(20 * 30 * 3, dtype=np.uint16).astype(np.uint8).reshape(20, 30, 3)
    tiles = tiles_of(lr, 16, 2)
    assert tiles.shape == (2 * 3, 16, 16, 3)
    assert np.array_equal(tiles[0], lr[:16, :16])
    assert np.array_equal(tiles[-1], lr[-16:, -16:])
    assert tiles_of(lr[:5, :7], 16, 2).shape == (1, 16, 16, 3)


@pytest.mark.parametrize("pixel_range", [1, 255])
def test_calibration_tiles(folder: Path, pixel_range: int) -> None:
    pictures = read_folder(folder).pictures
    tiles = calibration_tiles(pictures, 2, 8, 1, pixel_range, seed=0)
    count = sum(len(tiles_of(downscale(p.rgb, 2), 8, 1)) for p in pictures)
    assert tiles.pixels.shape == (count, 3, 8, 8)
    assert float(tiles.pixels.max()) <= pixel_range
    assert float(tiles.pixels.max()) > 0.8 * pixel_range
    other = calibration_tiles(pictures, 2, 8, 1, pixel_range, seed=1)
    assert tiles.fingerprint != other.fingerprint


def test_the_pixel_budget_bounds_the_tiles() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3)).astype(np.uint8)
    tiles = calibration_tiles([Picture("large", rgb)], 1, 64, 0, 1, 0)
    assert len(tiles.pixels) == PIXEL_BUDGET // 64**2


def test_the_most_complex_come_first() -> None:
    tiles = np.zeros((4, 16, 16, 3), np.uint8)
    tiles[2, ::3], tiles[1, ::8] = 255, 255
    chosen = most_complex(tiles, 2)
    assert np.array_equal(chosen, tiles[[2, 1]])


def test_the_shipped_pictures_are_found() -> None:
    drawn = draw(shipped_folder(), 16, 0, 128)
    assert len(drawn.calibrate) + len(drawn.held_back) == 16
    assert drawn.warnings == ()
