"""The search for the least precision that holds: what it finds in its budgets, how little it measures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil, inf, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.evaluation.judge import Foreseen
from edgesr.quantization.moves import Move
from edgesr.quantization.plan import Plan
from edgesr.quantization.search import COMFORT, Budgets, Found, Step, search

from .toy import conv, graph_of, plan_for


@cache
def start(length: int) -> Plan:
    steps = [(f"c{i}", conv(i, 3, 3, 1), f"c{i - 1}" if i else "image") for i in range(length)]
    return plan_for(graph_of(*steps))


def ranking(length: int, milliseconds: float = 0.0) -> tuple[Move, ...]:
    return tuple(Move({f"c{i}": "f32"}, 1.0, milliseconds) for i in range(length))


@dataclass
class Measured:
    """A drop that falls with the number of float layers, while time and bytes rise; tells what was asked."""

    drop: Callable[[int], Foreseen]
    ms: Callable[[int], float] = lambda count: 1.0
    bytes: Callable[[int], int] = lambda count: 1000
    asked: list[int] = field(default_factory=list)

    def foreseen(self, plan: Plan) -> Foreseen:
        self.asked.append(floats(plan))
        return self.drop(self.asked[-1])

    def milliseconds(self, plan: Plan) -> float:
        return self.ms(floats(plan))

    def size(self, plan: Plan) -> int:
        return self.bytes(floats(plan))


def floats(plan: Plan) -> int:
    return sum(container == "f32" for container in plan.containers.values())


def alike(drop: float) -> Foreseen:
    """The worst picture loses no more than the others."""
    return Foreseen(drop, drop)


def found(length: int, measured: Measured, budgets: Budgets) -> Found:
    return search(start(length), ranking(length), measured, budgets)


def test_nothing_is_float_where_int8_is_good_enough() -> None:
    measured = Measured(lambda count: alike(0.05))
    result = found(4, measured, Budgets(0.1))
    assert result.plan == start(4) and result.holds and measured.asked == [0]


def test_a_drop_at_the_limit_is_within_it() -> None:
    assert found(4, Measured(lambda count: alike(0.1)), Budgets(0.1)).moves == ()


def test_every_move_is_made_where_nothing_less_is_enough() -> None:
    result = found(6, Measured(lambda count: alike(9.0)), Budgets(0.1))
    assert floats(result.plan) == len(result.moves) == 6
    assert result.affordable and not result.holds


@settings(deadline=None)
@given(st.integers(1, 40), st.data())
def test_the_shortest_prefix_that_holds_is_found_with_few_measurements(
    length: int, data: st.DataObject
) -> None:
    needed = data.draw(st.integers(0, length))
    measured = Measured(lambda count: alike(float(length - count)))
    steps: list[Step] = []
    result = search(
        start(length), ranking(length), measured, Budgets(float(length - needed)), progress=steps.append
    )
    assert set(result.plan.containers) == {f"c{i}" for i in range(needed)} and len(result.moves) == needed
    assert [step.moves for step in steps] == measured.asked and result.steps == tuple(steps)
    assert len(set(measured.asked)) == len(measured.asked) <= 4 * ceil(log2(length + 1)) + 4


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30), st.data())
def test_what_no_longer_fits_a_budget_is_passed_over(
    prices: list[tuple[int, int]], data: st.DataObject
) -> None:
    budgets = Budgets(0.0, max_bytes=data.draw(st.integers(10, 60)), max_ms=data.draw(st.integers(10, 60)))
    result = search(start(len(prices)), ranking(len(prices)), Priced(prices), budgets)
    taken, spent = [], (10, 10)
    for index, price in enumerate(prices):
        together = (spent[0] + price[0], spent[1] + price[1])
        if together[0] <= budgets.max_ms and together[1] <= budgets.max_bytes:
            taken, spent = [*taken, f"c{index}"], together
    assert [move.layer for move in result.moves] == taken  # all that can be had, for nothing is enough
    assert result.affordable and not result.holds


@dataclass
class Priced:
    """Each float layer has its own milliseconds and bytes, on top of 10; nothing is ever enough."""

    prices: list[tuple[int, int]]

    def foreseen(self, plan: Plan) -> Foreseen:
        return alike(1.0)

    def milliseconds(self, plan: Plan) -> float:
        return self._sum(plan, 0)

    def size(self, plan: Plan) -> int:
        return self._sum(plan, 1)

    def _sum(self, plan: Plan, what: int) -> int:
        return 10 + sum(self.prices[int(n[1:])][what] for n, form in plan.containers.items() if form == "f32")


@pytest.mark.parametrize("budgets", [Budgets(0.1, max_bytes=5), Budgets(0.1, max_ms=0.5)])
def test_budgets_that_nothing_keeps(budgets: Budgets) -> None:
    result = found(5, Measured(lambda count: alike(0.0)), budgets)
    assert result.moves == () and not result.affordable and not result.holds


def test_other_decisions_of_the_plan_stay() -> None:
    plan = start(4).with_containers({"c1": "w4a8"})
    result = search(plan, ranking(1), Measured(lambda count: alike(float(count < 1))), Budgets(0.5))
    assert result.plan == plan.with_containers({"c0": "f32"})


@pytest.mark.parametrize(("mean", "expected"), [(0.05, "comfort"), (0.5, "all")])
def test_the_worst_picture_is_not_worth_any_time(mean: float, expected: str) -> None:
    """The mean must be held, whatever that costs; what the worst picture asks for has a limit."""
    measured = Measured(lambda count: Foreseen(mean=mean, worst=9.0), lambda count: 1 + 0.02 * count)
    result = found(40, measured, Budgets(0.1))
    if expected == "all":
        assert len(result.moves) == 40 and not result.holds
    else:
        made = len(result.moves)
        assert 0.02 * made <= COMFORT < 0.02 * (made + 1) and result.holds


def test_steps_tell_what_was_tried() -> None:
    measured = Measured(
        lambda count: Foreseen(1.0 - count, 2.0 - count), lambda count: 5.0 + count, lambda count: 70 + count
    )
    result = found(3, measured, Budgets(0.0, inf, inf))
    first, second = result.steps[:2]
    assert (first.moves, first.layer, first.container, first.milliseconds) == (0, None, None, 5.0)
    assert (second.moves, second.layer, second.container, second.bytes) == (1, "c0", "f32", 71)
    assert (first.drop, first.worst) == (1.0, 2.0)
    record = result.record()
    assert [row["layer"] for row in record["ranking"]] == ["c0", "c1", "c2"]
    assert [row["made"] for row in record["ranking"]] == [True, False, False]
    assert record["steps"][1]["layer"] == "c0"
