"""Where a program's tiles lie on a picture, how complex they are and which variant each goes to."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from edgesr_runtime import ProgramInfo
from edgesr_runtime.complexity import complexity
from edgesr_runtime.routing import routed
from edgesr_runtime.tiles import extract, plan_tiles

from ..evaluation.judge import Rgb
from .material import Box, RoutedTile, TileMap

DRAWN = 1000  # tiles of a picture, at most, if there is one of so few


def tile_map(name: str, lr: Rgb, info: ProgramInfo) -> TileMap:
    """The tiles of a low-resolution picture, as the runtime cuts and routes them."""
    plan = plan_tiles(lr.shape[0], lr.shape[1], info.tile, info.halo)
    choose = routed(info)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    tiles = []
    for tile in plan.tiles:
        extract(lr, plan, tile, square)
        box = Box(tile.left, tile.top, tile.right - tile.left, tile.bottom - tile.top)
        tiles.append(RoutedTile(box, complexity(square), choose(square)))
    return TileMap(name, (lr.shape[1], lr.shape[0]), tuple(tiles))


def routes(maps: Iterable[TileMap]) -> dict[str, int]:
    """Variant -> how many tiles of all pictures go there."""
    return dict(Counter(tile.variant for each in maps for tile in each.tiles))


def most_telling(maps: Sequence[TileMap]) -> TileMap:
    """Of the pictures that can be drawn, the one that uses most variants; among equals that of most tiles."""
    few = [each for each in maps if len(each.tiles) <= DRAWN]
    if not few:
        return min(maps, key=lambda each: len(each.tiles))
    return max(few, key=lambda each: (len(routes([each])), len(each.tiles)))
