"""Cutting a picture into fixed square tiles and putting the results together without seams.

A program takes one input size. Where two tiles meet, each computes `halo` pixels beyond the seam that are
thrown away; at the border of the picture nothing is thrown away, so the network pads there exactly as it
would on the whole picture. All lengths are pixels of the low-resolution picture.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.pictures import RgbPicture


@dataclass(frozen=True, slots=True)
class Tile:
    """One run of the program: where its input starts, and the box of the picture that it alone answers for.

    The input is the square from (y, x); the box is rows top..bottom-1, columns left..right-1 of the picture.
    """

    y: int
    x: int
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class TilePlan:
    """All tiles of a picture, row by row; their boxes cover every pixel exactly once.

    `waste` is the share of computed pixels that is thrown away, 0 <= waste < 1.
    """

    height: int
    width: int
    tile: int
    halo: int
    tiles: tuple[Tile, ...]

    @property
    def waste(self) -> float:
        return 1 - self.height * self.width / (len(self.tiles) * self.tile**2)


@dataclass(frozen=True, slots=True)
class _Span:
    """A tile along one axis: it reads from `start` and keeps low..high-1."""

    start: int
    low: int
    high: int


def plan_tiles(height: int, width: int, tile: int, halo: int) -> TilePlan:
    """Plan the fewest `tile` x `tile` squares for a picture of height x width pixels.

    Both axes are planned alone. An axis of n <= tile pixels takes one tile at 0 (the missing pixels are
    mirrored in by `extract`); a longer one takes

        k = ceil((n - 2 halo) / (tile - 2 halo))                  tiles,
        start[i] = floor(i * (n - tile) / (k - 1))                for i in 0..k-1,
        seam[i] = floor((start[i] + start[i-1] + tile) / 2)       between tiles i-1 and i,

    and tile i keeps seam[i]..seam[i+1]-1, where the first keeps from 0 and the last to n.

    Raises:
        ValueError: a length below 1, or not 0 <= 2 * halo < tile.
    """
    if height < 1 or width < 1:
        raise ValueError(f"a picture of {height}x{width} has no pixels")
    if not 0 <= 2 * halo < tile:
        raise ValueError(f"halo {halo} must be at least 0 and below half the tile {tile}")
    rows, columns = _plan_axis(height, tile, halo), _plan_axis(width, tile, halo)
    tiles = tuple(Tile(r.start, c.start, r.low, c.low, r.high, c.high) for r in rows for c in columns)
    return TilePlan(height, width, tile, halo, tiles)


def _plan_axis(length: int, tile: int, halo: int) -> list[_Span]:
    if length <= tile:
        return [_Span(0, 0, length)]
    count = -((2 * halo - length) // (tile - 2 * halo))
    starts = [i * (length - tile) // (count - 1) for i in range(count)]
    seams = [(start + before + tile) // 2 for before, start in pairwise(starts)]
    edges = [0, *seams, length]
    return [_Span(start, edges[i], edges[i + 1]) for i, start in enumerate(starts)]


def mirrored(start: int, count: int, length: int) -> NDArray[np.intp]:
    """Indices start..start+count-1, reflected at both ends of an axis of `length` without repeating the edge.

    Index i becomes j = i mod (2 length - 2), or 2 length - 2 - j where j >= length; 0 where length is 1.
    """
    if length == 1:
        return np.zeros(count, np.intp)
    period = 2 * length - 2
    folded = np.arange(start, start + count, dtype=np.intp) % period
    return np.minimum(folded, period - folded)


def extract(picture: RgbPicture, plan: TilePlan, tile: Tile, out: NDArray[Any]) -> None:
    """Copy a tile's input of uint8 (height, width, 3) into `out` (tile, tile, 3) of any number type.

    Where the picture is smaller than the tile, its mirror image continues to the right and downwards.
    """
    if plan.height >= plan.tile and plan.width >= plan.tile:
        out[...] = picture[tile.y : tile.y + plan.tile, tile.x : tile.x + plan.tile]
        return
    rows = mirrored(tile.y, plan.tile, plan.height)
    columns = mirrored(tile.x, plan.tile, plan.width)
    out[...] = picture[rows[:, None], columns]


def stitch(result: NDArray[Any], tile: Tile, scale: int, picture: NDArray[np.uint8]) -> None:
    """Write what `tile` owns of its `result` (tile*scale, tile*scale, 3) into the large `picture` in place.

    `result` holds whole numbers 0..255; `picture` is uint8 (height*scale, width*scale, 3).
    """
    inner = result[
        (tile.top - tile.y) * scale : (tile.bottom - tile.y) * scale,
        (tile.left - tile.x) * scale : (tile.right - tile.x) * scale,
    ]
    picture[tile.top * scale : tile.bottom * scale, tile.left * scale : tile.right * scale] = inner
