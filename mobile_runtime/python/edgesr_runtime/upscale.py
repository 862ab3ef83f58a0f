"""Upscaling one picture with one variant of a program, tile by tile."""

from collections.abc import Callable

import numpy as np

from edgesr_runtime.engines import Floats
from edgesr_runtime.pictures import RgbPicture
from edgesr_runtime.program import Program
from edgesr_runtime.routing import fixed, routed
from edgesr_runtime.tiles import extract, plan_tiles, stitch

Progress = Callable[[int, int], None]


def upscale(
    program: Program, picture: RgbPicture, variant: str | None = None, progress: Progress | None = None
) -> RgbPicture:
    """Enlarge uint8 (height, width, 3) to uint8 (height * scale, width * scale, 3), any size from 1x1.

    Args:
        program: an opened program.
        picture: RGB pixels 0..255.
        variant: the signature to run on every tile; by default each tile's complexity decides (`routing`).
        progress: called with (tiles done, tiles in all) after every tile.

    Raises:
        UserError: the engine fails.
        ValueError: another type or shape of `picture`, or a variant that the program has not.
    """
    info = program.info
    choose = routed(info) if variant is None else fixed(info, variant)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(f"expected uint8 (height, width, 3), got {picture.dtype} {picture.shape}")
    height, width = picture.shape[:2]
    plan = plan_tiles(height, width, info.tile, info.halo)
    enlarged = np.empty((height * info.scale, width * info.scale, 3), np.uint8)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    batch = np.empty((1, *square.shape), np.float32)
    for done, tile in enumerate(plan.tiles, start=1):
        extract(picture, plan, tile, square)
        batch[0] = square
        to_program_range(batch, info.pixel_range)
        result = program.engine.run(choose(square), batch)
        to_pixels(result, info.pixel_range)
        stitch(result[0], tile, info.scale, enlarged)
        if progress is not None:
            progress(done, len(plan.tiles))
    return enlarged


def to_program_range(values: Floats, pixel_range: int) -> None:
    """Scale float32 pixels 0..255 in place to 0..pixel_range: v / 255 in float32 where that is 1."""
    if pixel_range == 1:
        np.divide(values, np.float32(255), out=values)


def to_pixels(values: Floats, pixel_range: int) -> None:
    """Turn float32 answers in place into whole numbers 0..255.

    Multiplied by 255 in float32 where white is 1, clipped to 0..255 (NaN becomes 0), and rounded, halves to
    the even neighbour.
    """
    if pixel_range == 1:
        np.multiply(values, np.float32(255), out=values)
    np.fmax(values, np.float32(0), out=values)
    np.fmin(values, np.float32(255), out=values)
    np.rint(values, out=values)
