"""`--bits auto`: as much precision as holds the gate, bought where it costs least, within the budgets.

Ranking and measuring are apart: the moves come ranked, those that no longer fit a budget are passed over, and
a candidate is what the first few of the rest make of the plan. What it loses is measured on held-back
pictures, on average and at worst; both fall from candidate to candidate, so the first that is good enough
is found by doubling and bisection.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any, Protocol

from .moves import Move
from .plan import Plan

DIGITS = 4  # of dB in reports
COMFORT = 0.35  # more time than before: what may be spent for the worst picture alone


class Foreseen(Protocol):
    """What a program is expected to lose, in dB: on average, and on a picture that loses much."""

    @property
    def mean(self) -> float: ...
    @property
    def worst(self) -> float: ...


@dataclass(frozen=True)
class Budgets:
    """Limits of a search: dB that may be lost, bytes of the file, milliseconds of a tile on one thread."""

    max_drop: float
    max_bytes: float = inf
    max_ms: float = inf


class Measure(Protocol):
    """What a search asks about a candidate."""

    def foreseen(self, plan: Plan) -> Foreseen:
        """What its program is expected to lose, measured on pictures: seconds of work."""

    def milliseconds(self, plan: Plan) -> float:
        """Of one tile on one thread, by the cost table."""

    def size(self, plan: Plan) -> int:
        """Bytes of its program."""


@dataclass(frozen=True)
class Step:
    """A candidate that was measured: the plan after so many moves, the last of them on `layer`."""

    moves: int
    layer: str | None
    container: str | None
    drop: float
    worst: float
    bytes: int
    milliseconds: float

    @property
    def summary(self) -> str:
        return f"{self.moves} changes, {self.drop:.3f} dB, {self.milliseconds:.3g} ms"


@dataclass(frozen=True)
class Found:
    """The end of a search.

    Attributes:
        plan: with the chosen containers.
        moves: those that it takes, in the order of the ranking.
        ranking: all of them, best first.
        steps: what was measured, in that order.
        affordable: whether it keeps to bytes and milliseconds; if not, no candidate does.
        holds: whether it keeps to all budgets, as far as the search foresees.
    """

    plan: Plan
    moves: tuple[Move, ...]
    ranking: tuple[Move, ...]
    steps: tuple[Step, ...]
    affordable: bool
    holds: bool

    def record(self) -> dict[str, Any]:
        """For JSON: every move and whether it was made, and the candidates that were measured."""
        ranking = [
            {
                "layer": move.layer, "container": move.container, "noise": move.noise,
                "milliseconds": move.milliseconds, "made": move in self.moves,
            }
            for move in self.ranking
        ]  # fmt: skip
        steps = [
            asdict(step) | {"drop": round(step.drop, DIGITS), "worst": round(step.worst, DIGITS)}
            for step in self.steps
        ]
        return {"ranking": ranking, "steps": steps}


def search(
    plan: Plan,
    ranking: Sequence[Move],
    measure: Measure,
    budgets: Budgets,
    comfort: float = COMFORT,
    progress: Callable[[Step], None] = lambda step: None,
) -> Found:
    """The plan after the fewest moves that keep even the worst picture within the limit.

    Where `comfort` does not buy that, all that it buys, if the mean is within the limit; else the fewest
    moves that bring it there; else all that the budgets allow.

    Args:
        ranking: best first.
        comfort: what the worst picture is worth, as a share of the time before any move.
        progress: called after each measurement.
    """
    trial = _Trial(plan, measure, progress)
    limit = min(budgets.max_ms, (1 + comfort) * measure.milliseconds(plan))
    easy = trial.fitting(ranking, replace(budgets, max_ms=limit))
    chosen = trial.fewest(easy, lambda drop: drop.worst <= budgets.max_drop)
    holds = chosen is not None
    if chosen is None:
        full = trial.fitting(ranking, budgets)
        enough = trial.drop(easy).mean <= budgets.max_drop
        chosen = easy if enough else trial.fewest(full, lambda drop: drop.mean <= budgets.max_drop)
        holds = chosen is not None
        chosen = full if chosen is None else chosen
    affordable = trial.fits(chosen, budgets)
    return Found(
        trial.after(chosen), chosen, tuple(ranking), tuple(trial.steps), affordable, affordable and holds
    )


class _Trial:
    """Measures candidates, each once."""

    def __init__(self, plan: Plan, measure: Measure, progress: Callable[[Step], None]) -> None:
        self.plan, self.measure, self.progress = plan, measure, progress
        self.steps: list[Step] = []
        self._drops: dict[tuple[int, ...], Foreseen] = {}

    def after(self, moves: Sequence[Move]) -> Plan:
        return self.plan.with_containers({k: v for move in moves for k, v in move.containers.items()})

    def fits(self, moves: Sequence[Move], budgets: Budgets) -> bool:
        plan = self.after(moves)
        in_time = budgets.max_ms == inf or self.measure.milliseconds(plan) <= budgets.max_ms
        return in_time and (budgets.max_bytes == inf or self.measure.size(plan) <= budgets.max_bytes)

    def fitting(self, ranking: Sequence[Move], budgets: Budgets) -> tuple[Move, ...]:
        """The moves that fit together, better ones first."""
        found: tuple[Move, ...] = ()
        for move in ranking:
            if self.fits((*found, move), budgets):
                found = (*found, move)
        return found

    def fewest(self, moves: tuple[Move, ...], enough: Callable[[Foreseen], bool]) -> tuple[Move, ...] | None:
        """The shortest beginning of the moves that is good enough; None if all of them are not."""
        count = least(0, len(moves), lambda count: enough(self.drop(moves[:count])))
        return None if count is None else moves[:count]

    def drop(self, moves: tuple[Move, ...]) -> Foreseen:
        key = tuple(map(id, moves))
        if key not in self._drops:
            self._drops[key] = self._measured(moves)
        return self._drops[key]

    def _measured(self, moves: tuple[Move, ...]) -> Foreseen:
        plan = self.after(moves)
        foreseen = self.measure.foreseen(plan)
        layer, container = (moves[-1].layer, moves[-1].container) if moves else (None, None)
        size, milliseconds = self.measure.size(plan), self.measure.milliseconds(plan)
        step = Step(len(moves), layer, container, foreseen.mean, foreseen.worst, size, milliseconds)
        self.steps.append(step)
        self.progress(step)
        return foreseen


def least(first: int, last: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest of first..last for which a condition holds that stays true, by doubling and bisection."""
    failing, count = first - 1, first
    while not holds(count):
        if count == last:
            return None
        failing, count = count, min(last, first + max(1, 2 * (count - first)))
    while count - failing > 1:
        middle = (count + failing) // 2
        if holds(middle):
            count = middle
        else:
            failing = middle
    return count
