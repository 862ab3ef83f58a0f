"""Deciding what a program holds: one form of the network, or the variants that `--variants` names.

`high` is the program that would be written without variants. `mid` is the same network with only as much
more than int8 as a few hundredths of its time buy. `low` is the small network that ships with edgesr at the
same scale: 4-bit weights save no time on a phone, so that a tile becomes much cheaper only by a smaller
network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ..errors import UserError
from ..graph.graph import Graph
from ..networks.plain import PlainNet
from ..networks.source import load_network, shipped
from ..quantization import methods
from ..quantization.plan import Plan
from ..quantization.quantize import quantize
from ..quantization.search import Found
from .deployment import write_program
from .ladder import Decision, Decisions, Rung
from .network import float_graph
from .routing import Picked, measure_tiles, pick
from .work import Work

SMALL = "plain"
LITTLE = 0.02  # more than the int8 program's time, which `mid` may take
NAMED = 4  # layers that a message lists
WORTH_IT = 0.95  # of the next better variant's time: what takes longer is left out


@dataclass(frozen=True)
class Variants:
    """What was decided, ready to lower.

    Attributes:
        found: what the search of the best variant tried; None where there was none.
        picked: the thresholds and what they do; None where nothing is routed, or a plan file said so.
        notes: what the user should know.
    """

    decisions: Decisions
    rungs: Mapping[str, Rung]
    found: Found | None = None
    picked: Picked | None = None
    notes: tuple[str, ...] = ()


def as_given(work: Work, decisions: Decisions) -> Variants:
    """What a plan file says.

    Raises:
        UserError: it names a small network that this edgesr does not ship, or `--variants` were also given.
    """
    if work.options.variants:
        raise UserError("--variants: the plan file says which there are: leave it out, or choose --bits anew")
    rungs = _rungs(work, decisions)
    for rung in rungs.values():
        if differing := _differing(rung):
            raise UserError(f"--bits {work.options.bits}: it belongs to another network: {differing}")
    return Variants(decisions, rungs)


def _differing(rung: Rung) -> str:
    """Where a plan's layers and a network's are not the same, in words; "" if they are."""
    ours = {node.name: len(node.op.bias) for node in rung.graph.convs}
    planned = {name: len(scales) for name, scales in rung.plan.weight_scales.items()}
    kinds = {
        "the plan lacks": ours.keys() - planned.keys(),
        "the network lacks": planned.keys() - ours.keys(),
        "of other widths are": {name for name in ours.keys() & planned.keys() if ours[name] != planned[name]},
    }
    return "; ".join(f"{words} {_few(sorted(names))}" for words, names in kinds.items() if names)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def decide(work: Work) -> Variants:
    """Calibrates, searches, makes the variants that were asked for and finds their thresholds."""
    with work.timed("calibrate"):
        plan = work.unfinished.plan(work.calibrated)
    with work.timed("search"):
        found = work.searched(plan) if work.options.bits == "auto" else None
        best = found.plan if found else plan
    with work.timed("tune"):
        best = work.tuned(best)
    if not work.options.variants:
        single = Decisions.single(best)
        return Variants(single, _rungs(work, single), found)
    making = _Making(work, plan, best)
    with work.timed("search"):
        decisions = Decisions(making.variants)
        rungs = _rungs(work, decisions)
        picked = _picked(work, rungs) if len(rungs) > 1 else None
    routing = picked.routing if picked else None
    return Variants(replace(decisions, routing=routing), rungs, found, picked, tuple(making.notes))


class _Making:
    """The variants that were asked for and are worth having, cheapest first."""

    def __init__(self, work: Work, plan: Plan, best: Plan) -> None:
        self.work, self.plan, self.best = work, plan, best
        self.notes: list[str] = []

    @cached_property
    def variants(self) -> dict[str, Decision]:
        makers = {"high": lambda: Decision(self.best), "mid": self._mid, "low": self._low}
        made: dict[str, Decision] = {}
        limit = float("inf")
        for name, maker in makers.items():  # best first: each must be cheaper than the one before
            if name not in self.work.options.variants or (decision := maker()) is None:
                continue
            milliseconds = self.work.milliseconds(_rung(self.work, decision))
            if milliseconds > limit:
                self._leave_out(name, f"its {milliseconds:.3g} ms a tile save too little")
                continue
            made[name], limit = decision, WORTH_IT * milliseconds
        if not made:
            raise UserError(f"--variants {','.join(self.work.options.variants)}: {'; '.join(self.notes)}")
        return dict(reversed(made.items()))

    def _leave_out(self, name: str, why: str) -> None:
        self.notes.append(f"variant {name!r} is left out: {why}")

    def _mid(self) -> Decision | None:
        if self.work.options.bits != "auto":
            self._leave_out("mid", "only --bits auto knows a cheaper form of the network")
            return None
        return Decision(self.work.tuned(self.work.searched(self.plan, LITTLE).plan, "mid"))

    def _low(self) -> Decision | None:
        scale = self.work.network.scale
        if scale not in {weights.scale for weights in shipped() if weights.name == SMALL}:
            self._leave_out("low", f"no small network for x{scale} ships with edgesr")
            return None
        self.work.stages("calibrating the small network", None)
        method = methods.by_name(self.work.options.method)
        return Decision(method(_small(self.work), self.work.tiles, 8), SMALL)


def _rungs(work: Work, decisions: Decisions) -> dict[str, Rung]:
    return {name: _rung(work, decision) for name, decision in decisions.variants.items()}


def _rung(work: Work, decision: Decision) -> Rung:
    if decision.network not in ("", SMALL):
        raise UserError(
            f"--bits {work.options.bits}: it needs the network {decision.network!r}: convert anew"
        )
    return Rung(_small(work) if decision.network else work.graph, decision.plan)


def _small(work: Work) -> Graph:
    """The small network at the user's scale, taking pictures in the user's pixel range."""
    network = load_network(SMALL, None, work.network.scale)
    assert isinstance(network.module, PlainNet)
    return float_graph(replace(network, module=network.module.for_white(work.pixel_range)))


def _picked(work: Work, rungs: Mapping[str, Rung]) -> Picked:
    typed = {name: quantize(rung.graph, rung.plan) for name, rung in rungs.items()}
    info = work.describe_all(rungs)
    pictures = (*work.drawn.calibrate, *work.drawn.held_back)
    advance = work.stages("finding the thresholds of the variants", len(pictures))
    tiles = measure_tiles(
        write_program(typed, info, work.options.target), info, pictures, work.threads, advance
    )
    return pick(tiles, {name: work.milliseconds(rung) for name, rung in rungs.items()})
