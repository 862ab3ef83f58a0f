"""Upscaling one picture in memory."""

import math
from dataclasses import dataclass

import numpy as np

from edgesr_runtime.budget import microseconds, within
from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import ProgramInfo, Routing
from edgesr_runtime.pictures import Picture
from edgesr_runtime.pictures.source import ArraySource, Source
from edgesr_runtime.pixels import to_pixels, to_program_range
from edgesr_runtime.program import Program
from edgesr_runtime.routing import Choice, fixed, routed
from edgesr_runtime.strips import ArrayCanvas, Progress, assessed, upscale_strips
from edgesr_runtime.tiles import TilePlan, plan_tiles

__all__ = ["Manner", "Progress", "to_pixels", "to_program_range", "upscale"]


@dataclass(frozen=True)
class Manner:
    """How a picture is enlarged.

    Attributes:
        route: the variant that runs on every tile, or `skip` for none; None lets each tile's complexity
            decide.
        routing: thresholds instead of the program's own.
        seconds: what all runs of the network together may take; tiles step down to cheaper variants, the
            plainest first, until they fit.
        exact: tiles overlap so far that the picture comes out as the network makes it in one piece.
    """

    route: str | None = None
    routing: Routing | None = None
    seconds: float | None = None
    exact: bool = False


def upscale(
    program: Program,
    picture: Picture,
    variant: str | None = None,
    progress: Progress | None = None,
    *,
    routing: Routing | None = None,
    seconds: float | None = None,
    exact: bool = False,
) -> Picture:
    """Enlarge uint8 (height, width, 3) to uint8 (height * scale, width * scale, 3), any size from 1x1.

    Args:
        program: an opened program.
        picture: RGB pixels 0..255, or four channels, the last of which is alpha.
        variant, routing, seconds, exact: as in `Manner`, `variant` being its route.
        progress: called with (tiles done, tiles in all) after every tile; what it raises stops the work.

    Raises:
        UserError: the engine fails, the program cannot do it exactly, or `seconds` is no time.
        ValueError: another type or shape of `picture`, or a variant that the program has not.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.size == 0:
        raise ValueError(f"expected uint8 (height, width, 3 or 4), got {picture.dtype} {picture.shape}")
    manner = Manner(variant, routing, seconds, exact)
    height, width, channels = picture.shape
    plan = plan_for(program.info, height, width, exact)
    source = ArraySource(picture)
    choose = choice(program, plan, manner, source)
    scale = program.info.scale
    enlarged = np.empty((height * scale, width * scale, channels), np.uint8)
    upscale_strips(program, source, ArrayCanvas(enlarged), plan, choose, progress)
    return enlarged


def plan_for(info: ProgramInfo, height: int, width: int, exact: bool) -> TilePlan:
    """The tiles of a picture.

    Raises:
        UserError: `exact`, and the program's tile is too small for that or it does not tell the halo.
    """
    if not exact:
        return plan_tiles(height, width, info.tile, info.halo)
    if info.exact_halo is None:
        raise UserError("the program does not know an exact halo; leave out --exact or convert it again")
    if 2 * info.exact_halo >= info.tile:
        raise UserError(
            f"an exact result needs a halo of {info.exact_halo} pixels, which is not below half the program's"
            f" tile of {info.tile}; leave out --exact or convert with --tile {4 * info.exact_halo}"
        )
    return plan_tiles(height, width, info.tile, info.exact_halo)


def choice(program: Program, plan: TilePlan, manner: Manner, source: Source) -> Choice:
    """Where each tile is sent, to be asked in the order of the plan.

    Within a time, that takes a look at all of `source` first.
    """
    info = program.info
    choose = routed(info, manner.routing) if manner.route is None else fixed(info, manner.route)
    if manner.seconds is None:
        return choose
    if not 0 <= manner.seconds < math.inf:
        raise UserError(f"{manner.seconds} seconds are no time to keep to; give 0 or more")
    details, routes = assessed(source, plan, choose)
    source.rewind()
    chosen = iter(within(int(manner.seconds * 10**6), microseconds(program), details, routes))
    return lambda square: next(chosen)
