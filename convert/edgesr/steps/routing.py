"""Which tiles go to which variant: thresholds on complexity, found by what each variant costs and loses.

Every variant runs on every tile of the calibration pictures, as the program would deploy it. Then all pairs
of thresholds are priced: milliseconds by the cost table, dB against the best variant everywhere. The fastest
pair that loses next to nothing is taken. Then the flattest tiles are taken from the network altogether, as
many as cost hardly anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime import Program, ProgramInfo
from edgesr_runtime.complexity import complexity
from edgesr_runtime.engines import engine_for
from edgesr_runtime.metadata import ROUTED_VARIANTS, Routing
from edgesr_runtime.routing import SKIP
from edgesr_runtime.runner import Runner
from edgesr_runtime.tiles import Tile, extract, plan_tiles

from ..evaluation.folder import Picture
from ..evaluation.judge import Rgb
from ..evaluation.metrics import luma
from ..evaluation.resize import crop_to_multiple, downscale

MAX_LOSS = 0.03  # dB that routing may cost on average
SKIP_LOSS = 0.002  # dB that leaving out the network may add
CANDIDATES = 40  # thresholds, between the quantiles of the tiles' complexity
NEVER = 1000.0  # no tile is as complex: the measure ends at 500


@dataclass(frozen=True)
class Picked:
    """A choice of thresholds and what it does on the calibration pictures.

    Attributes:
        shares: variant, or `skip` -> share of the tiles.
        milliseconds: mean of a tile.
        loss: dB against the best variant everywhere, mean over pictures; gains do not count.
        change: the same with gains counted, as a mean PSNR shows it.
    """

    routing: Routing
    shares: Mapping[str, float]
    milliseconds: float
    loss: float
    change: float

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "skip": self.routing.skip, "low": self.routing.low, "high": self.routing.high,
            "shares": {name: round(share, 4) for name, share in self.shares.items()},
            "milliseconds": round(self.milliseconds, 3), "loss_db": round(self.loss, 4),
        }  # fmt: skip


@dataclass(frozen=True)
class TileErrors:
    """What every variant does on every tile.

    Attributes:
        picture: (tiles,) number of the picture that each tile is of.
        complexity: (tiles,)
        errors: variant, or `skip` -> (tiles,) squared error of luma to the original, summed over the tile's
            own pixels.
        apart: the same -> (tiles,) mean squared difference to the best variant over the whole answer.
    """

    picture: NDArray[np.int64]
    complexity: NDArray[np.float64]
    errors: Mapping[str, NDArray[np.float64]]
    apart: Mapping[str, NDArray[np.float64]]


def measure_tiles(
    program: bytes,
    info: ProgramInfo,
    pictures: Sequence[Picture],
    threads: int,
    progress: Callable[[], None] = lambda: None,
) -> TileErrors:
    """Runs all variants of a program on all tiles; `progress` is called after each picture."""
    runner = Runner(Program(info, engine_for(program, threads)))
    rows = []
    for number, picture in enumerate(pictures):
        hr, lr = crop_to_multiple(picture.rgb, info.scale), downscale(picture.rgb, info.scale)
        rows += [(number, *row) for row in _rows(runner, info, hr, lr)]
        progress()
    numbers, details, *columns = (np.array(column) for column in zip(*rows, strict=True))
    routes = (SKIP, *info.variants)
    errors = dict(zip(routes, columns[: len(routes)], strict=True))
    return TileErrors(numbers, details, errors, dict(zip(routes, columns[len(routes) :], strict=True)))


def _rows(runner: Runner, info: ProgramInfo, hr: Rgb, lr: Rgb) -> list[tuple[float, ...]]:
    """(complexity, squared error of each route, its mean squared difference to the last) of each tile."""
    plan = plan_tiles(lr.shape[0], lr.shape[1], info.tile, info.halo)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    rows = []
    for tile in plan.tiles:
        extract(lr, plan, tile, square)
        answers = [runner.run(name, square).astype(np.uint8) for name in (SKIP, *info.variants)]
        errors = [_error(answer, info.scale, tile, hr) for answer in answers]
        best = answers[-1].astype(np.int32)
        rows.append((complexity(square), *errors, *(float(((a - best) ** 2).mean()) for a in answers)))
    return rows


def _error(answer: Rgb, s: int, tile: Tile, hr: Rgb) -> float:
    # As PSNR does, a border of `scale` pixels of the picture is left out.
    top, left = max(tile.top * s, s), max(tile.left * s, s)
    bottom, right = min(tile.bottom * s, hr.shape[0] - s), min(tile.right * s, hr.shape[1] - s)
    own = answer[top - tile.y * s : bottom - tile.y * s, left - tile.x * s : right - tile.x * s]
    return float(((luma(own) - luma(hr[top:bottom, left:right])) ** 2).sum())


def pick(tiles: TileErrors, milliseconds: Mapping[str, float], max_loss: float = MAX_LOSS) -> Picked:
    """The fastest thresholds that lose no more than `max_loss` dB on average; where all lose more, which
    perfectly flat tiles can make them do, those that lose the least.

    Args:
        milliseconds: variant -> of one tile.
    """
    found = min(
        curve(tiles, milliseconds),
        key=lambda found: (max(found.loss - max_loss, 0), found.milliseconds, found.loss),
    )
    found = _skipping(tiles, milliseconds, found)
    return replace(found, routing=replace(found.routing, error=_apart(tiles, milliseconds, found.routing)))


def _skipping(tiles: TileErrors, milliseconds: Mapping[str, float], found: Picked) -> Picked:
    """The same with as many of the flattest tiles left to interpolation as add no more than `SKIP_LOSS`.

    Every tile below the threshold counts, so the first one that needs the network ends the search.
    """
    best = found
    levels = np.unique(tiles.complexity)
    for level in ((levels[1:] + levels[:-1]) / 2).tolist():  # between tiles: no other one changes its route
        low, high = (max(level, limit) for limit in (found.routing.low, found.routing.high))
        tried = priced(tiles, milliseconds, Routing(low, high, skip=level))
        if tried.loss > found.loss + SKIP_LOSS:
            break
        best = tried
    return best


def _apart(tiles: TileErrors, milliseconds: Mapping[str, float], routing: Routing) -> float:
    """Mean squared difference to the best variant, in grey levels, that these thresholds accept.

    Skipped tiles count for nothing: new thresholds leave them as they are.
    """
    routes = _routes(tiles, tuple(milliseconds), routing)
    apart = np.stack([np.zeros(len(routes)), *(tiles.apart[name] for name in milliseconds)])
    return float(apart[routes, np.arange(len(routes))].mean())


def _routes(tiles: TileErrors, names: tuple[str, ...], routing: Routing) -> NDArray[np.int64]:
    """Where the runtime sends each tile: 0 past the network, else to the variant of that number from 1."""
    wanted = np.where(tiles.complexity < routing.low, 0, np.where(tiles.complexity > routing.high, 2, 1))
    ranks = np.array([_rank(names, rank) for rank in range(len(ROUTED_VARIANTS))])
    return np.where(tiles.complexity < routing.skip, 0, 1 + ranks[wanted])


def curve(tiles: TileErrors, milliseconds: Mapping[str, float]) -> list[Picked]:
    """Every pair of candidate thresholds, priced; the first sends all tiles to the best variant, save those
    of complexity 0: none is below any threshold `high`.
    """
    levels = np.quantile(tiles.complexity, np.linspace(0, 1, CANDIDATES + 1)).tolist()
    lows = [0.0, *levels[1:-1], NEVER] if ROUTED_VARIANTS[0] in milliseconds else [0.0]
    highs = [0.0, *levels[1:-1], NEVER]
    pairs = [Routing(low, high) for low in lows for high in highs if low <= high]
    return [priced(tiles, milliseconds, routing) for routing in pairs]


def priced(tiles: TileErrors, milliseconds: Mapping[str, float], routing: Routing) -> Picked:
    """What a pair of thresholds costs and loses on these tiles."""
    names = (SKIP, *milliseconds)
    routes = _routes(tiles, names[1:], routing)
    errors = np.stack([tiles.errors[name] for name in names])
    got = np.bincount(tiles.picture, errors[routes, np.arange(len(routes))])
    best = np.bincount(tiles.picture, errors[-1])
    seen = best > 0
    lost = 10 * np.log10(np.maximum(got[seen], 1e-9) / best[seen])
    shares = np.bincount(routes, minlength=len(names)) / len(routes)
    return Picked(
        routing,
        dict(zip(names, shares.tolist(), strict=True)),
        float(shares @ np.array([0.0, *milliseconds.values()])),
        float(np.maximum(lost, 0).mean()) if len(lost) else 0.0,
        float(lost.mean()) if len(lost) else 0.0,
    )


def _rank(names: tuple[str, ...], rank: int) -> int:
    """Position of the variant that serves tiles of a rank, as the runtime finds it."""
    better = (names.index(name) for name in ROUTED_VARIANTS[rank:] if name in names)
    return next(better, len(names) - 1)
