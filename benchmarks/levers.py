"""What each lever of the quantization is worth, alone and together with the others.

    python benchmarks/levers.py static --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...
    python benchmarks/levers.py search --calib DIR --images DIR [--images DIR] MODEL[:SCALE] ...

`static` judges int8 programs: with no lever, with each alone, with all, and with all but one; then two that
leave int8 for what lies between convolutions, and one that narrows ranges. `search` compares ways of choosing
containers under `--max-drop 0.05`. Figures are drops in dB of PSNR-Y, mean / worst picture of all folders;
16 calibration pictures, seed 0. Tile and halo are those of `edgesr convert` for networks whose reach is wide.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import typer
from main_road import machine, timed
from quality import MAX_DROP, THREADS, Calib, Images, Models, Subject, cell, console, folders, subjects
from rich.table import Table

from edgesr.defaults import CALIBRATION_IMAGES, SEED
from edgesr.devices.costs import CostTable
from edgesr.evaluation.judge import prepare
from edgesr.graph import ops
from edgesr.graph.graph import Graph
from edgesr.quantization.methods.adabm import Levers, adabm
from edgesr.quantization.moves import Move, ranked_moves
from edgesr.quantization.plan import Container, Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.search import Budgets, search
from edgesr.quantization.sums import cheap_sums, terms_apart
from edgesr.steps.deployment import float_tiles, whole_picture, write_program
from edgesr.steps.description import describe, int8_mac_share
from edgesr.steps.halo import CHEAP
from edgesr.steps.ladder import Rung
from edgesr.steps.measuring import Measuring
from edgesr.steps.pictures import calibration_tiles, draw, shipped_folder
from edgesr.steps.unfinished import Unfinished
from edgesr.steps.work import OUTPUT_SIDE
from edgesr_runtime import ProgramInfo
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.metadata import DEFAULT_VARIANT

NARROWER = 0.9

LEVERS = tuple(field.name for field in fields(Levers))
APART = "apart"
ALL = frozenset((*LEVERS, APART))
LABELS = {
    "vivid": "ranges for stronger colours",
    "clip": "clipping behind activations",
    "equalize": "channel equalization",
    "pass_on": "rounding that passes errors on",
    "correct_bias": "bias correction",
    APART: "sums read apart",
}

app = typer.Typer(add_completion=False, help=__doc__)


class Bench:
    """One network, its calibration tiles and what was held back."""

    def __init__(self, subject: Subject, calib: Path | None) -> None:
        self.subject, scale = subject, subject.network.scale
        self.tile = OUTPUT_SIDE // scale // 8 * 8
        drawn = draw(calib or shipped_folder(), CALIBRATION_IMAGES, SEED, OUTPUT_SIDE)
        self.held_back = drawn.held_back
        self.costs = CostTable()
        self.tiles = calibration_tiles(drawn.calibrate, scale, self.tile, CHEAP, subject.pixel_range, SEED)

    def graph(self, levers: frozenset[str]) -> Graph:
        graph = self.subject.graph
        return terms_apart(graph, cheap_sums(graph)) if APART in levers else graph

    def plan(self, levers: frozenset[str]) -> Plan:
        chosen = Levers(**{name: name in levers for name in LEVERS})
        return adabm(self.graph(levers), self.tiles, 8, chosen)

    def program(self, graph: Graph, plan: Plan) -> bytes:
        return write_program({DEFAULT_VARIANT: quantize(graph, plan)}, self._info(graph, plan))

    def drop(self, graph: Graph, plan: Plan) -> str:
        return cell(self.subject.judged(self.program(graph, plan), self._info(graph, plan)))

    def searched(self, graph: Graph, plan: Plan, moves: Sequence[Move]) -> Plan:
        white = self.subject.pixel_range
        tiled = float_tiles(graph, self._info(graph, plan))
        cases = prepare(self.held_back, self.subject.network.scale, whole_picture(graph, white), tiled)

        memory = Unfinished(b"benchmark")
        measure = Measuring(graph, cases, partial(self._info, graph), self.costs, memory, THREADS)
        found = search(plan, moves, measure, Budgets(MAX_DROP))
        memory.finish()
        return found.plan

    def ranked(self, graph: Graph, plan: Plan) -> tuple[Move, ...]:
        def milliseconds(plan: Plan) -> float:
            return self.costs.milliseconds(quantize(graph, plan), self.tile)

        return ranked_moves(graph, plan, milliseconds)

    def _info(self, graph: Graph, plan: Plan) -> ProgramInfo:
        subject = self.subject
        rungs = {DEFAULT_VARIANT: Rung(graph, plan)}
        return describe(subject.network, rungs, self.tile, CHEAP, subject.pixel_range)


def static_rows(bench: Bench) -> Iterator[tuple[str, str]]:
    """(what was done, drop)."""
    alone = {"none": frozenset[str](), **{LABELS[lever]: frozenset({lever}) for lever in LABELS}}
    for label, levers in alone.items():
        yield label, bench.drop(bench.graph(levers), bench.plan(levers))
    graph, plan = bench.graph(ALL), bench.plan(ALL)
    yield "all", bench.drop(graph, plan)
    for lever in LABELS:
        others = ALL - {lever}
        yield f"all but {LABELS[lever]}", bench.drop(bench.graph(others), bench.plan(others))
    yield f"all, ranges x {NARROWER}", bench.drop(graph, narrowed(plan, bench.subject.pixel_range))
    yield "all, float sums", bench.drop(graph, float_sums(graph, plan))
    yield "all, grids found at run time", bench.drop(graph, dynamic_grids(plan, bench.ranked(graph, plan)))


def narrowed(plan: Plan, pixel_range: int) -> Plan:
    """Ranges cut at both ends, but those of the pictures."""
    fixed = (0.0, float(pixel_range))
    cut = {n: r if r == fixed else (NARROWER * r[0], NARROWER * r[1]) for n, r in plan.ranges.items()}
    return replace(plan, ranges=cut)


def float_sums(graph: Graph, plan: Plan) -> Plan:
    return plan.with_containers({n.name: "f32" for n in graph if isinstance(n.op, ops.Add)})


def dynamic_grids(plan: Plan, moves: Sequence[Move]) -> Plan:
    changes: dict[str, Container] = {
        name: "f32" if container == "f32" and name not in plan.weight_scales else "w8a8-dynamic"
        for move in moves
        for name, container in move.containers.items()
    }
    return plan.with_containers(changes)


@app.command()
def static(models: Models, images: Images, calib: Calib = None) -> None:
    """Levers of int8 programs."""
    tested = list(subjects(models, folders(images)))
    table = Table("levers", *(subject.label for subject in tested), title=machine())
    for rows in zip(*(static_rows(Bench(subject, calib)) for subject in tested), strict=True):
        table.add_row(rows[0][0], *(drop for _, drop in rows))
    console.print(table)


def by_noise(moves: Sequence[Move]) -> list[Move]:
    """The order of sensitivity alone, whatever a move costs; a convolution's two moves stay in order."""
    least: dict[str, float] = {}
    noises = []
    for move in moves:
        least[move.layer] = min(move.noise, least.get(move.layer, move.noise))
        noises.append(least[move.layer])
    return [move for _, move in sorted(zip(noises, moves, strict=True), key=lambda pair: -pair[0])]


