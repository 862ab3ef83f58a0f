"""What routing tiles to variants buys: time against loss, from one program with all its variants.

    python benchmarks/routing.py --calib DIR --images DIR MODEL[:SCALE] ...

Each network is converted with `--variants low,mid,high --max-drop 0.05`. All variants then run on all tiles
of the pictures. Loss is dB of PSNR-Y against the best variant everywhere, mean over pictures (a gain counts);
time is relative to the best variant everywhere, from medians of interleaved rounds on one thread, with the
complexity measure's own time added. First the variants alone, then the thresholds that calibration chose,
then the fastest thresholds for each loss on these very pictures, which nobody can know before; last, what it
costs to interpolate the flattest tiles and to run the best variant on all others.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import typer
from main_road import machine, timed_variants
from quality import MAX_DROP, Calib, Images, Models, Subject, console, folders, subjects
from rich.table import Table

from edgesr.conversion import Conversion, Options, convert
from edgesr.steps.routing import NEVER, Picked, TileErrors, curve, measure_tiles, priced
from edgesr_runtime.complexity import complexity
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.metadata import ROUTED_VARIANTS, Routing

ALONE = {"low": Routing(NEVER, NEVER), "mid": Routing(0.0, NEVER), "high": Routing(0.0, 0.0)}
SKIPPED = (0.02, 0.05, 0.1, 0.2, 0.5)
LOSSES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)

app = typer.Typer(add_completion=False, help=__doc__)


def converted(subject: Subject, calib: Path | None, tile: int | None) -> tuple[Conversion, bytes]:
    with TemporaryDirectory() as folder:
        output = Path(folder, "program.tflite")
        options = Options(
            subject.model, output, scale=subject.scale, pixel_range=subject.pixel_range, calib=calib,
            max_drop=MAX_DROP, variants=ROUTED_VARIANTS, tile=tile,
        )  # fmt: skip
        return convert(options), output.read_bytes()


def looking(tile: int) -> float:
    """Milliseconds that the complexity of a tile takes, the least of many runs."""
    picture = np.random.default_rng(0).integers(0, 256, (tile, tile, 3), np.uint8)
    spent = []
    for _ in range(50):
        start = time.perf_counter()
        complexity(picture)
        spent.append(1000 * (time.perf_counter() - start))
    return min(spent)


def rows(conversion: Conversion, tiles: TileErrors, times: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    """(setting, share of each variant, time, loss)."""
    best, look = times[conversion.info.variants[-1]], looking(conversion.info.tile)

    def row(setting: str, found: Picked, more: float) -> tuple[str, ...]:
        shares = (f"{share:.0%}" for share in found.shares.values())
        return setting, *shares, f"{(found.milliseconds + more) / best:.3f}", f"{found.change:.3f}"

    for variant in conversion.info.variants:
        yield row(f"{variant} alone", priced(tiles, times, ALONE[variant]), 0.0)
    if conversion.info.routing:
        yield row("calibrated", priced(tiles, times, conversion.info.routing), look)
    points = curve(tiles, times)
    for loss in LOSSES:
        fitting = [found for found in points if found.change <= loss]
        if fitting:  # where flat tiles lose something by any thresholds, none loses nothing
            yield row(f"best for {loss:g} dB", min(fitting, key=lambda found: found.milliseconds), look)
    for share in SKIPPED:
        level = float(np.quantile(tiles.complexity, share))
        yield row(f"flattest {share:.0%} skipped", priced(tiles, times, Routing(level, level, level)), look)


@app.command()
def routing(models: Models, images: Images, calib: Calib = None, tile: int | None = None) -> None:
    """Time against loss."""
    sets = folders(images)
    for subject in subjects(models, sets):
        conversion, data = converted(subject, calib, tile)
        info, times = conversion.info, timed_variants(LiteRtEngine(data, 1))
        title = f"{subject.label}, tile {info.tile}, {len(data):,} bytes; {machine()}"
        table = Table("pictures", "setting", "skip", *info.variants, "time", "loss", title=title)
        for name, pictures in sets.items():
            for row in rows(conversion, measure_tiles(data, info, pictures, 1), times):
                table.add_row(name, *row)
        console.print(table)


if __name__ == "__main__":
    app()
