"""`edgesr convert` as a library: from a network to a program file that is proven against it.

The order matters: whatever can be wrong with the input is found before any long work; the program is
run, compared and judged before it is written; and everything that goes into it follows from the network,
the pictures, the plan and the seed, so that the same input gives the same bytes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgesr_runtime import ProgramInfo
from edgesr_runtime.files import check_writable, write_atomically
from edgesr_runtime.program import read_info

from .defaults import BITS, CALIBRATION_IMAGES, MAX_DROP, METHOD, SEED, TARGET
from .devices.costs import CostTable
from .errors import UserError
from .evaluation.folder import list_pictures
from .evaluation.judge import Case, judge, prepare
from .graph.graph import Graph, fingerprint
from .graph.receptive import receptive_radius, smallest_side
from .networks.architecture import Network
from .networks.source import load_network
from .quantization import methods
from .quantization import plan as plans
from .quantization.moves import ranked_moves
from .quantization.narrowing import narrowed, slimmed
from .quantization.plan import Plan
from .quantization.quantize import quantize
from .quantization.search import Budgets, Found, search
from .quantization.statistics import CalibrationTiles
from .quantization.sums import cheap_sums, terms_apart
from .quantization.typed import TypedGraph
from .steps.deployment import as_file, deployed, float_tiles, whole_picture, write_program
from .steps.description import describe, identity, int8_mac_share, layers_json
from .steps.evidence import Evidence, Gate, compare_with_reference, gate
from .steps.measuring import Measuring
from .steps.network import float_graph, prove_equal
from .steps.pictures import Drawn, calibration_tiles, draw, most_complex, shipped_folder, tiles_of
from .steps.pixel_range import find_pixel_range
from .steps.progress import Stages, quiet
from .steps.unfinished import Unfinished

OUTPUT_SIDE = 256  # pixels of an output tile, about
MAX_HALO = 8
MAX_TILE = 1024
COMPARED_TILES = 4
INT8_THROUGHOUT = ("w8a8", "w4a8")  # forms in which sums would be rounded
LEAST_SIDE = 8  # low-resolution pixels that a picture needs to be judged at all


@dataclass(frozen=True)
class Options:
    """What to convert and how; the flags of `edgesr convert` say more about each.

    Attributes:
        output: the program file; `plan_output` takes the plan, if given.
        calib: folder of pictures; None takes the shipped ones.
        bits: one of `BITS`, or the path of a plan.
        max_bytes: of the file; max_ms: of one tile on one thread of this machine. None sets no limit.
        seed: None takes the plan's if `bits` is one, else the default.
        compress: write the file through gzip.
    """

    model: str
    output: Path
    weights: Path | None = None
    scale: int | None = None
    pixel_range: int | None = None
    calib: Path | None = None
    calib_images: int = CALIBRATION_IMAGES
    bits: str = "auto"
    max_drop: float = MAX_DROP
    max_bytes: int | None = None
    max_ms: float | None = None
    tile: int | None = None
    method: str = METHOD
    seed: int | None = None
    plan_output: Path | None = None
    compress: bool = False

    @property
    def budgets(self) -> Budgets:
        limits = (inf if limit is None else limit for limit in (self.max_bytes, self.max_ms))
        return Budgets(self.max_drop, *limits)


@dataclass(frozen=True)
class Conversion:
    """A program that was written, and what is known about it.

    Attributes:
        size: bytes of the file.
        size_compressed: bytes that it has, or would have, through gzip.
        milliseconds: of one tile on one thread of this machine, by the cost table.
        found: what the search tried; None where there was none.
    """

    path: Path
    size: int
    size_compressed: int
    milliseconds: float
    info: ProgramInfo
    plan: Plan
    found: Found | None
    evidence: Evidence
    gate: Gate
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr convert`."""
        return {
            **identity(self.path, self.size, self.info),
            "bytes_compressed": self.size_compressed,
            "milliseconds": round(self.milliseconds, 3),
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            **self.evidence.record(),
            "variants": list(self.info.variants),
            "layers": layers_json(self.info),
            "search": None if self.found is None else self.found.record(),
            "devices": [],
            "gate": self.gate.record(),
            "warnings": list(self.warnings),
        }