def in_network_order(graph: Graph, moves: Sequence[Move]) -> list[Move]:
    """No ranking at all."""
    place = {node.name: index for index, node in enumerate(graph)}
    return sorted(moves, key=lambda move: max(place[name] for name in move.containers))


def orders(bench: Bench, graph: Graph, plan: Plan) -> Mapping[str, Sequence[Move]]:
    ranked = bench.ranked(graph, plan)
    return {
        "noise removed per millisecond": ranked,
        "noise removed": by_noise(ranked),
        "order of the network": in_network_order(graph, ranked),
        "noise removed per millisecond, float only": bench.ranked(
            graph, replace(plan, dynamic_sensitivity={})
        ),
    }


@app.command("search")
def search_orders(models: Models, images: Images, calib: Calib = None) -> None:
    """Orders in which containers are raised until the drop is held; time is relative to w8a8."""
    table = Table("network", "order", "drop", "int8", "time", title=machine())
    for subject in subjects(models, folders(images)):
        bench = Bench(subject, calib)
        levers = ALL - {APART}
        graph, plan = bench.graph(levers), bench.plan(levers)
        engines = {"w8a8": LiteRtEngine(bench.program(bench.graph(ALL), bench.plan(ALL)), 1)}
        found = {
            name: bench.searched(graph, plan, moves) for name, moves in orders(bench, graph, plan).items()
        }
        engines |= {name: LiteRtEngine(bench.program(graph, p), 1) for name, p in found.items()}
        times = timed(engines)
        for name, chosen in found.items():
            share = int8_mac_share(quantize(graph, chosen), bench.tile)
            ratio = times[name] / times["w8a8"]
            table.add_row(subject.label, name, bench.drop(graph, chosen), f"{share:.3f}", f"{ratio:.2f}")
    console.print(table)


if __name__ == "__main__":
    app()
