"""Upscaling row by row of tiles: as much of a picture as one row of tiles needs is held at a time."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Protocol

import numpy as np

from edgesr_runtime.bicubic import enlarge
from edgesr_runtime.complexity import complexity
from edgesr_runtime.metadata import ProgramInfo
from edgesr_runtime.pictures import Picture
from edgesr_runtime.pictures.sinks import Write
from edgesr_runtime.pictures.source import Source
from edgesr_runtime.program import Program
from edgesr_runtime.routing import Choice
from edgesr_runtime.runner import Runner
from edgesr_runtime.tiles import Tile, TilePlan, extract, stitch

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all) after every tile; whatever it raises stops the work."""


class Canvas(Protocol):
    """What takes the enlarged rows, from top to bottom."""

    def rows(self, count: int) -> Picture:
        """Where the next so many rows are to be put: uint8 (count, width, channels)."""

    def filled(self, rows: Picture) -> None:
        """They have been put there."""


class ArrayCanvas:
    """Rows of an array."""

    def __init__(self, picture: Picture) -> None:
        self._picture, self._next = picture, 0

    def rows(self, count: int) -> Picture:
        return self._picture[self._next : self._next + count]

    def filled(self, rows: Picture) -> None:
        self._next += len(rows)


class StripCanvas:
    """A buffer that is used again and again; what was put there is handed to `write`."""

    def __init__(self, width: int, channels: int, write: Write) -> None:
        self._buffer, self._write = np.empty((0, width, channels), np.uint8), write

    def rows(self, count: int) -> Picture:
        if len(self._buffer) < count:
            self._buffer = np.empty((count, *self._buffer.shape[1:]), np.uint8)
        return self._buffer[:count]

    def filled(self, rows: Picture) -> None:
        self._write(rows)


def strips_need(column: TilePlan, width: int, info: ProgramInfo, channels: int) -> int:
    """Bytes that `upscale_strips` takes besides the program: rows in, rows out, and the tiles under way.

    Args:
        column: the plan of one column of the picture, which is `width` pixels wide.
    """
    rows_in = min(column.tile, column.height) * width * channels
    owned = max(tile.bottom - tile.top for tile in column.tiles)
    rows_out = owned * width * info.scale**2 * channels
    squares = (info.tile * info.scale) ** 2 * channels * 4 * 4
    return rows_in + rows_out + squares


def upscale_strips(
    program: Program,
    source: Source,
    canvas: Canvas,
    plan: TilePlan,
    choose: Choice,
    progress: Progress | None,
) -> None:
    """Enlarge all of `source` by `plan` onto `canvas`.

    Raises:
        UserError: the engine, the source or the sink fails.
    """
    info = program.info
    runner = Runner(program)
    done = 0
    for tiles, window in _windows(source, plan):
        strip = canvas.rows((tiles[0].bottom - tiles[0].top) * info.scale)
        for tile, square in _squares(tiles, window, plan):
            place = _moved(tile, tile.top)
            stitch(runner.run(choose(square[..., :3]), square[..., :3]), place, info.scale, strip[..., :3])
            if source.channels == 4:
                stitch(enlarge(square[..., 3:], info.scale), place, info.scale, strip[..., 3:])
            done += 1
            if progress is not None:
                progress(done, len(plan.tiles))
        canvas.filled(strip)


def assessed(source: Source, plan: TilePlan, choose: Choice) -> tuple[list[float], list[str]]:
    """The complexity of every tile of the plan, and what `choose` says of it."""
    details, routes = [], []
    for tiles, window in _windows(source, plan):
        for _, square in _squares(tiles, window, plan):
            details.append(complexity(square[..., :3]))
            routes.append(choose(square[..., :3]))
    return details, routes


def _windows(source: Source, plan: TilePlan) -> Iterator[tuple[list[Tile], Picture]]:
    """Each row of tiles with the rows of the picture that it reads, in a buffer that is used again."""
    window = np.empty((min(plan.tile, plan.height), plan.width, source.channels), np.uint8)
    top = -len(window)
    for start, tiles in groupby(plan.tiles, key=lambda tile: tile.y):
        fresh = min(start - top, len(window))
        window[:-fresh] = window[fresh:]
        source.read(window[-fresh:])
        top = start
        yield list(tiles), window


def _squares(tiles: list[Tile], window: Picture, plan: TilePlan) -> Iterator[tuple[Tile, Picture]]:
    """Each tile with its input, in a buffer that is used again."""
    square = np.empty((plan.tile, plan.tile, window.shape[2]), np.uint8)
    for tile in tiles:
        extract(window, plan, _moved(tile, tile.y), square)
        yield tile, square


def _moved(tile: Tile, rows: int) -> Tile:
    """The tile as seen from so many rows further down."""
    return Tile(tile.y - rows, tile.x, tile.top - rows, tile.left, tile.bottom - rows, tile.right)
