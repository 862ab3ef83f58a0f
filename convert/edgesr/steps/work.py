"""One conversion at work: what its steps share, each made when first needed."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch

from edgesr_runtime import ProgramInfo
from edgesr_runtime.metadata import DEFAULT_VARIANT
from edgesr_runtime.program import read_info

from ..defaults import SEED
from ..devices.costs import CostTable
from ..devices.places import HOST, places
from ..errors import UserError
from ..evaluation.judge import Case, judge, prepare
from ..evaluation.resize import downscale
from ..graph.graph import Graph, fingerprint
from ..graph.receptive import receptive_radius, smallest_side
from ..graph.shapes import side_multiple
from ..networks.architecture import Network
from ..networks.source import load_network
from ..quantization import methods
from ..quantization.moves import ranked_moves
from ..quantization.narrowing import narrowed, slimmed
from ..quantization.plan import Plan
from ..quantization.quantize import quantize
from ..quantization.search import COMFORT, Found, search
from ..quantization.statistics import CalibrationTiles
from ..quantization.sums import cheap_sums, terms_apart
from ..quantization.tuning import Settings, steps, tune
from .deployment import Typed, deployed, float_tiles, whole_picture
from .description import describe, int8_mac_share
from .evidence import Evidence, compare_with_reference
from .halo import CHEAP, economic_halo, exact_halo, waste
from .ladder import Decisions, Rung
from .measuring import EVIDENCE, EVIDENCE_ROW, Measuring
from .network import float_graph, prove_equal
from .options import Options
from .pictures import LEAST_SIDE, Drawn, calibration_tiles, draw, most_complex, tiles_of
from .pixel_range import find_pixel_range
from .progress import Stages
from .unfinished import Unfinished

OUTPUT_SIDE = 256  # pixels of an output tile, about
SEAM_PICTURES = 4  # on which the halo is found
MAX_TILE = 1024
COMPARED_TILES = 4
INT8_THROUGHOUT = ("w8a8", "w4a8")  # forms in which sums would be rounded


class Work:
    """See the module's docstring."""

    def __init__(self, options: Options, given: Decisions | None, stages: Stages) -> None:
        """Args: given: what a plan file says; None decides everything anew."""
        self.options, self.given, self.stages = options, given, stages
        planned = given.best.provenance.seed if given else SEED
        self.seed = planned if options.seed is None else options.seed
        self.threads = torch.get_num_threads()
        self.seconds = dict.fromkeys(("calibrate", "search", "tune", "lower", "check"), 0.0)
        self.notes: list[str] = []
        self.network = load_network(options.model, options.weights, options.scale, options.pixel_range)
        stages("reading the network", None)
        plain = float_graph(self.network)
        self.sums = self._sums(plain)
        self.graph = self._apart(plain)
        self.tile = _tile(options.tile, self.network, self.graph)
        side = max(LEAST_SIDE, smallest_side(self.graph)) * self.network.scale
        self.drawn: Drawn = draw(options.pictures, options.calib_images, self.seed, side)
        self.pixel_range = self.network.pixel_range or find_pixel_range(
            self.graph, self.network.scale, self.drawn.calibrate, options.model
        )
        prove_equal(self.graph, self.network, self.pixel_range)
        self.halo = self._halo()
        if options.tile is None and (words := waste(self.tile, self.halo)):
            self.notes.append(words)

    def _halo(self) -> int:
        pictures = (downscale(p.rgb, self.network.scale) for p in self.drawn.calibrate[:SEAM_PICTURES])
        halo = economic_halo(self.graph, self.radius, self.tile, pictures, self.pixel_range)
        routed = self.options.variants or (self.given and self.given.routing)
        return max(halo, min(CHEAP, self.tile // 4)) if routed else halo  # another network may be among them

    @cached_property
    def radius(self) -> int | None:
        """Pixels that the network looks beyond its own; None for attention."""
        return receptive_radius(self.graph)

    def _sums(self, graph: Graph) -> tuple[str, ...]:
        if self.given:
            return self.given.best.apart
        return cheap_sums(graph) if self.options.bits in INT8_THROUGHOUT else ()

    def _apart(self, graph: Graph) -> Graph:
        try:
            return terms_apart(graph, self.sums)
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
        """The metadata of the network's program without variants."""
        return self.describe_all({DEFAULT_VARIANT: Rung(self.graph, plan)})

    def describe_all(self, rungs: Mapping[str, Rung]) -> ProgramInfo:
        info = describe(self.network, rungs, self.tile, self.halo, self.pixel_range)
        return replace(info, exact_halo=self._exact_halo(rungs.values()))

    def _exact_halo(self, rungs: Iterable[Rung]) -> int | None:
        """A grid that is laid anew over each tile is another one than that of the whole picture."""
        if any("w8a8-dynamic" in rung.plan.containers.values() for rung in rungs):
            return None
        radii = [self.radius if rung.graph is self.graph else receptive_radius(rung.graph) for rung in rungs]
        known = [radius for radius in radii if radius is not None]
        return exact_halo(max(known), self.tile) if len(known) == len(radii) else None

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
        plan = replace(method(self.graph, self.tiles, 4 if bits == "w4a8" else 8), apart=self.sums)
        return plan.with_containers({node.name: "f32" for node in self.graph}) if bits == "f32" else plan

    def tuned(self, plan: Plan, variant: str = DEFAULT_VARIANT) -> Plan:
        """The plan with its numbers learned further, as far as `--tune` asks for it."""
        effort = self.options.effort
        if effort == 0:
            return plan
        settings = replace(Settings(), multiplications=effort * Settings().multiplications)
        advance = self.stages("tuning", steps(self.graph, self.tiles, settings))
        checkpoint = self.unfinished.file(f"tuning-{variant}.npz")
        better = tune(self.graph, plan, self.tiles, settings, checkpoint, advance, self.notes.append)
        return replace(better, provenance=replace(plan.provenance, method=f"{plan.provenance.method}, tuned"))

    @cached_property
    def table(self) -> CostTable:
        return CostTable()

    def milliseconds(self, rung: Rung) -> float:
        """Of one tile, by the cost table."""
        total = self.table.milliseconds(quantize(rung.graph, rung.plan), self.tile)
        self.table.save()
        return total

    @cached_property
    def unfinished(self) -> Unfinished:
        """What an interrupted conversion of the same network, pictures and options has left."""
        o = self.options
        choices = (o.bits, o.method, self.seed, self.tile, self.halo, self.pixel_range, o.calib_images)
        pictures = (p.rgb.tobytes() for p in (*self.drawn.calibrate, *self.drawn.held_back))
        return Unfinished(repr(choices).encode(), fingerprint(self.graph), *pictures)

    @cached_property
    def measuring(self) -> Measuring:
        return Measuring(
            self.graph, self.cases, self.describe, self.table, self.unfinished, self.threads,
            self.options.target, self.options.compress, EVIDENCE + self._device_rows * EVIDENCE_ROW,
        )  # fmt: skip

    @property
    def _device_rows(self) -> int:
        """Of the evidence that `--verify-on` adds; this machine's own are among them."""
        elsewhere = (HOST, *places(self.options.verify_on)) if self.options.verify_on else ()
        return len(elsewhere) * max(1, len(self.options.variants))

    def searched(self, plan: Plan, comfort: float = COMFORT) -> Found:
        """The cheapest containers that keep the drop within `--max-drop`, and all budgets."""
        measure, budgets = self.measuring, self.options.budgets
        advance = self.stages("searching for the cheapest bits", None)
        if self.options.compress and measure.size(plan) > budgets.max_bytes:
            narrow = narrowed(self.graph, plan, self.tiles)
            plan = slimmed(self.graph, plan, narrow, measure.size, budgets.max_bytes)
        ranking = ranked_moves(self.graph, plan, measure.milliseconds)
        self.table.save()  # the next conversion must find the same costs, even if this one is interrupted
        found = search(plan, ranking, measure, budgets, comfort, lambda step: advance(step.summary))
        self.table.save()
        return found

    def measure(self, program: bytes, typed: Typed, info: ProgramInfo) -> Evidence:
        """Runs the program: against the integer reference on some tiles, against float on the pictures."""
        cases = self.cases
        tiles = most_complex(
            np.concatenate([tiles_of(case.lr, self.tile, self.halo) for case in cases]), COMPARED_TILES
        )
        advance = self.stages("comparing with the integer reference", len(tiles) * len(typed))
        comparison, delegation = compare_with_reference(
            program, tiles, self.pixel_range, self.threads, advance
        )
        advance = self.stages("judging", len(cases))
        verdict = judge(cases, deployed(program, info, self.threads), advance)
        best = list(typed.values())[-1]
        return Evidence(verdict, comparison, delegation, int8_mac_share(best, self.tile))

    def prove_same(self, measured: bytes, final: bytes) -> None:
        """The file with the evidence in it must load, and run exactly as the one that was measured."""
        lr = self.cases[0].lr[: self.tile, : self.tile]
        before, after = (deployed(data, read_info(data), self.threads)(lr) for data in (measured, final))
        if not np.array_equal(before, after):
            raise AssertionError("adding metadata has changed what the program computes")


def _tile(wanted: int | None, network: Network, graph: Graph) -> int:
    """The side of the program's input: as asked for, or so that its output is about 256 pixels."""
    least = max(LEAST_SIDE, smallest_side(graph))
    multiple = side_multiple(graph, graph.output, network.scale)
    if wanted is None:
        side = max(least, OUTPUT_SIDE // network.scale // 8 * 8)
        return -(-side // multiple) * multiple
    if not least <= wanted <= MAX_TILE:
        raise UserError(f"--tile {wanted}: this network takes {least} to {MAX_TILE} low-resolution pixels")
    if wanted % multiple:
        raise UserError(f"--tile {wanted}: this network takes multiples of {multiple} pixels")
    return wanted
