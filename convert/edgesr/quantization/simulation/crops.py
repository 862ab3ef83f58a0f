"""The low-resolution crops that methods calibrate and tune on, each with the detail it is routed by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from edgesr_runtime.complexity import complexity
from edgesr_runtime.pictures import RgbPicture
from edgesr_runtime.tiles import mirrored

SIDE = 96  # low-resolution pixels (METHODS A.4)


@dataclass(frozen=True)
class Crops:
    """Crops of low-resolution pictures.

    Attributes:
        pixels: float32 (N, 3, side, side) in the network's pixel range.
        detail: float32 (N,), the complexity c (METHODS A.6) of what will be routed in the crop's place: the
            picture that it is of, or the crop itself.
        pixel_range: value of white, 1 or 255.
        seed: of the drawing; methods that draw more continue from it.
    """

    pixels: Tensor
    detail: Tensor
    pixel_range: int
    seed: int = 0

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, chosen: slice | Tensor) -> "Crops":
        """Some of the crops."""
        return replace(self, pixels=self.pixels[chosen], detail=self.detail[chosen])

    def batches(self, size: int) -> Iterator["Crops"]:
        """In order; the last one may be smaller."""
        return (self.take(slice(start, start + size)) for start in range(0, len(self), size))

    def lively(self) -> "Crops":
        """Those of more than one colour: a flat one has no range to tell (METHODS A.11); all if none is."""
        flat = self.pixels.amax((1, 2, 3)) == self.pixels.amin((1, 2, 3))
        return self if bool(flat.all()) else self.take(~flat)


def draw_crops(
    pictures: Sequence[RgbPicture], count: int, by_tile: bool, pixel_range: int, seed: int, side: int = SIDE
) -> Crops:
    """Draws crops of side x side, flipped and transposed by chance (METHODS A.4), from the pictures in turn.

    Where a picture is smaller than the crop, its mirror image continues it.

    Args:
        pictures: low-resolution, (H,W,3), at least one.
        by_tile: whether the network will be given tiles, and the detail is the crop's own.
    """
    random = np.random.default_rng(seed)
    crops = np.empty((count, side, side, 3), np.uint8)
    detail = np.empty(count, np.float32)
    for index in range(count):
        picture = pictures[index % len(pictures)]
        rows, columns = (_span(random, length, side) for length in picture.shape[:2])
        crop = picture[rows[:, None], columns]
        crops[index] = _turned(random, crop)
        detail[index] = complexity(crop if by_tile else picture)
    pixels = torch.from_numpy(crops.transpose(0, 3, 1, 2).astype(np.float32)) * (pixel_range / 255)
    return Crops(pixels, torch.from_numpy(detail), pixel_range, seed)


def _span(random: np.random.Generator, length: int, side: int) -> np.ndarray:
    """Indices of a piece of an axis, at a random place."""
    start = int(random.integers(0, max(1, length - side + 1)))
    return mirrored(start, side, length)


def _turned(random: np.random.Generator, crop: np.ndarray) -> np.ndarray:
    flip, turn, transpose = random.random(3) < 0.5
    crop = crop[:, ::-1] if flip else crop
    crop = crop[::-1] if turn else crop
    return crop.swapaxes(0, 1) if transpose else crop
