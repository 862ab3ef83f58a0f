"""What the Python runtime adds to a network's own time, and the memory that it takes.

    python benchmarks/runtime.py PROGRAM [--megapixels 1,10,40,100] [--memory 512MB]

Overhead: a picture of one megapixel in memory, cut, routed and stitched, against the engine alone on the same
tiles; processor time on one thread, so that other work on the machine does not count, medians of interleaved
rounds. Memory: picture files of noise on gradients, each enlarged by a process of its own, which tells the
most that it ever held. Prints Markdown.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from edgesr_runtime import Program, Routing, open_program, upscale
from edgesr_runtime.memory import MEGABYTE, parse_size
from edgesr_runtime.pixels import to_program_range
from edgesr_runtime.tiles import extract, plan_tiles

ROUNDS = 9
SIDE = 1000
KINDS = ("jpg", "png", "tif")
CHILD = """
import sys, time
from pathlib import Path
from edgesr_runtime import open_program, upscale_file
program = open_program(sys.argv[1], int(sys.argv[5]), trusted=True)
start = time.perf_counter()
upscale_file(program, sys.argv[2], sys.argv[3], memory=int(sys.argv[4]))
seconds = time.perf_counter() - start
# Not getrusage, which begins with what the parent held.
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print([int(status["VmHWM"].split()[0]) * 1024, seconds])
"""

app = typer.Typer(add_completion=False, help=__doc__)


def texture() -> NDArray[np.uint8]:
    """One megapixel: noise on gradients."""
    ramp = np.linspace(0, 120, SIDE)
    noise = np.random.default_rng(0).integers(0, 16, (SIDE, SIDE, 3))
    return (noise + ramp[:, None, None] + ramp[None, :, None]).astype(np.uint8)


def rounds(work: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of processor time of each, the median of interleaved rounds."""
    spent: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, run in work.items():
            start = time.process_time()
            run()
            spent[name].append(1000 * (time.process_time() - start))
    return {name: median(times) for name, times in spent.items()}


def batches(program: Program, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """What the engine is given for every tile."""
    info = program.info
    plan = plan_tiles(SIDE, SIDE, info.tile, info.halo)
    found = []
    for tile in plan.tiles:
        batch = np.empty((1, info.tile, info.tile, 3), np.float32)
        extract(picture, plan, tile, batch[0])
        to_program_range(batch, info.pixel_range)
        found.append(batch)
    return found


def overhead(program: Program) -> None:
    picture, best = texture(), program.info.variants[-1]
    given = batches(program, picture)

    def engine_alone() -> None:
        for batch in given:
            program.engine.run(best, batch)

    times = rounds({
        "the engine alone": engine_alone,
        "cut and stitched": lambda: upscale(program, picture, best),
        "cut, routed and stitched": lambda: upscale(program, picture, routing=Routing(0.0, 0.0)),
        "skipped (bicubic)": lambda: upscale(program, picture, "skip"),
    })  # fmt: skip
    alone = times["the engine alone"]
    typer.echo(f"\n{len(given)} tiles of {program.info.tile}, variant {best}, one thread\n")
    typer.echo("| | ms | against the engine |\n|---|---|---|")
    for name, spent in times.items():
        typer.echo(f"| {name} | {spent:.0f} | {100 * (spent / alone - 1):+.1f} % |")


def write_picture(path: Path, megapixels: int) -> tuple[int, int]:
    """A picture of about so many megapixels; its (height, width)."""
    import pyvips

    across = max(1, round(megapixels**0.5))
    down = max(1, round(megapixels / across))
    tile = pyvips.Image.new_from_array(texture()).copy(interpretation="srgb")
    tile.replicate(across, down).write_to_file(str(path))
    return down * SIDE, across * SIDE


def peaks(program: Path, megapixels: list[int], budget: int, threads: int) -> None:
    typer.echo(f"\nA budget of {budget // MEGABYTE} MB, {threads} threads\n")
    typer.echo("| in | pixels | out | peak, MB | of the budget | s |\n|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for size in megapixels:
            for kind in KINDS:
                source, target = Path(folder, f"in.{kind}"), Path(folder, f"out.{kind}")
                height, width = write_picture(source, size)
                arguments = [str(argument) for argument in (program, source, target, budget, threads)]
                done = subprocess.run(
                    [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, check=True
                )
                peak, seconds = json.loads(done.stdout)
                typer.echo(
                    f"| {kind} | {width}x{height} | {target.stat().st_size / MEGABYTE:.0f} MB {kind} |"
                    f" {peak / MEGABYTE:.0f} | {100 * peak / budget:.0f} % | {seconds:.1f} |"
                )


@app.command()
def runtime(
    program: Path,
    megapixels: str = "1,10,40,100",
    memory: str = "512MB",
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Overhead and memory of the Python runtime."""
    overhead(open_program(program, 1))
    peaks(program, [int(size) for size in megapixels.split(",")], parse_size(memory), threads)


if __name__ == "__main__":
    app()