def convert(options: Options, stages: Stages = quiet) -> Conversion:
    """Converts a network and writes the program, whether its gate holds or not.

    Raises:
        UserError: anything wrong with the options, the files or the network; nothing is written then.
    """
    given_plan = _check(options)
    work = _Work(options, given_plan, stages)
    with work.timed("calibrate"):
        plan = given_plan or work.unfinished.plan(work.calibrated)
    found = None
    if options.bits == "auto":
        with work.timed("search"):
            found = work.searched(plan)
            plan = found.plan
    with work.timed("lower"):
        stages("lowering", None)
        typed = quantize(work.graph, plan)
        info = _checked(work.describe(plan), options.bits)
        draft = write_program(typed, info)
    with work.timed("check"):
        evidence = work.measure(draft, typed, info)
    with work.timed("lower"):
        info = replace(info, evidence=evidence.record())
        program = write_program(typed, info)
        work.prove_same(draft, program)
    content, compressed = as_file(program, options.compress), as_file(program, compress=True)
    write_atomically(options.output, content)
    if options.plan_output:
        write_atomically(options.plan_output, plan.to_json())
    work.unfinished.finish()
    milliseconds = work.milliseconds(plan)
    return Conversion(
        path=options.output,
        size=len(content),
        size_compressed=len(compressed),
        milliseconds=milliseconds,
        info=info,
        plan=plan,
        found=found,
        evidence=evidence,
        gate=gate(evidence, options.budgets, len(content), milliseconds),
        seconds=work.seconds,
        warnings=(*work.drawn.warnings, *_unkept(found, options.budgets)),
    )


def _check(options: Options) -> Plan | None:
    """Everything that can be known to be wrong without work; returns the plan that `bits` names."""
    if find_spec("ai_edge_litert") is None:
        raise UserError(f"--target {TARGET} needs ai-edge-litert: pip install 'edgesr[tflite]'")
    for path in filter(None, (options.output, options.plan_output)):
        check_writable(path)
    _refuse_clashes(options)
    if options.calib_images < 1:
        raise UserError(f"--calib-images {options.calib_images}: give 1 or more")
    if not options.max_drop >= 0:
        raise UserError(f"--max-drop {options.max_drop:g}: give 0 or more dB")
    for flag, limit in (("--max-bytes", options.max_bytes), ("--max-ms", options.max_ms)):
        if limit is not None and not limit > 0:
            raise UserError(f"{flag} {limit:g}: give more than 0")
    if options.seed is not None and not 0 <= options.seed < 2**63:
        raise UserError(f"--seed {options.seed}: give a whole number from 0")
    methods.by_name(options.method)
    list_pictures(options.calib or shipped_folder())
    return None if options.bits in BITS else _read_plan(Path(options.bits))


def _unkept(found: Found | None, budgets: Budgets) -> tuple[str, ...]:
    """Tells that no program keeps to the budgets, and which one was written instead."""
    if found is None or found.holds:
        return ()
    if not found.affordable:
        return ("no choice of bits keeps to --max-bytes and --max-ms: this is the cheapest program",)
    return (f"no choice of bits within the budgets loses {budgets.max_drop:g} dB or less: this is the best",)


def _refuse_clashes(options: Options) -> None:
    """No output may be one of the inputs, or the other output."""
    inputs = (Path(options.model), options.weights, Path(options.bits))
    written = [path.resolve() for path in (options.output, options.plan_output) if path]
    read = [path.resolve() for path in inputs if path and path.is_file()]
    if options.output.resolve() in read or len(set(written)) < len(written):
        raise UserError(f"{options.output}: another file of this command is there: choose another output")


def _read_plan(path: Path) -> Plan:
    if not path.is_file():
        raise UserError(f"--bits {path}: give {', '.join(BITS)}, or a plan file written with --plan")
    try:
        return plans.from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text ({error}): give a plan file") from error


def _checked(info: ProgramInfo, bits: str) -> ProgramInfo:
    """A plan file may have been edited, and what it says goes into the metadata."""
    try:
        info.to_json()
    except ValueError as error:
        raise UserError(f"--bits {bits}: its field {error}: give a plan as --plan wrote it") from error
    return info


