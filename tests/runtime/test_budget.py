"""Within a time: tiles step down as far as they must, the plainest first, and no further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr_runtime import Program
from edgesr_runtime.budget import microseconds, within
from edgesr_runtime.metadata import ROUTED_VARIANTS

from .test_upscale import RecordingEngine
from .tiny_program import tiny_info

LADDER = ("skip", *ROUTED_VARIANTS)


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, int], list[float], list[str]]:
    prices = sorted(draw(st.lists(st.integers(1, 50), min_size=3, max_size=3)))
    tiles = draw(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(LADDER)), max_size=12))
    return (
        dict(zip(ROUTED_VARIANTS, prices, strict=True)),
        [float(detail) for detail, _ in tiles],
        [route for _, route in tiles],
    )


def spent(costs: dict[str, int], routes: list[str]) -> int:
    return sum(costs.get(route, 0) for route in routes)


@given(cases(), st.integers(0, 600))
def test_the_sum_keeps_to_the_time(case: tuple[dict[str, int], list[float], list[str]], limit: int) -> None:
    costs, details, routes = case
    found = within(limit, costs, details, routes)
    assert spent(costs, found) <= limit
    assert all(LADDER.index(new) <= LADDER.index(old) for new, old in zip(found, routes, strict=True))
    if spent(costs, routes) <= limit:
        assert found == routes


@given(cases(), st.integers(0, 600))
def test_is_the_rule_step_by_step(case: tuple[dict[str, int], list[float], list[str]], limit: int) -> None:
    """Each step looks anew for the plainest tile on the rung whose turn it is."""
    costs, details, routes = case
    found, turn = list(routes), len(LADDER) - 1
    while spent(costs, found) > limit:
        there = [index for index, route in enumerate(found) if route == LADDER[turn]]
        if there:
            plainest = min(there, key=lambda index: (details[index], index))
            found[plainest] = LADDER[turn - 1]
        else:
            turn -= 1
    assert within(limit, costs, details, routes) == found


def test_measures_every_variant_after_a_run_to_warm_up() -> None:
    engine = RecordingEngine(("low", "high"))
    costs = microseconds(Program(tiny_info(variants=("low", "high")), engine))
    assert list(costs) == ["low", "high"] and all(cost >= 0 for cost in costs.values())
    assert engine.ran == ["low"] * 4 + ["high"] * 4


@pytest.mark.parametrize("limit", [0, 10**9])
def test_nothing_and_everything(limit: int) -> None:
    routes = ["high", "low", "skip", "mid"]
    expected = routes if limit else ["skip"] * 4
    assert within(limit, {"low": 1, "mid": 2, "high": 3}, [1.0, 2.0, 3.0, 4.0], routes) == expected
