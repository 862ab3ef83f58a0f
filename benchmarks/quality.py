"""What programs lose against the float network: by network, by seed, and on hard pictures.

    python benchmarks/quality.py networks --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/quality.py robust   --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/quality.py hard     --calib DIR MODEL[:SCALE] ...

A MODEL is what `edgesr convert` takes; give the scale where a checkpoint fits several. Every figure is a
drop in dB of PSNR-Y (float network on the whole picture minus program as deployed, on this machine's
LiteRT), written mean / worst picture, or that of one picture; times are ratios of medians of interleaved
rounds on one thread.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import hard_pictures
import torch
import typer
from main_road import machine, timed
from rich.console import Console
from rich.table import Table

from edgesr.conversion import Conversion, Options
from edgesr.conversion import convert as convert_network
from edgesr.defaults import CALIBRATION_IMAGES
from edgesr.evaluation.folder import Picture, read_folder
from edgesr.evaluation.judge import Case, Verdict, judge, prepare
from edgesr.graph.graph import Graph
from edgesr.networks.source import load_network
from edgesr.steps.deployment import deployed, whole_picture
from edgesr.steps.network import float_graph
from edgesr.steps.pixel_range import find_pixel_range
from edgesr_runtime import ProgramInfo
from edgesr_runtime.engines import LiteRtEngine

MAX_DROP = 0.05
SEEDS = range(5)
COUNTS = (8, 16, 32, 100)
THREADS = torch.get_num_threads()

Calib = Annotated[Path | None, typer.Option(help="Calibration pictures; the shipped ones if left out.")]
Images = Annotated[list[Path], typer.Option(help="Folders of HR pictures to judge on.")]
Models = Annotated[list[str], typer.Argument(help="MODEL or MODEL:SCALE.")]
Sets = Mapping[str, Sequence[Picture]]

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(width=150)


@dataclass(frozen=True)
class Program:
    """A program file's bytes and what is known about it."""

    data: bytes
    conversion: Conversion

    @property
    def info(self) -> ProgramInfo:
        return self.conversion.info


class Subject:
    """A network, and the float network's results on the sets it is judged on."""

    def __init__(self, model: str, sets: Sets) -> None:
        self.model, _, scale = model.rpartition(":") if model[-2:-1] == ":" else (model, "", "")
        self.scale = int(scale) if scale else None
        self.network = load_network(self.model, None, self.scale, None)
        pictures = [picture for part in sets.values() for picture in part]
        self.pixel_range = self.network.pixel_range or find_pixel_range(
            self.graph, self.network.scale, pictures, model
        )
        self.cases = {name: self._prepared(pictures) for name, pictures in sets.items()}

    @property
    def label(self) -> str:
        return f"{Path(self.model).stem} x{self.network.scale}"

    @cached_property
    def graph(self) -> Graph:
        return float_graph(self.network)

    def _prepared(self, pictures: Iterable[Picture]) -> tuple[Case, ...]:
        return prepare(pictures, self.network.scale, whole_picture(self.graph, self.pixel_range))

    def convert(
        self, calib: Path | None, bits: str, images: int = CALIBRATION_IMAGES, seed: int = 0
    ) -> Program:
        with TemporaryDirectory() as folder:
            output = Path(folder, "program.tflite")
            options = Options(
                self.model, output, scale=self.scale, pixel_range=self.pixel_range, calib=calib,
                calib_images=images, bits=bits, max_drop=MAX_DROP, seed=seed,
            )  # fmt: skip
            conversion = convert_network(options)
            return Program(output.read_bytes(), conversion)

    def judged(self, data: bytes, info: ProgramInfo) -> dict[str, Verdict]:
        """Verdict on each set, and on all of them together."""
        run = deployed(data, info, THREADS)
        verdicts = {name: judge(cases, run) for name, cases in self.cases.items()}
        together = Verdict(tuple(score for verdict in verdicts.values() for score in verdict.scores))
        return {**verdicts, "all": together} if len(verdicts) > 1 else verdicts


def drops(verdicts: Mapping[str, Verdict]) -> list[str]:
    return [f"{verdict.drop:.3f} / {verdict.worst.drop:.3f}" for verdict in verdicts.values()]


def cell(verdicts: Mapping[str, Verdict]) -> str:
    """Of all sets together."""
    return drops(verdicts)[-1]


def subjects(models: list[str], sets: Sets) -> Iterator[Subject]:
    for model in models:
        yield Subject(model, sets)


def folders(images: list[Path]) -> dict[str, tuple[Picture, ...]]:
    names = [folder.name for folder in images]
    if len({*names, "all"}) <= len(names):
        raise typer.BadParameter(f"--images: two sets would be called alike: {', '.join(names)}")
    return {folder.name: read_folder(folder).pictures for folder in images}


def columns(sets: Sets) -> list[str]:
    return [*sets, "all"] if len(sets) > 1 else [*sets]


@app.command()
def networks(models: Models, images: Images, calib: Calib = None) -> None:
    """w8a8 and auto, with the share of int8 multiplications and time relative to w8a8."""
    sets = folders(images)
    console.print(machine())
    console.print("network, bits", *columns(sets), "int8", "time", "mismatches", "seconds", sep=" | ")
    for subject in subjects(models, sets):
        programs = {bits: subject.convert(calib, bits) for bits in ("w8a8", "auto")}
        times = timed({bits: LiteRtEngine(p.data, 1) for bits, p in programs.items()})
        for bits, program in programs.items():
            evidence = program.conversion.evidence
            console.print(
                f"{subject.label}, {bits}",
                *drops(subject.judged(program.data, program.info)),
                f"{evidence.int8_mac_share:.3f}",
                f"{times[bits] / times['w8a8']:.2f}",
                evidence.comparison.mismatches,
                f"{sum(program.conversion.seconds.values()):.0f}",
                sep=" | ",
            )


@app.command()
def robust(
    models: Models,
    images: Images,
    calib: Calib = None,
    bits: str = "w8a8",
) -> None:
    """The drop over all sets, by number of calibration pictures and by seed."""
    sets = folders(images)
    console.print(machine())
    for subject in subjects(models, sets):
        title = f"{subject.label}, {bits}"
        console.print(title, *(f"seed {seed}" for seed in SEEDS), "spread of means", sep=" | ")
        for count in COUNTS:
            programs = [subject.convert(calib, bits, count, seed) for seed in SEEDS]
            verdicts = [subject.judged(p.data, p.info) for p in programs]
            means = [list(verdict.values())[-1].drop for verdict in verdicts]
            spread = f"{max(means) - min(means):.3f}"
            console.print(f"{count} pictures", *map(cell, verdicts), spread, sep=" | ")


@app.command()
def hard(models: Models, calib: Calib = None) -> None:
    """Pictures unlike photographs, painted by `hard_pictures`; also calibrated on the shipped pictures."""
    sets = {picture.name: (picture,) for picture in hard_pictures.paint()}
    calibrations = {"photographs": calib, "shipped": None} if calib else {"shipped": None}
    table = Table("network", "bits", "calibrated on", *sets, title=machine())
    for subject in subjects(models, sets):
        for name, folder in calibrations.items():
            for bits in ("w8a8", "auto"):
                program = subject.convert(folder, bits)
                verdicts = subject.judged(program.data, program.info)
                table.add_row(subject.label, bits, name, *(f"{verdicts[s].drop:.3f}" for s in sets))
    console.print(table)


if __name__ == "__main__":
    app()
