"""Thresholds found anew on pictures of one's own, without originals to compare with.

The conversion tells how far from its best variant the routed program may stray (`Routing.error`). What each
variant strays on each tile of other pictures, and what it takes on another machine, then decide anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.budget import microseconds
from edgesr_runtime.complexity import complexity
from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import Routing
from edgesr_runtime.pictures import RgbPicture
from edgesr_runtime.program import Program
from edgesr_runtime.routing import served
from edgesr_runtime.runner import Runner
from edgesr_runtime.tiles import extract, plan_tiles

_NEVER = 1000.0  # no tile is as complex: the measure ends at 500


def recalibrate(program: Program, pictures: Iterable[RgbPicture]) -> Routing:
    """Thresholds for `program` that suit these pictures and this machine; it must have some already.

    Every variant runs on every tile of the uint8 (height, width, 3) pictures. `upscale(..., routing=...)`
    takes the answer.

    Raises:
        UserError: the program does not tell the error that its conversion accepted, there are no pictures,
            or no thresholds keep to that error on them.
    """
    info = program.info
    if info.routing is None or info.routing.error is None:
        raise UserError("the program's metadata has no routing.error to keep to; convert the network again")
    details, errors = [], []
    for picture in pictures:
        for detail, row in _rows(program, picture):
            details.append(detail)
            errors.append(row)
    if not details:
        raise UserError("no pictures to find thresholds on; give at least one")
    table = dict(zip(info.variants, np.array(errors, np.int64).T, strict=True))
    side = info.tile * info.scale
    found = thresholds(info.routing, side, microseconds(program), np.array(details), table)
    if found is None:
        raise UserError("no thresholds keep to the program's routing.error on these pictures; keep its own")
    return found


def _rows(program: Program, picture: RgbPicture) -> Iterable[tuple[float, list[int]]]:
    """(complexity, error of each variant) of each tile."""
    info = program.info
    plan = plan_tiles(picture.shape[0], picture.shape[1], info.tile, info.halo)
    runner = Runner(program)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    for tile in plan.tiles:
        extract(picture, plan, tile, square)
        answers = [runner.run(name, square).astype(np.int64) for name in info.variants]
        yield complexity(square), [int(((answer - answers[-1]) ** 2).sum()) for answer in answers]


def thresholds(
    routing: Routing,
    side: int,
    costs: Mapping[str, int],
    details: NDArray[np.float64],
    errors: Mapping[str, NDArray[np.int64]],
) -> Routing | None:
    """The fastest thresholds that keep to the accepted error, as docs/runtime.md states; None if none do.

    Args:
        routing: whose `error` is kept to, and whose `skip` stays.
        side: of a tile's answer, tile * scale.
        costs: variant -> microseconds of a tile, cheapest variant first.
        details: (tiles,) their complexity.
        errors: variant -> (tiles,) squared differences to the last variant, summed over a tile's answer.
    """
    allowed = (routing.error or 0.0) * 3 * side**2 * len(details)
    order = np.argsort(details, kind="stable")
    order = order[details[order] >= routing.skip]
    seen = details[order]
    candidates = np.unique([routing.skip, *seen.tolist(), max(_NEVER, routing.skip)])
    # below[v][i]: error of variant v on the i plainest tiles.
    ends = np.searchsorted(seen, candidates, side="left"), np.searchsorted(seen, candidates, side="right")
    below = {name: np.concatenate(([0], np.cumsum(errors[name][order]))) for name in costs}
    low, mid, high = served(tuple(costs))
    best: tuple[int, int, float, float] | None = None
    for index, first in enumerate(ends[0].tolist()):
        last = ends[1][index:]
        error = below[low][first] + below[mid][last] - below[mid][first] + below[high][-1] - below[high][last]
        spent = costs[low] * first + costs[mid] * (last - first) + costs[high] * (len(seen) - last)
        fitting = np.flatnonzero(error <= allowed)
        if len(fitting):
            place = fitting[np.lexsort((error[fitting], spent[fitting]))[0]]
            found = (int(spent[place]), int(error[place]), candidates[index], candidates[index + place])
            best = found if best is None else min(best, found)
    return None if best is None else replace(routing, low=float(best[2]), high=float(best[3]))
