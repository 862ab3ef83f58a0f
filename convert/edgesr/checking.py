"""`edgesr check` as a library: is a program file still as good as the network it was made of?

The file is untrusted: it is verified and run in a process of its own before anything else. Pictures are
read, judged and dropped one by one, so a folder may be of any size.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgesr_runtime import ProgramInfo, upscale
from edgesr_runtime.program import load_program, read_program

from .defaults import MAX_DROP
from .errors import UserError
from .evaluation.folder import list_pictures, nothing_usable, usable_pictures
from .evaluation.judge import Rgb, Score, Verdict, case_of, score
from .graph.graph import Graph
from .graph.receptive import smallest_side
from .lowering.targets import target_of
from .networks.source import load_network
from .quantization.search import Budgets
from .steps.deployment import float_tiles, whole_picture
from .steps.description import identity, int8_mac_share, layers_json
from .steps.evidence import Evidence, Gate, compare_with_reference, gate
from .steps.network import float_graph, prove_equal
from .steps.pictures import LEAST_SIDE, most_complex, skip_warnings, tiles_of
from .steps.progress import Stages, quiet

COMPARED_TILES = 8


@dataclass(frozen=True)
class CheckOptions:
    """What to check against what; the flags of `edgesr check` say more about each."""

    program: Path
    reference: str
    images: Path
    weights: Path | None = None
    max_drop: float = MAX_DROP


@dataclass(frozen=True)
class Check:
    """What is known about a program after the check."""

    path: Path
    target: str
    size: int
    info: ProgramInfo
    evidence: Evidence
    gate: Gate
    seconds: float
    warnings: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr check`; steps that only a conversion takes have 0 seconds."""
        return {
            **identity(self.path, self.size, self.info, self.target),
            "seconds": dict.fromkeys(("calibrate", "search", "tune", "lower"), 0.0)
            | {"check": round(self.seconds, 2)},
            **self.evidence.record(),
            "variants": list(self.info.variants),
            "layers": layers_json(self.info),
            "devices": [],
            "gate": self.gate.record(),
            "warnings": list(self.warnings),
        }


def check(options: CheckOptions, stages: Stages = quiet) -> Check:
    """Judges a program on every usable picture of a folder.

    The most complex tiles, one of a picture at most, are also compared with the integer reference.

    Raises:
        UserError: anything wrong with the options, the files or the network.
    """
    start = time.perf_counter()
    if not options.max_drop >= 0:
        raise UserError(f"--max-drop {options.max_drop:g}: give 0 or more dB")
    paths = list_pictures(options.images)
    threads = torch.get_num_threads()
    stages("opening the program", None)
    data = read_program(options.program)
    program = load_program(data, str(options.program), threads)
    info = program.info
    target = target_of(data)
    variants = target.read(data)
    graph = _reference(options, info)

    skipped: list[tuple[str, str]] = []
    side = max(LEAST_SIDE, smallest_side(graph)) * info.scale
    whole, tiled = whole_picture(graph, info.pixel_range), float_tiles(graph, info)
    scores: list[Score] = []
    tiles: list[Rgb] = []
    advance = stages("judging", len(paths))
    for picture in usable_pictures(paths, skipped, side, flat=False):
        case = case_of(picture, info.scale, whole, tiled)
        scores.append(score(case, lambda lr: upscale(program, lr)))
        tiles.append(most_complex(tiles_of(case.lr, info.tile, info.halo), 1))
        advance()
    if not scores:
        raise UserError(f"{options.images}: {nothing_usable(skipped)}")

    hardest = most_complex(np.concatenate(tiles), COMPARED_TILES)
    advance = stages("comparing with the integer reference", len(hardest) * len(variants))
    compared = compare_with_reference(data, hardest, info.pixel_range, threads, advance)
    share = int8_mac_share(variants[info.variants[-1]], info.tile)
    evidence = Evidence(Verdict(tuple(scores)), *compared, share)
    seconds = time.perf_counter() - start
    warnings = skip_warnings(options.images, skipped)
    held = gate(evidence, Budgets(options.max_drop))
    size = options.program.stat().st_size
    return Check(options.program, target.name, size, info, evidence, held, seconds, warnings)


def _reference(options: CheckOptions, info: ProgramInfo) -> Graph:
    """The float graph of the network that the program should be equal to."""
    network = load_network(options.reference, options.weights, info.scale, info.pixel_range)
    graph = float_graph(network)
    prove_equal(graph, network, info.pixel_range)
    return graph
