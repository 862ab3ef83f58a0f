"""Which tiles go to which variant: thresholds on complexity, found by what each variant costs and loses.

Every variant runs on every tile of the calibration pictures, as the program would deploy it. Then all pairs
of thresholds are priced: milliseconds by the cost table, dB against the best variant everywhere. The fastest
pair that loses next to nothing is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime import Program, ProgramInfo
from edgesr_runtime.complexity import complexity
from edgesr_runtime.engines import engine_for
from edgesr_runtime.metadata import ROUTED_VARIANTS, Routing
from edgesr_runtime.tiles import Tile, extract, plan_tiles
from edgesr_runtime.upscale import to_pixels, to_program_range

from ..evaluation.folder import Picture
from ..evaluation.judge import Rgb
from ..evaluation.metrics import luma
from ..evaluation.resize import crop_to_multiple, downscale

MAX_LOSS = 0.03  # dB that routing may cost on average
CANDIDATES = 40  # thresholds, between the quantiles of the tiles' complexity
NEVER = 1000.0  # no tile is as complex: the measure ends at 500


@dataclass(frozen=True)
class Picked:
    """A choice of thresholds and what it does on the calibration pictures.

    Attributes:
        shares: variant -> share of the tiles.
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
            "low": self.routing.low, "high": self.routing.high,
            "shares": {name: round(share, 4) for name, share in self.shares.items()},
            "milliseconds": round(self.milliseconds, 3), "loss_db": round(self.loss, 4),
        }  # fmt: skip


@dataclass(frozen=True)
class TileErrors:
    """What every variant does on every tile.

    Attributes:
        picture: (tiles,) number of the picture that each tile is of.
        complexity: (tiles,)
        errors: variant -> (tiles,) squared error of luma to the original, summed over the tile's own pixels.
    """

    picture: NDArray[np.int64]
    complexity: NDArray[np.float64]
    errors: Mapping[str, NDArray[np.float64]]


def measure_tiles(
    program: bytes,
    info: ProgramInfo,
    pictures: Sequence[Picture],
    threads: int,
    progress: Callable[[], None] = lambda: None,
) -> TileErrors:
    """Runs all variants of a program on all tiles; `progress` is called after each picture."""
    opened = Program(info, engine_for(program, threads))
    rows = []
    for number, picture in enumerate(pictures):
        hr, lr = crop_to_multiple(picture.rgb, info.scale), downscale(picture.rgb, info.scale)
        rows += [(number, *row) for row in _rows(opened, hr, lr)]
        progress()
    numbers, details, *errors = (np.array(column) for column in zip(*rows, strict=True))
    return TileErrors(numbers, details, dict(zip(info.variants, errors, strict=True)))


def _rows(program: Program, hr: Rgb, lr: Rgb) -> list[tuple[float, ...]]:
    """(complexity, squared error of each variant) of each tile of a picture."""
    info = program.info
    plan = plan_tiles(lr.shape[0], lr.shape[1], info.tile, info.halo)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    rows = []
    for tile in plan.tiles:
        extract(lr, plan, tile, square)
        errors = [_error(program, name, square, tile, hr) for name in info.variants]
        rows.append((complexity(square), *errors))
    return rows


def _error(program: Program, variant: str, square: Rgb, tile: Tile, hr: Rgb) -> float:
    info, s = program.info, program.info.scale
    batch = square[None].astype(np.float32)
    to_program_range(batch, info.pixel_range)
    result = program.engine.run(variant, batch)
    to_pixels(result, info.pixel_range)
    # As PSNR does, a border of `scale` pixels of the picture is left out.
    top, left = max(tile.top * s, s), max(tile.left * s, s)
    bottom, right = min(tile.bottom * s, hr.shape[0] - s), min(tile.right * s, hr.shape[1] - s)
    own = result.astype(np.uint8)[
        0, top - tile.y * s : bottom - tile.y * s, left - tile.x * s : right - tile.x * s
    ]
    return float(((luma(own) - luma(hr[top:bottom, left:right])) ** 2).sum())


def pick(tiles: TileErrors, milliseconds: Mapping[str, float], max_loss: float = MAX_LOSS) -> Picked:
    """The fastest thresholds that lose no more than `max_loss` dB on average.

    Args:
        milliseconds: variant -> of one tile.
    """
    return min(
        (found for found in curve(tiles, milliseconds) if found.loss <= max_loss),
        key=lambda found: (found.milliseconds, found.loss),
    )


def curve(tiles: TileErrors, milliseconds: Mapping[str, float]) -> list[Picked]:
    """Every pair of candidate thresholds, priced; the first sends all tiles to the best variant."""
    levels = np.quantile(tiles.complexity, np.linspace(0, 1, CANDIDATES + 1)).tolist()
    lows = [0.0, *levels[1:-1], NEVER] if ROUTED_VARIANTS[0] in milliseconds else [0.0]
    highs = [0.0, *levels[1:-1], NEVER]
    pairs = [Routing(low, high) for low in lows for high in highs if low <= high]
    return [priced(tiles, milliseconds, routing) for routing in pairs]


def priced(tiles: TileErrors, milliseconds: Mapping[str, float], routing: Routing) -> Picked:
    """What a pair of thresholds costs and loses on these tiles."""
    names = tuple(milliseconds)
    wanted = np.where(tiles.complexity < routing.low, 0, np.where(tiles.complexity > routing.high, 2, 1))
    chosen = np.array([_rank(names, rank) for rank in range(len(ROUTED_VARIANTS))])[wanted]
    errors = np.stack([tiles.errors[name] for name in names])
    got = np.bincount(tiles.picture, errors[chosen, np.arange(len(chosen))])
    best = np.bincount(tiles.picture, errors[-1])
    seen = best > 0
    lost = 10 * np.log10(np.maximum(got[seen], 1e-9) / best[seen])
    shares = np.bincount(chosen, minlength=len(names)) / len(chosen)
    return Picked(
        routing,
        dict(zip(names, shares.tolist(), strict=True)),
        float(shares @ np.array(list(milliseconds.values()))),
        float(np.maximum(lost, 0).mean()) if len(lost) else 0.0,
        float(lost.mean()) if len(lost) else 0.0,
    )


def _rank(names: tuple[str, ...], rank: int) -> int:
    """Position of the variant that serves tiles of a rank, as the runtime finds it."""
    better = (names.index(name) for name in ROUTED_VARIANTS[rank:] if name in names)
    return next(better, len(names) - 1)
