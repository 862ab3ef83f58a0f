"""Upscaling picture files of any size within a memory budget.

Where the pictures fit into it, Pillow reads and writes them as a whole; else libvips does, strip by strip.
The pixels are the same either way.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgesr_runtime.errors import PictureError
from edgesr_runtime.files import StrPath
from edgesr_runtime.memory import DEFAULT, MEGABYTE, held
from edgesr_runtime.pictures import check_holds, check_target
from edgesr_runtime.pictures.formats import Format, format_of
from edgesr_runtime.pictures.reading import Header, in_strips, read_header, whole
from edgesr_runtime.pictures.sinks import Write, pillow_sink
from edgesr_runtime.pictures.source import Source
from edgesr_runtime.pictures.vips_sink import vips_sink
from edgesr_runtime.program import Program
from edgesr_runtime.strips import Progress, StripCanvas, strips_need, upscale_strips
from edgesr_runtime.upscale import Manner, choice, plan_for

_SLACK = 24 * MEGABYTE  # allocators, threads, what libraries hold
_VIPS = 40 * MEGABYTE  # libvips itself
_WRITTEN_ROWS = 800  # what libvips keeps of a picture that it writes
_ENCODING = {"WEBP": 40.0}  # bytes of a pixel in Pillow's hands while it encodes
_PLANNED = 128  # bytes of a tile in the plan
_FEW_TILES = 50  # a program that is new to so few is not run once more to see what it holds


@dataclass(frozen=True)
class _Way:
    """A way to read, or to write: the bytes that it takes while tiles run, and those before that."""

    strips: bool
    running: int
    before: int = 0


def upscale_file(
    program: Program,
    source: StrPath,
    target: StrPath,
    manner: Manner | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Enlarge the picture file `source` to `target`, in the format of its extension.

    The ICC profile goes along, and so does alpha, where the format has them.

    Args:
        memory: bytes that the whole process may hold; None: 512 MB, or 256 MB more than it holds already.
        progress: called with (tiles done, tiles in all) after every tile; what it raises stops the work, and
            then `target` is what it was before.

    Returns:
        What the user may want to know: a line where alpha is left out.

    Raises:
        UserError: `source` cannot be read, `target` cannot be written, the memory does not do, pyvips is
            missing for a large picture, or the engine fails.
        ValueError: a route that the program has not.
    """
    manner = manner or Manner()
    memory = memory or max(DEFAULT, held() + DEFAULT // 2)
    check_target(target)
    header, kind = read_header(source), format_of(target)
    scale = program.info.scale
    height, width = header.upright
    size = height * scale, width * scale
    check_holds(target, *size)
    column, row = (plan_for(program.info, *sides, manner.exact) for sides in ((height, 1), (1, width)))
    channels = 4 if header.alpha and kind.alpha else 3
    count = len(column.tiles) * len(row.tiles)
    if count > _FEW_TILES:
        _warm_up(program)
    base = held() + _SLACK
    tiles = count * _PLANNED + strips_need(column, width, program.info, 4 if header.alpha else 3)
    reading, writing = _ways(header, kind, size, channels, base, tiles, memory)
    plan = plan_for(program.info, height, width, manner.exact)  # the file may claim any number of tiles
    why = f"{header.path}: more than fits into {memory // MEGABYTE} MB"
    with _read(header, reading, target, why) as pixels:
        choose = choice(program, plan, manner, pixels)
        with _write(target, kind, size, channels, pixels.profile, writing, why) as write:
            canvas = StripCanvas(size[1], pixels.channels, lambda rows: write(rows[..., :channels]))
            upscale_strips(program, pixels, canvas, plan, choose, progress)
    if header.alpha and not kind.alpha:
        return (f"{os.fspath(target)}: {kind.name} has no alpha, which is left out; use .png to keep it",)
    return ()


def _warm_up(program: Program) -> None:
    """Run every variant once, so that its memory is among what the process holds."""
    batch = np.zeros((1, program.info.tile, program.info.tile, 3), np.float32)
    for variant in program.info.variants:
        program.engine.run(variant, batch)


def _ways(
    header: Header, kind: Format, size: tuple[int, int], channels: int, base: int, tiles: int, memory: int
) -> tuple[_Way, _Way]:
    """How to read and how to write within `memory`: as a whole where that fits.

    Raises:
        UserError: no way does.
    """
    pairs = [(r, w) for r in _reading(header) for w in _writing(kind, size, channels)]
    needs = [max(base + r.before, base + tiles + r.running + w.running) for r, w in pairs]
    for pair, need in zip(pairs, needs, strict=True):
        if need <= memory:
            return pair
    least = -(-min(needs) // MEGABYTE)
    raise PictureError(
        f"{header.path}: enlarging it takes {least} MB of memory, more than --memory"
        f" {memory // MEGABYTE}MB; give --memory {least}MB"
    )


def _reading(header: Header) -> Iterator[_Way]:
    if not header.deep:
        yield _Way(False, header.whole_need)
    if not header.strips:
        return
    decoding = _VIPS + header.decoding_need
    yield _Way(True, _VIPS, decoding) if header.spools else _Way(True, decoding)


def _writing(kind: Format, size: tuple[int, int], channels: int) -> Iterator[_Way]:
    yield _Way(False, int(size[0] * size[1] * _ENCODING.get(kind.name, 4.5)))
    if kind.strips is not None:
        yield _Way(True, _VIPS + min(size[0], _WRITTEN_ROWS) * size[1] * channels)


def _read(header: Header, way: _Way, target: StrPath, why: str) -> AbstractContextManager[Source]:
    if way.strips:
        return in_strips(header, Path(os.path.realpath(target)).parent, why)
    return _whole(header)


@contextmanager
def _whole(header: Header) -> Iterator[Source]:
    yield whole(header)


def _write(
    target: StrPath,
    kind: Format,
    size: tuple[int, int],
    channels: int,
    profile: bytes | None,
    way: _Way,
    why: str,
) -> AbstractContextManager[Write]:
    if way.strips:
        return vips_sink(target, kind, size, channels, profile, why)
    return pillow_sink(target, kind, size, channels, profile)
