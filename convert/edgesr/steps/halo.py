"""How many pixels of a tile are thrown away where it meets another one.

As many as the network looks, where that is little. A network that looks further hardly uses what it sees
there, so fewer will do: as few as leave no seam on the calibration pictures. A network with attention looks
at the whole picture; no halo gives it back what a tile cuts off, so there the tile itself is what calibration
and gate judge.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..evaluation.judge import Rgb
from .deployment import Network, pixels_of

CHEAP = 8  # pixels: a halo that costs little at the usual tiles
KEPT = 0.5  # share of the pixels computed for a tile, below which a larger tile is worth a word
SEAM = 1.0  # grey levels that a float tile may differ from the whole picture where it is kept


def waste(tile: int, halo: int) -> str:
    """Tells where most of what is computed for an inner tile is thrown away; "" where it is not."""
    kept, larger = ((1 - 2 * halo / side) ** 2 for side in (tile, 2 * tile))
    if kept >= KEPT:
        return ""
    return (
        f"this network looks far, so {halo} pixels of a tile are thrown away at each seam: tiles of {tile} "
        f"pixels keep {kept:.0%} of what is computed, --tile {2 * tile} would keep {larger:.0%}"
    )


def exact_halo(radius: int | None, tile: int) -> int | None:
    """The halo with which tiles give what the whole picture would; None where none is small enough."""
    return radius if radius is not None and 2 * radius < tile else None


def economic_halo(
    graph: Network, radius: int | None, tile: int, pictures: Iterable[Rgb], pixel_range: int
) -> int:
    """The halo that tiles are cut with unless exactness is asked for.

    Args:
        radius: pixels beyond its own that an output pixel depends on; None if it is all of them.
        pictures: low-resolution pictures to look for seams on; those no larger than a tile say nothing.
    """
    most = tile // 4
    if radius is None or radius <= CHEAP:
        return min(CHEAP if radius is None else radius, most)
    seen = [seam_errors(graph, tile, lr, pixel_range) for lr in pictures if max(lr.shape[:2]) > tile]
    if not seen:
        return min(CHEAP, most)
    visible = np.flatnonzero(np.max(seen, axis=0) > SEAM)
    return min(int(visible.max(initial=-1)) + 1, radius, most)


def seam_errors(graph: Network, tile: int, lr: Rgb, pixel_range: int) -> NDArray[np.float64]:
    """(tile // 2,) largest difference in grey levels between a tile and the whole picture, by the distance
    in low-resolution pixels to the nearest edge at which the tile is cut out; the tile is the middle one.
    """
    side = 3 * tile  # what lies further away hardly counts and would take long
    lr = _middle(lr, side, side)
    height, width = min(lr.shape[0], tile), min(lr.shape[1], tile)
    top, left = (lr.shape[0] - height) // 2, (lr.shape[1] - width) // 2
    cut = lr[top : top + height, left : left + width]
    whole, alone = pixels_of(graph, lr, pixel_range), pixels_of(graph, cut, pixel_range)
    scale = len(alone) // height
    own = whole[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
    blocks = np.abs(own - alone).reshape(height, scale, width, scale, 3).max(axis=(1, 3, 4))
    distance = np.minimum(
        _from_edges(height, lr.shape[0] > height)[:, None], _from_edges(width, lr.shape[1] > width)
    )
    return np.array([blocks[distance == d].max(initial=0.0) for d in range(tile // 2)])


def _middle(lr: Rgb, height: int, width: int) -> Rgb:
    top, left = max(0, lr.shape[0] - height) // 2, max(0, lr.shape[1] - width) // 2
    return lr[top : top + height, left : left + width]


def _from_edges(length: int, is_cut: bool) -> NDArray[np.int64]:
    """Distance of each index to the nearer end; far from everything where the axis is whole."""
    index = np.arange(length)
    return np.minimum(index, index[::-1]) if is_cut else np.full(length, length)
