"""Gathering what a report shows: the program runs once more on the few pictures shown, and is timed."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed

import numpy as np
import torch

from edgesr_runtime import Program, ProgramInfo, upscale
from edgesr_runtime.engines import engine_for
from edgesr_runtime.metadata import Calibration
from edgesr_runtime.tiles import extract, plan_tiles

from ..devices import costs
from ..evaluation.judge import Case, Rgb, Verdict
from ..graph.graph import Graph
from ..lowering.targets import target_of
from .material import Histogram, Material, TileMap
from .pictures import chosen, compared
from .tile_map import most_telling, routes
from .timing import measure, packed_size

RUNTIMES = {"tflite": "ai-edge-litert", "executorch": "executorch"}
"""Format -> the package that runs it here."""
SHOWN = 12  # digits of a fingerprint


@dataclass(frozen=True)
class Subject:
    """What was judged, and on what.

    Attributes:
        program: the file's bytes, not compressed.
        graph: the float network that it is compared with.
        case: gives a judged picture by its name.
        maps: the tiles of all judged pictures.
        pictures: which they are, in words.
    """

    program: bytes
    info: ProgramInfo
    graph: Graph
    verdict: Verdict
    case: Callable[[str], Case]
    maps: Sequence[TileMap]
    pictures: str
    threads: int


def gather(subject: Subject, histograms: tuple[Histogram, ...] = ()) -> Material:
    """Seconds of work; see `Material`."""
    opened = Program(subject.info, engine_for(subject.program, subject.threads))
    telling = most_telling(subject.maps)
    picture = subject.case(telling.name).lr
    shown = []
    for role, score in chosen(subject.verdict).items():
        case = subject.case(score.name)
        shown.append(compared(role, score, case, upscale(opened, case.lr)))
    return Material(
        pictures=subject.pictures,
        method=subject.info.calibration.method,
        calibration=_calibration(subject.info.calibration),
        threads=subject.threads,
        bytes_unpacked=len(subject.program),
        bytes_compressed=packed_size(subject.program),
        scores=subject.verdict.scores,
        compared=tuple(shown),
        timing=measure(subject.program, subject.info, subject.graph, _first_tile(picture, subject.info)),
        routes=routes(subject.maps),
        tile_map=telling,
        tile_picture=picture,
        machine=_machine(target_of(subject.program).name),
        histograms=histograms,
    )


def _first_tile(lr: Rgb, info: ProgramInfo) -> Rgb:
    plan = plan_tiles(lr.shape[0], lr.shape[1], info.tile, info.halo)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    extract(lr, plan, plan.tiles[0], square)
    return square


def _calibration(source: Calibration) -> str:
    fingerprint = source.fingerprint[:SHOWN]
    return f"{source.method} on {source.images} tiles (SHA-256 {fingerprint}...), seed {source.seed}"


def _machine(target: str) -> dict[str, str]:
    return {
        "processor": costs.machine()["processor"],
        "runtime": f"{RUNTIMES[target]} {installed(RUNTIMES[target])}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_version()}, PyTorch {torch.__version__}",
    }
