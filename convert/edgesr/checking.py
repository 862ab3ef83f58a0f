"""`edgesr check` as a library: is a program file still as good as the network it was made of?

The file is untrusted: it is verified and run in a process of its own before anything else. Pictures are
read, judged and dropped one by one, so a folder may be of any size.
"""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgesr_runtime import ProgramInfo, upscale
from edgesr_runtime.program import load_program, read_program

from .defaults import MAX_DROP
from .devices.host import delegated
from .devices.places import DEFAULT_CPU, HOST
from .errors import UserError
from .evaluation.folder import list_pictures, nothing_usable, skip_warnings, usable_pictures
from .evaluation.judge import Case, Rgb, Score, Verdict, case_of, score
from .graph.graph import Graph
from .graph.receptive import smallest_side
from .lowering.litert_torch import summary as litert_torch
from .lowering.targets import OWN, converter_of, target_of
from .networks.source import load_network
from .quantization.search import Budgets
from .report.gather import Subject, gather
from .report.material import Material, TileMap
from .report.tile_map import tile_map
from .steps.deployment import Network as FloatNetwork
from .steps.deployment import float_tiles, whole_picture
from .steps.description import identity, int8_mac_share, layers_json
from .steps.device_checks import Crops, Row, all_rows, check_devices, failures_of, judged_on, prepared
from .steps.evidence import Evidence, Gate, compare_with_reference, gate
from .steps.network import float_graph, prove_equal
from .steps.pictures import LEAST_SIDE, most_complex, tiles_of
from .steps.progress import Stages, quiet

COMPARED_TILES = 8
UNCOMPARED = "judged in dB alone: no integer reference knows programs of another converter"


@dataclass(frozen=True)
class CheckOptions:
    """What to check against what; the flags of `edgesr check` say more about each.

    Attributes:
        exhibit: also gather what a report shows, seconds more.
        on: devices to run it on, besides this machine; cpus: which CPUs are emulated there.
    """

    program: Path
    reference: str
    images: Path
    weights: Path | None = None
    max_drop: float = MAX_DROP
    exhibit: bool = False
    on: tuple[str, ...] = (HOST,)
    cpus: tuple[str, ...] = (DEFAULT_CPU,)


@dataclass(frozen=True)
class Check:
    """What is known about a program after the check; `material` is what a report shows besides."""

    path: Path
    target: str
    size: int
    info: ProgramInfo
    evidence: Evidence
    gate: Gate
    seconds: float
    warnings: tuple[str, ...]
    material: Material | None
    devices: tuple[Row, ...] = ()

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr check`; steps that only a conversion takes have 0 seconds."""
        record = {
            **identity(self.path, self.size, self.info, self.target),
            "seconds": dict.fromkeys(("calibrate", "search", "tune", "lower"), 0.0)
            | {"check": round(self.seconds, 2)},
            **self.evidence.record(),
            "sizes": asdict(self.info.sizes) if self.info.sizes else None,
            "variants": list(self.info.variants),
            "layers": layers_json(self.info),
            "gate": self.gate.record(),
            "warnings": list(self.warnings),
        }
        return judged_on(self.devices, record)


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
    own = converter_of(info) == OWN
    if options.exhibit and not own:
        raise UserError(f"--report: {options.program} was made by {converter_of(info)}: leave it out")
    if options.on != (HOST,) and not own:
        raise UserError(f"--on: {options.program} was made by {converter_of(info)}: leave it out")
    places = prepared(options.on, options.cpus, stages)
    graph = _reference(options, info)

    skipped: list[tuple[str, str]] = []
    side = max(LEAST_SIDE, smallest_side(graph) if isinstance(graph, Graph) else 0) * info.scale
    whole, tiled = whole_picture(graph, info.pixel_range), float_tiles(graph, info)
    scores: list[Score] = []
    tiles: list[Rgb] = []
    maps: list[TileMap] = []
    crops = Crops(info)
    advance = stages("judging", len(paths))
    for picture in usable_pictures(paths, skipped, side, flat=False):
        case = case_of(picture, info.scale, whole, tiled)
        scores.append(score(case, lambda lr: upscale(program, lr)))
        tiles.append(most_complex(tiles_of(case.lr, info.tile, info.halo), 1))
        if places:
            crops.add(picture)
        if options.exhibit:
            maps.append(tile_map(picture.name, case.lr, info))
        advance()
    if not scores:
        raise UserError(f"{options.images}: {nothing_usable(skipped)}")

    hardest = most_complex(np.concatenate(tiles), COMPARED_TILES)
    judge = _compared if own else _without_reference
    evidence = judge(data, info, Verdict(tuple(scores)), hardest, threads, stages)
    rows: tuple[Row, ...] = ()
    if places:
        rows = all_rows(
            evidence.comparison, check_devices(data, program, whole, crops.pictures, places, stages)
        )
    seconds = time.perf_counter() - start
    warnings = skip_warnings(options.images, skipped) + (() if own else (UNCOMPARED,))
    held = gate(evidence, Budgets(options.max_drop))
    held = replace(held, failures=(*held.failures, *failures_of(rows)))
    size = options.program.stat().st_size
    material = None
    if options.exhibit and isinstance(graph, Graph):
        stages("preparing the report", None)

        def again(name: str) -> Case:
            (picture,) = usable_pictures([options.images / name], [])
            return case_of(picture, info.scale, whole)

        words = f"all {len(scores)} usable ones of {options.images.name}"
        material = gather(Subject(data, info, graph, evidence.verdict, again, maps, words, threads))
    return Check(options.program, target.name, size, info, evidence, held, seconds, warnings, material, rows)


def _compared(
    data: bytes, info: ProgramInfo, verdict: Verdict, tiles: Rgb, threads: int, stages: Stages
) -> Evidence:
    """The verdict with the runtime's equality to the integer reference on some tiles."""
    variants = target_of(data).read(data)
    advance = stages("comparing with the integer reference", len(tiles) * len(variants))
    compared = compare_with_reference(data, tiles, info.pixel_range, threads, advance)
    return Evidence(verdict, *compared, int8_mac_share(variants[info.variants[-1]], info.tile))


def _without_reference(
    data: bytes, info: ProgramInfo, verdict: Verdict, tiles: Rgb, threads: int, stages: Stages
) -> Evidence:
    """The verdict of a program whose ops edgesr does not read."""
    share = litert_torch.int8_mac_share(data)
    return Evidence(verdict, None, delegated(data, threads), share, converter_of(info))


def _reference(options: CheckOptions, info: ProgramInfo) -> FloatNetwork:
    """What the program should be equal to: the float graph, or the network itself where there is none."""
    network = load_network(options.reference, options.weights, info.scale, info.pixel_range)
    if converter_of(info) != OWN:
        return network.module
    graph = float_graph(network)
    prove_equal(graph, network, info.pixel_range)
    return graph
