"""What tuning is worth: by network, and by kind of parameter.

    python benchmarks/tuning.py networks --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/tuning.py kinds    --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...

A MODEL is what `edgesr convert` takes. `networks` judges each program before and after tuning; `kinds` tunes
with each kind of parameter alone, then with several. Figures are drops in dB of PSNR-Y (float network on the
whole picture minus program as deployed, on this machine's LiteRT), mean / worst picture; 16 calibration
pictures, seed 0. Seconds are of one core. Tile and halo are those of `edgesr convert` for networks that reach
far.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated
from zlib import compress

import typer
from levers import Bench
from main_road import machine
from quality import Calib, Images, Models, Subject, console, drops, folders, subjects

from edgesr.devices.host import mismatches
from edgesr.graph.graph import Graph
from edgesr.quantization.methods.adabm import adabm
from edgesr.quantization.plan import Plan
from edgesr.quantization.sums import cheap_sums, terms_apart
from edgesr.quantization.tuning import RANGES, RATES, Settings, steps, tune
from edgesr.steps.pictures import most_complex, tiles_of

BODY_BITS = {"w4a8": 4, "w8a8": 8}
COMPARED_TILES = 2
SIDES = 256  # pixels at most of a picture that kinds are judged on: the first of each side
ALL_RATES = {**RATES, **RANGES}
KINDS: Mapping[str, tuple[str, ...]] = {
    "ranges": ("ranges",),
    "scales": ("scales",),
    "biases": ("biases",),
    "levels": ("levels",),
    "ranges, scales (METHODS A.7)": ("ranges", "scales"),
    "scales, biases": ("scales", "biases"),
    "scales, biases, levels (default)": tuple(RATES),
    "all": tuple(ALL_RATES),
}

Bits = Annotated[str, typer.Option(help="w4a8 or w8a8.")]
Share = Annotated[float, typer.Option(help="Of the default number of steps.")]

app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True)
class Tuned:
    plan: Plan
    steps: int
    seconds: float


class TuningBench(Bench):
    """One network calibrated for `bits`, to be tuned."""

    def __init__(self, subject: Subject, calib: Path | None, bits: str) -> None:
        super().__init__(subject, calib)
        self.bits = bits

    @cached_property
    def apart(self) -> Graph:
        graph = self.subject.graph
        return terms_apart(graph, cheap_sums(graph))

    @cached_property
    def calibrated(self) -> Plan:
        plan = adabm(self.apart, self.tiles, BODY_BITS[self.bits])
        return replace(plan, apart=cheap_sums(self.subject.graph))

    def tuned(self, settings: Settings) -> Tuned:
        start = time.process_time()
        plan = tune(self.apart, self.calibrated, self.tiles, settings)
        seconds = time.process_time() - start
        return Tuned(plan, steps(self.apart, self.tiles, settings), seconds)

    def row(self, label: str, plan: Plan, *more: object) -> None:
        program = self.program(self.apart, plan)
        verdicts = self.subject.judged(program, self._info(self.apart, plan))
        sizes = (len(program), len(compress(program, 9)))
        console.print(f"{self.subject.label}, {label}", *drops(verdicts), *sizes, *more, sep=" | ")
        sys.stdout.flush()

    def differing(self, plan: Plan) -> int:
        """Values in which the runtime differs from the integer reference."""
        first = next(iter(self.subject.cases.values()))[0]
        compared = most_complex(tiles_of(first.lr, self.tile, 8), COMPARED_TILES)
        return mismatches(self.program(self.apart, plan), compared, self.subject.pixel_range).mismatches


def share_of(share: float) -> Settings:
    settings = Settings()
    return replace(settings, multiplications=share * settings.multiplications, least_steps=1)


@app.command()
def networks(
    models: Models, images: Images, calib: Calib = None, bits: Bits = "w4a8", share: Share = 1.0
) -> None:
    """Each network before and after tuning."""
    sets = folders(images)
    console.print(machine())
    names = [*sets, "all"] if len(sets) > 1 else [*sets]
    console.print("network, bits", *names, "bytes", "gzip", "steps", "seconds", "mismatches", sep=" | ")
    for subject in subjects(models, sets):
        bench = TuningBench(subject, calib, bits)
        bench.row(bits, bench.calibrated, "-", "-", bench.differing(bench.calibrated))
        tuned = bench.tuned(share_of(share))
        bench.row(
            f"{bits} tuned", tuned.plan, tuned.steps, f"{tuned.seconds:.0f}", bench.differing(tuned.plan)
        )


@app.command()
def kinds(
    models: Models, images: Images, calib: Calib = None, bits: Bits = "w4a8", share: Share = 0.1
) -> None:
    """Kinds of parameters alone and together, on the first `SIDES` x `SIDES` pixels of each picture."""
    sets = {
        name: tuple(replace(picture, rgb=picture.rgb[:SIDES, :SIDES]) for picture in pictures)
        for name, pictures in folders(images).items()
    }
    console.print(machine())
    console.print("what is learned", *sets, "bytes", "gzip", "steps", "seconds", sep=" | ")
    for subject in subjects(models, sets):
        bench = TuningBench(subject, calib, bits)
        bench.row("nothing", bench.calibrated, "-", "-")
        for label, chosen in KINDS.items():
            rates = {kind: ALL_RATES[kind] for kind in chosen}
            tuned = bench.tuned(replace(share_of(share), rates=rates))
            bench.row(label, tuned.plan, tuned.steps, f"{tuned.seconds:.0f}")


if __name__ == "__main__":
    app()
