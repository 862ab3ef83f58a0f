"""Drawing crops."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from edgesr.quantization.simulation.crops import SIDE, Crops, draw_crops
from edgesr_runtime.complexity import complexity


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def bytes_of(crops: Crops) -> NDArray[np.uint8]:
    pixels = (crops.pixels * (255 / crops.pixel_range)).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("white", [1, 255])
def test_crops_are_pieces_of_the_pictures_turned_by_chance(white: int) -> None:
    source = picture(20, 30)
    crops = draw_crops([source], 40, False, white, seed=1, side=8)
    assert crops.pixels.shape == (40, 3, 8, 8) and crops.pixels.max() <= white
    pieces = {source[y : y + 8, x : x + 8].tobytes() for y in range(13) for x in range(23)}
    turns = set()
    for crop in bytes_of(crops):
        options = {
            (f, t, s): crop[:: 1 - 2 * t, :: 1 - 2 * f].swapaxes(0, 1)
            if s
            else crop[:: 1 - 2 * t, :: 1 - 2 * f]
            for f in (0, 1)
            for t in (0, 1)
            for s in (0, 1)
        }
        fitting = {turn for turn, piece in options.items() if piece.tobytes() in pieces}
        assert len(fitting) == 1
        turns |= fitting
    assert len(turns) == 8


def test_the_seed_decides() -> None:
    first, same, other = (draw_crops([picture(20, 20)], 5, False, 1, seed, side=8) for seed in (3, 3, 4))
    assert torch.equal(first.pixels, same.pixels) and not torch.equal(first.pixels, other.pixels)


def test_pictures_come_in_turn_and_give_their_own_detail_or_the_crops() -> None:
    pictures = [picture(20, 20, 1), np.full((20, 20, 3), 9, np.uint8), picture(20, 20, 2) // 4]
    whole = draw_crops(pictures, 7, False, 255, 0, side=8)
    assert whole.detail.tolist() == pytest.approx([complexity(pictures[i % 3]) for i in range(7)], rel=1e-6)
    tiles = draw_crops(pictures, 7, True, 255, 0, side=8)
    assert tiles.detail.tolist() == pytest.approx([complexity(crop) for crop in bytes_of(tiles)], rel=1e-6)
    assert torch.equal(tiles.pixels, whole.pixels)


def test_small_pictures_are_continued_by_their_mirror_image() -> None:
    source = picture(5, 40)
    crop = bytes_of(draw_crops([source], 1, False, 255, 0))[0]
    assert crop.shape == (SIDE, SIDE, 3)
    assert {pixel.tobytes() for pixel in crop.reshape(-1, 3)} == {p.tobytes() for p in source.reshape(-1, 3)}


def test_batches_hold_every_crop_once() -> None:
    crops = draw_crops([picture(20, 20)], 7, False, 1, 0, side=8)
    parts = list(crops.batches(3))
    assert [len(part) for part in parts] == [3, 3, 1]
    assert torch.equal(torch.cat([part.pixels for part in parts]), crops.pixels)
    assert torch.equal(torch.cat([part.detail for part in parts]), crops.detail)