class _Work:
    """One conversion: what its steps share, each made when first needed."""

    def __init__(self, options: Options, plan: Plan | None, stages: Stages) -> None:
        self.options, self.stages = options, stages
        planned = plan.provenance.seed if plan else SEED
        self.seed = planned if options.seed is None else options.seed
        self.threads = torch.get_num_threads()
        self.seconds = dict.fromkeys(("calibrate", "search", "lower", "check"), 0.0)
        self.network = load_network(options.model, options.weights, options.scale, options.pixel_range)
        stages("reading the network", None)
        self.graph = float_graph(self.network)
        self.apart = plan.apart if plan else cheap_sums(self.graph) if options.bits in INT8_THROUGHOUT else ()
        self.graph = self._terms_apart()
        self.tile = _tile(options.tile, self.network, self.graph)
        radius = receptive_radius(self.graph)
        self.halo = min(MAX_HALO if radius is None else radius, MAX_HALO, self.tile // 4)
        side = max(LEAST_SIDE, smallest_side(self.graph)) * self.network.scale
        self.drawn: Drawn = draw(options.calib or shipped_folder(), options.calib_images, self.seed, side)
        self.pixel_range = self.network.pixel_range or find_pixel_range(
            self.graph, self.network.scale, self.drawn.calibrate, options.model
        )
        prove_equal(self.graph, self.network, self.pixel_range)

    def _terms_apart(self) -> Graph:
        try:
            return terms_apart(self.graph, self.apart)
        except ValueError as error:
            raise UserError(f"--bits {self.options.bits}: {error}: it belongs to another network.") from error

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - start

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The held-back pictures with the float network's results."""
        pictures = self.drawn.held_back
        whole = whole_picture(self.graph, self.pixel_range)
        tiled = float_tiles(self.graph, self.describe(Plan({}, {})))
        advance = self.stages("running the float network", len(pictures))
        return prepare(pictures, self.network.scale, whole, tiled, advance)

    def describe(self, plan: Plan) -> ProgramInfo:
        return describe(self.network, self.graph, plan, self.tile, self.halo, self.pixel_range)

    @cached_property
    def tiles(self) -> CalibrationTiles:
        return calibration_tiles(
            self.drawn.calibrate, self.network.scale, self.tile, self.halo, self.pixel_range, self.seed
        )

    def calibrated(self) -> Plan:
        """The method's plan with the containers that `--bits` asks for, before any search."""
        bits = self.options.bits
        self.stages(f"calibrating ({self.options.method})", None)
        method = methods.by_name("minmax" if bits == "f32" else self.options.method)
        plan = replace(method(self.graph, self.tiles, 4 if bits == "w4a8" else 8), apart=self.apart)
        return plan.with_containers({node.name: "f32" for node in self.graph}) if bits == "f32" else plan

    @cached_property
    def table(self) -> CostTable:
        return CostTable()

    def milliseconds(self, plan: Plan) -> float:
        """Of one tile, by the cost table."""
        total = self.table.milliseconds(quantize(self.graph, plan), self.tile)
        self.table.save()
        return total

    @cached_property
    def unfinished(self) -> Unfinished:
        """What an interrupted conversion of the same network, pictures and options has left."""
        o = self.options
        choices = (o.bits, o.method, self.seed, self.tile, self.halo, self.pixel_range, o.calib_images)
        pictures = (p.rgb.tobytes() for p in (*self.drawn.calibrate, *self.drawn.held_back))
        return Unfinished(repr(choices).encode(), fingerprint(self.graph), *pictures)

    def searched(self, plan: Plan) -> Found:
        """The cheapest containers that keep the drop within `--max-drop`, and all budgets."""
        measure = Measuring(
            self.graph, self.cases, self.describe, self.table, self.unfinished, self.threads,
            self.options.compress,
        )  # fmt: skip
        advance = self.stages("searching for the cheapest bits", None)
        budgets = self.options.budgets
        if self.options.compress and measure.size(plan) > budgets.max_bytes:
            narrow = narrowed(self.graph, plan, self.tiles)
            plan = slimmed(self.graph, plan, narrow, measure.size, budgets.max_bytes)
        ranking = ranked_moves(self.graph, plan, measure.milliseconds)
        found = search(plan, ranking, measure, budgets, lambda step: advance(step.summary))
        self.table.save()
        return found

    def measure(self, program: bytes, typed: TypedGraph, info: ProgramInfo) -> Evidence:
        """Runs the program: against the integer reference on some tiles, against float on the pictures."""
        cases = self.cases
        tiles = most_complex(
            np.concatenate([tiles_of(case.lr, self.tile, self.halo) for case in cases]), COMPARED_TILES
        )
        advance = self.stages("comparing with the integer reference", len(tiles))
        comparison, delegation = compare_with_reference(
            program, tiles, self.pixel_range, self.threads, advance
        )
        advance = self.stages("judging", len(cases))
        verdict = judge(cases, deployed(program, info, self.threads), advance)
        return Evidence(verdict, comparison, delegation, int8_mac_share(typed, self.tile))

    def prove_same(self, measured: bytes, final: bytes) -> None:
        """The file with the evidence in it must load, and run exactly as the one that was measured."""
        lr = self.cases[0].lr[: self.tile, : self.tile]
        before, after = (deployed(data, read_info(data), self.threads)(lr) for data in (measured, final))
        if not np.array_equal(before, after):
            raise AssertionError("adding metadata has changed what the program computes")


def _tile(wanted: int | None, network: Network, graph: Graph) -> int:
    """The side of the program's input: as asked for, or so that its output is about 256 pixels."""
    least = max(LEAST_SIDE, smallest_side(graph))
    if wanted is None:
        return max(least, OUTPUT_SIDE // network.scale // 8 * 8)
    if not least <= wanted <= MAX_TILE:
        raise UserError(f"--tile {wanted}: this network takes {least} to {MAX_TILE} low-resolution pixels")
    return wanted
