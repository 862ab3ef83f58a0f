"""The Pareto curve of `--bits auto` beside uniform bits: drop against milliseconds and against bytes.

    python benchmarks/pareto.py --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...

`auto` is given smaller and smaller milliseconds (`--max-ms`, as multiples of the int8 program's) with a drop
that nothing reaches, so that it spends them all; and smaller and smaller files (`--compress --max-bytes`, as
shares of the compressed int8 file). Drops are dB of PSNR-Y, mean / worst picture of all folders; times are by
the cost table, and medians of interleaved rounds, on one thread, relative to int8; bytes are of the file, raw
and through gzip.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from main_road import machine, timed
from quality import Calib, Images, Models, Program, Subject, cell, console, folders, subjects

from edgesr.conversion import Options, convert
from edgesr_runtime.engines import LiteRtEngine

UNIFORM = ("f32", "w8a8", "w4a8")
TIMES = (1.005, 1.02, 1.05, 1.1, 1.2, 1.35, 1.6)
SIZES = (0.9, 0.8, 0.7, 0.6)

app = typer.Typer(add_completion=False, help=__doc__)


def program(subject: Subject, calib: Path | None, **flags: Any) -> Program:
    with TemporaryDirectory() as folder:
        output = Path(folder, "program.tflite")
        options = Options(
            subject.model, output, scale=subject.scale, pixel_range=subject.pixel_range, calib=calib, **flags
        )
        conversion = convert(options)
        content = output.read_bytes()
        return Program(gzip.decompress(content) if options.compress else content, conversion)


def programs(subject: Subject, calib: Path | None) -> Iterator[tuple[str, Program]]:
    """(setting, program)."""
    uniform = {bits: program(subject, calib, bits=bits) for bits in UNIFORM}
    yield from uniform.items()
    unsearched = program(subject, calib, bits="auto", max_drop=9.0)  # int8, but for the way sums are read
    yield "auto, no limit", unsearched
    (milliseconds,) = unsearched.conversion.milliseconds.values()
    for share in TIMES:
        limit = share * milliseconds
        yield f"auto, {share:g} x the time", program(subject, calib, max_drop=0.0, max_ms=limit)
    for share in SIZES:
        limit = int(share * unsearched.conversion.size_compressed)
        flags = {"max_drop": 9.0, "max_bytes": limit, "compress": True}
        yield f"auto, {share:g} x the bytes", program(subject, calib, **flags)


@app.command()
def pareto(models: Models, images: Images, calib: Calib = None) -> None:
    """Drop, time and bytes of every setting."""
    sets = folders(images)
    for subject in subjects(models, sets):
        console.print(f"{subject.label}; {machine()}")
        made = dict(programs(subject, calib))
        times = timed({name: LiteRtEngine(p.data, 1) for name, p in made.items()})
        console.print("setting", "drop", "by the table", "time", "bytes", "through gzip", sep=" | ")
        int8 = sum(made["w8a8"].conversion.milliseconds.values())
        for name, p in made.items():
            size = f"{p.conversion.size_compressed:,}"
            ratios = (sum(p.conversion.milliseconds.values()) / int8, times[name] / times["w8a8"])
            drop = cell(subject.judged(p.data, p.info))
            console.print(name, drop, *(f"{r:.3f}" for r in ratios), f"{len(p.data):,}", size, sep=" | ")


if __name__ == "__main__":
    app()
