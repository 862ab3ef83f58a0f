"""What tiles cost at their seams: against the whole picture in one piece, and as a step across the seam.

    python benchmarks/seams.py whole  --calib DIR --images DIR MODEL[:SCALE] ...
    python benchmarks/seams.py steps  --calib DIR --images DIR MODEL[:SCALE] ...

`whole`: networks with a finite receptive field. Each is converted to w8a8; pictures are cut to odd sizes, and
every pixel of the tiled result is compared with what the integer reference makes of the whole picture, in
exact mode and with the halo that the conversion chose.

`steps`: any network. For every seam, the mean absolute difference of luma between the two pixels beside it
is set against the mean over the eight pixel pairs beside those: 1 is no step at all. The same is done where
there is no seam, a third of a tile before, for what pictures show by themselves.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import typer
from quality import Calib, Images, Models, Subject, console, folders, subjects
from rich.table import Table

from edgesr.conversion import Options, convert
from edgesr.evaluation.judge import Rgb
from edgesr.evaluation.metrics import luma
from edgesr.evaluation.resize import downscale
from edgesr.lowering.targets import target_of
from edgesr.quantization.reference import run
from edgesr_runtime import Program, upscale
from edgesr_runtime.pixels import to_pixels, to_program_range
from edgesr_runtime.program import open_program
from edgesr_runtime.tiles import plan_tiles

PICTURES = 20
BESIDE = 4  # pixel pairs on each side of a seam that it is compared with

app = typer.Typer(add_completion=False, help=__doc__)


def converted(subject: Subject, calib: Path | None, bits: str, tile: int | None) -> tuple[Program, bytes]:
    with TemporaryDirectory() as folder:
        output = Path(folder, "program.tflite")
        convert(
            Options(
                subject.model, output, scale=subject.scale, pixel_range=subject.pixel_range, calib=calib,
                bits=bits, tile=tile,
            )
        )  # fmt: skip
        return open_program(output, trusted=True), output.read_bytes()


def odd(lr: Rgb) -> Rgb:
    """Cut to odd sizes."""
    height, width = (side - 1 + side % 2 for side in lr.shape[:2])
    return lr[:height, :width]


def in_one_piece(data: bytes, program: Program, lr: Rgb) -> Rgb:
    """What the integer reference, which the runtime equals, makes of the whole picture."""
    graph = target_of(data).read(data)[program.info.variants[-1]]
    batch = lr[None].astype(np.float32)
    to_program_range(batch, program.info.pixel_range)
    result = run(graph, torch.from_numpy(batch.transpose(0, 3, 1, 2).copy()))[graph.output]
    values = result[0].permute(1, 2, 0).contiguous().numpy().copy()
    to_pixels(values, program.info.pixel_range)
    return values.astype(np.uint8)


@app.command()
def whole(models: Models, images: Images, calib: Calib = None, tile: int | None = None) -> None:
    """Tiles against the whole picture."""
    table = Table("network", "tile", "mode", "halo", "largest difference", "values that differ", "waste")
    sets = folders(images)
    for subject in subjects(models, sets):
        program, data = converted(subject, calib, "w8a8", tile)
        info = program.info
        pictures = [odd(downscale(p.rgb, info.scale)) for s in sets.values() for p in islice(s, PICTURES)]
        for exact in (True, False):
            halo = info.exact_halo if exact else info.halo
            apart = []
            for lr in pictures:
                tiled = upscale(program, lr, exact=exact).astype(int)
                apart.append(np.abs(tiled - in_one_piece(data, program, lr)))
            waste = np.mean([plan_tiles(*lr.shape[:2], info.tile, halo).waste for lr in pictures])
            largest = max(int(a.max()) for a in apart)
            share = np.mean(np.concatenate([(a > 0).ravel() for a in apart]))
            mode = "exact" if exact else "economic"
            row = (mode, str(halo), str(largest), f"{share:.2e}", f"{waste:.0%}")
            table.add_row(subject.label, str(info.tile), *row)
    console.print(table)


def jumps(y: np.ndarray, places: list[int]) -> Iterator[tuple[float, float]]:
    """(mean jump between columns p-1 and p, that of the pairs beside it) for each place p of (H, W) luma."""
    step = np.abs(np.diff(y, axis=1)).mean(axis=0)
    for p in places:
        beside = np.concatenate((step[p - 1 - BESIDE : p - 1], step[p : p + BESIDE]))
        yield float(step[p - 1]), float(beside.mean())


def ratio(pairs: list[tuple[float, float]]) -> float:
    at, beside = np.array(pairs).sum(axis=0)
    return float(at / beside)


@app.command()
def steps(
    models: Models, images: Images, calib: Calib = None, tile: int | None = None, bits: str = "w8a8"
) -> None:
    """Steps across seams."""
    table = Table("network", "tile", "halo", "pictures", "seams", "step at seams", "elsewhere")
    sets = folders(images)
    for subject in subjects(models, sets):
        program, _ = converted(subject, calib, bits, tile)
        info = program.info
        for name, pictures in sets.items():
            seams: list[tuple[float, float]] = []
            elsewhere: list[tuple[float, float]] = []
            for picture in pictures:
                lr = downscale(picture.rgb, info.scale)
                y = luma(upscale(program, lr))
                plan = plan_tiles(*lr.shape[:2], info.tile, info.halo)
                for values, edges in (
                    (y, {t.left for t in plan.tiles}),
                    (y.T, {t.top for t in plan.tiles}),
                ):
                    places = [edge * info.scale for edge in sorted(edges - {0})]
                    shifted = [p - info.tile * info.scale // 3 for p in places]
                    seams += jumps(values, places)
                    elsewhere += jumps(values, shifted)
            table.add_row(
                subject.label, str(info.tile), str(info.halo), f"{name} ({len(pictures)})", str(len(seams)),
                f"{ratio(seams):.3f}", f"{ratio(elsewhere):.3f}",
            )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    app()
