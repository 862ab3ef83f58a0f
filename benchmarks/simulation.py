"""Simulated quantization of public networks: AdaBM, its parts, and static baselines at the same widths.

    python benchmarks/simulation.py methods --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/simulation.py parts   --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/simulation.py curve   --calib DIR MODEL[:SCALE] ...

Rows are Markdown, printed as each is done. Cells of picture sets are PSNR-Y in dB / SSIM-Y / FAB of the
simulated network, pictures whole; BitOPs are relative to the float network; seconds are those of calibrating,
clipping and tuning. 100 crops of 72x72, which small training pictures hold at x4 too; seed 0. `parts` and
`curve` are of adabm-percentile; `curve` tells after each epoch of tuning what the loss is, and PSNR-Y on
training pictures that no crop is of.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from main_road import machine
from quality import Images, Models, Subject, columns, console, folders

from edgesr.defaults import SEED, SIMULATION_CROPS, SIMULATION_ITERATIONS
from edgesr.evaluation.folder import Picture, list_pictures, usable_pictures
from edgesr.evaluation.judge import Case, Score, score
from edgesr.evaluation.resize import downscale
from edgesr.quantization.simulation import METHODS, adabm
from edgesr.quantization.simulation.adabm import Parts, calibrated, tuning
from edgesr.quantization.simulation.crops import Crops, draw_crops
from edgesr.quantization.simulation.pictures import Upscaled, upscale
from edgesr.quantization.simulation.rules import PERCENTILES
from edgesr.quantization.simulation.simulated import Settings, Simulated, bit_operations
from edgesr.steps.progress import quiet

EPOCHS = 10
SIDE = 72  # of a crop
HELD_BACK = 12  # training pictures

Calib = Annotated[Path, typer.Option(help="Training pictures.")]
Bits = Annotated[list[str], typer.Option(help="Widths, as w4a4.")]
Iterations = Annotated[int, typer.Option(help="Steps of each of the 10 epochs of tuning.")]
Rows = Annotated[list[str] | None, typer.Option("--row", help="Only these rows. [default: all]")]
Build = Callable[[], Simulated]

app = typer.Typer(add_completion=False, help=__doc__)


def pictures(calib: Path) -> Iterator[Picture]:
    """In the order of the seed."""
    paths = list_pictures(calib)
    order = np.random.default_rng(SEED).permutation(len(paths))
    return usable_pictures((paths[i] for i in order), [], flat=False)


def crops_for(subject: Subject, calib: Path) -> Crops:
    drawn = [p for p, _ in zip(pictures(calib), range(SIMULATION_CROPS), strict=False)]
    small = [downscale(picture.rgb, subject.network.scale) for picture in drawn]
    return draw_crops(small, SIMULATION_CROPS, False, subject.pixel_range, SEED, SIDE)


def settings_of(bits: str, epochs: int, iterations: int) -> Settings:
    weight, activation = bits.removeprefix("w").split("a")
    return Settings(int(weight), int(activation), epochs=epochs, iterations=iterations)


def judged(simulated: Simulated, case: Case, white: int) -> tuple[Score, Upscaled]:
    result = upscale(simulated, case.lr, white, by_tile=False)
    return score(case, lambda lr: result.sr), result


def row(label: str, subject: Subject, build: Build) -> None:
    """Builds a simulated network, judges it on every set, and prints a line."""
    start = time.perf_counter()
    simulated = build()
    seconds = time.perf_counter() - start
    cells, operations = [], []
    for cases in set_cases(subject):
        results = [judged(simulated, case, subject.pixel_range) for case in cases]
        psnr = np.mean([s.psnr_program for s, _ in results])
        ssim = np.mean([s.ssim_program for s, _ in results if s.ssim_program is not None])
        cells.append(f"{psnr:.2f} / {ssim:.4f} / {np.mean([r.bits for _, r in results]):.2f}")
        for case, (_, result) in zip(cases, results, strict=True):
            height, width = case.lr.shape[:2]
            operations.append(result.bit_operations / bit_operations(simulated.graph, height, width))
    show(label, *cells, f"{np.mean(operations):.1%}", f"{seconds:.0f}")


def set_cases(subject: Subject) -> list[Sequence[Case]]:
    sets = list(subject.cases.values())
    return [*sets, [case for cases in sets for case in cases]] if len(sets) > 1 else sets


def float_row(subject: Subject) -> None:
    cells = []
    for cases in set_cases(subject):
        scores = [score(case, lambda lr, sr=case.sr_float: sr) for case in cases]
        ssim = np.mean([s.ssim_float for s in scores if s.ssim_float is not None])
        cells.append(f"{np.mean([s.psnr_float for s in scores]):.2f} / {ssim:.4f} / 32")
    show("float", *cells, "100 %", "")


def show(*cells: str) -> None:
    console.print("| " + " | ".join(cells) + " |", soft_wrap=True)


def header(title: str, names: Sequence[str]) -> None:
    console.print(f"\n{title}\n", soft_wrap=True)
    show(*names)
    show(*("---" for _ in names))


def methods_of(subject: Subject, crops: Crops, settings: Settings) -> Mapping[str, Build]:
    still = replace(settings, epochs=0)
    untuned = {f"{name}, not tuned": (name, still) for name in METHODS if METHODS[name].epochs is not None}
    rows = {name: (name, settings if METHODS[name].epochs is not None else still) for name in METHODS}
    made: dict[str, Build] = {
        label: partial(METHODS[name].build, subject.graph, crops, chosen, quiet)
        for label, (name, chosen) in (untuned | rows).items()
    }
    still_images = partial(adabm, subject.graph, crops, settings, quiet, Parts(image_map=False))
    return made | {
        "adabm, no image map": still_images,
        "adabm-percentile, no image map": partial(still_images, start=PERCENTILES),
    }


def parts_of(subject: Subject, crops: Crops, settings: Settings) -> Mapping[str, Build]:
    run = partial(adabm, subject.graph, crops, start=PERCENTILES)
    without = {
        f"without {field.name.replace('_', ' ')}": partial(run, settings, quiet, Parts(**{field.name: False}))
        for field in fields(Parts)
    }
    nothing = Parts(**dict.fromkeys((field.name for field in fields(Parts)), False))
    return {
        "nothing": partial(run, replace(settings, epochs=0), quiet, nothing),
        "tuning alone": partial(run, settings, quiet, nothing),
        "all": partial(run, settings, quiet),
        **without,
        "without tuning": partial(run, replace(settings, epochs=0), quiet),
    }


@app.command()
def methods(
    models: Models,
    images: Images,
    calib: Calib,
    bits: Bits = ["w8a6", "w4a4"],  # noqa: B006
    iterations: Iterations = SIMULATION_ITERATIONS,
    rows: Rows = None,
) -> None:
    """Every method at the same base widths."""
    tables(models, images, calib, bits, iterations, rows, methods_of)


@app.command()
def parts(
    models: Models,
    images: Images,
    calib: Calib,
    bits: Bits = ["w4a4"],  # noqa: B006
    iterations: Iterations = SIMULATION_ITERATIONS,
    rows: Rows = None,
) -> None:
    """AdaBM with parts left out."""
    tables(models, images, calib, bits, iterations, rows, parts_of)


def tables(
    models: list[str],
    images: list[Path],
    calib: Path,
    bits: list[str],
    iterations: int,
    wanted: list[str] | None,
    rows: Callable[[Subject, Crops, Settings], Mapping[str, Build]],
) -> None:
    """One table for each model and pair of widths."""
    sets = folders(images)
    console.print(machine())
    for model in models:
        subject = Subject(model, sets)
        crops = crops_for(subject, calib)
        for widths in bits:
            title = f"{subject.label}, {widths.upper()}, {EPOCHS} x {iterations} steps"
            header(title, ["method", *columns(sets), "BitOPs", "seconds"])
            float_row(subject)
            for label, build in rows(subject, crops, settings_of(widths, EPOCHS, iterations)).items():
                if label in (wanted or [label]):
                    row(label, subject, build)


@app.command()
def curve(
    models: Models,
    calib: Calib,
    bits: Bits = ["w4a4"],  # noqa: B006
    iterations: Iterations = SIMULATION_ITERATIONS,
) -> None:
    """The loss of each epoch, and PSNR-Y on training pictures that were held back."""
    held = [p for i, p in zip(range(SIMULATION_CROPS + HELD_BACK), pictures(calib), strict=False)]
    console.print(machine())
    for model in models:
        subject = Subject(model, {"held back": held[SIMULATION_CROPS:]})
        crops = crops_for(subject, calib)
        cases = subject.cases["held back"]
        for widths in bits:
            settings = settings_of(widths, EPOCHS, iterations)
            network = calibrated(subject.graph, crops, settings, quiet, start=PERCENTILES)

            def line(epoch: str, group: str, loss: str) -> None:
                results = [judged(network.simulated, case, subject.pixel_range) for case in cases]  # noqa: B023
                psnr, bits = np.mean([(s.psnr_program, r.bits) for s, r in results], axis=0)
                show(epoch, group, loss, f"{psnr:.2f}", f"{bits:.2f}")

            title = (
                f"{subject.label}, {widths.upper()}, float {np.mean([c.psnr_float for c in cases]):.2f} dB"
            )
            header(title, ["steps", "group", "loss", "PSNR-Y", "FAB"])
            line("0", "", "")
            for index, epoch in enumerate(tuning(network, crops, settings), 1):
                line(str(index * iterations), epoch.group, f"{epoch.loss:.2f}")


if __name__ == "__main__":
    app()
