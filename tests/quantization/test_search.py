"""The search for the least precision that holds: its ranking, what it finds, and how little it measures."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.evaluation.judge import Foreseen
from edgesr.graph import ops
from edgesr.graph.graph import Graph
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.search import COMFORT, ranked_moves, search

from .toy import conv, graph_of, plan_for, residual

TILE = 64


@cache
def chain(length: int) -> Graph:
    """Convolutions of equal cost but for the first; 1x1, so that large graphs are cheap."""
    steps = [(f"c{i}", conv(i, 3, 3, 1), f"c{i - 1}" if i else "image") for i in range(length)]
    return graph_of(*steps)


def sensitive(graph: Graph, noise: dict[str, float]) -> Plan:
    return replace(plan_for(graph), sensitivity=noise)


def floats(plan: Plan) -> set[str]:
    return {name for name, container in plan.containers.items() if container == "f32"}


def alike(drop: float) -> Foreseen:
    """The worst picture loses no more than the others."""
    return Foreseen(drop, drop)


class Measured:
    """A drop in dB that falls as nodes become float, and how often it was asked for."""

    def __init__(self, drop: Callable[[set[str]], float]) -> None:
        self.drop = drop
        self.asked: list[set[str]] = []

    def __call__(self, plan: Plan) -> Foreseen:
        self.asked.append(floats(plan))
        return alike(self.drop(self.asked[-1]))


def test_moves_are_ranked_by_noise_per_cost() -> None:
    graph = graph_of(
        ("small", conv(0, 3, 4, 1), "image"), ("large", conv(1, 4, 64), "small"),
        ("last", conv(2, 64, 3), "large"),
    )  # fmt: skip
    moves = ranked_moves(graph, sensitive(graph, {"small": 1.0, "large": 2.0, "last": 0.5}), TILE)
    assert [tuple(move.containers) for move in moves] == [("small",), ("large",), ("last",)]
    assert [move.worth for move in moves] == sorted((move.worth for move in moves), reverse=True)
    assert moves[0].cost < moves[1].cost and moves[0].noise == 1.0
    # Convolutions cost their multiplications, and the elements that they make in float.
    assert moves[1].cost / moves[2].cost == pytest.approx((3 * 9 * 4 + 16) * 64 / ((3 * 9 * 64 + 16) * 3))


def test_equal_moves_keep_the_networks_order() -> None:
    moves = ranked_moves(chain(5), sensitive(chain(5), {}), TILE)
    assert [tuple(move.containers) for move in moves] == [(f"c{i}",) for i in range(5)]


def test_cheap_ops_move_with_the_convolution_that_reads_them() -> None:
    graph = residual()
    noise = {"sum": 1.0, "tail": 2.0, "a": 0.5}
    moves = {list(move.containers)[-1]: move for move in ranked_moves(graph, sensitive(graph, noise), TILE)}
    assert moves["tail"].containers == {"sum": "f32", "tail": "f32"} and moves["tail"].noise == 3.0
    assert set(moves["a"].containers) == {"a"} and set(moves["head"].containers) == {"head"}


def test_a_dynamic_grid_comes_before_float_where_it_is_worth_more() -> None:
    graph = chain(4)
    plan = replace(
        sensitive(graph, {"c1": 1.0, "c2": 1.0, "c3": 1.0}),
        dynamic_sensitivity={"c1": 0.01, "c2": 1.0, "c3": 0.2},
    )
    moves = ranked_moves(graph, plan, TILE)
    of = {name: [m.containers[name] for m in moves if name in m.containers] for name in ("c1", "c2", "c3")}
    assert of == {"c1": ["w8a8-dynamic", "f32"], "c2": ["f32"], "c3": ["w8a8-dynamic", "f32"]}
    assert next(m.containers for m in moves) == {"c1": "w8a8-dynamic"}
    assert sum(m.noise for m in moves) == pytest.approx(3.0)  # all of it leaves in the end


def test_the_first_convolution_goes_straight_to_float() -> None:
    """Its input is exact on the grid of the picture, and would not be on a grid of its own."""
    plan = replace(sensitive(chain(3), {"c0": 1.0}), dynamic_sensitivity={"c0": 0.1})
    assert next(m.containers for m in ranked_moves(chain(3), plan, TILE)) == {"c0": "f32"}


GATED = graph_of(
    ("a", conv(0, 3, 8), "image"), ("leak", ops.LeakyRelu(0.1), "a"),
    ("small", ops.MaxPool((3, 3), (2, 2)), "leak"), ("back", ops.ResizeBilinear(), "small image"),
    ("b", conv(1, 8, 8), "back"), ("gate", ops.Sigmoid(), "b"), ("product", ops.Mul(), "leak gate"),
    ("out", conv(2, 8, 3), "product"),
)  # fmt: skip


def test_gates_and_resizing_are_never_float() -> None:
    moves = [move.containers for move in ranked_moves(GATED, plan_for(GATED), TILE)]
    # A float "b" would make its gate float; a float "a" or "leak" the resize, through the pool.
    assert moves == [{"product": "f32", "out": "f32"}]
    found = quantize(
        GATED,
        search(plan_for(GATED), ranked_moves(GATED, plan_for(GATED), TILE), lambda plan: alike(9.0), 0.1),
    )
    assert found["product"].qparams is None
    assert all(found[name].qparams is not None for name in ("small", "back", "gate"))


def test_nothing_is_float_where_int8_is_good_enough() -> None:
    plan = plan_for(residual())
    measured = Measured(lambda names: 0.05)
    assert search(plan, ranked_moves(residual(), plan, TILE), measured, 0.1) == plan
    assert measured.asked == [set()]


def test_a_drop_at_the_limit_is_within_it() -> None:
    plan = plan_for(residual())
    assert floats(search(plan, ranked_moves(residual(), plan, TILE), lambda plan: alike(0.1), 0.1)) == set()


def test_every_move_is_made_where_nothing_less_is_enough() -> None:
    graph = chain(6)
    plan = plan_for(graph)
    assert floats(search(plan, ranked_moves(graph, plan, TILE), lambda plan: alike(9.0), 0.1)) == {
        f"c{i}" for i in range(6)
    }


@settings(deadline=None)
@given(st.integers(1, 40), st.data())
def test_the_shortest_prefix_that_holds_is_found_with_few_measurements(
    length: int, data: st.DataObject
) -> None:
    graph = chain(length)
    noise = {f"c{i}": data.draw(st.floats(0, 10)) for i in range(length)}
    plan = sensitive(graph, noise)
    order = [name for move in ranked_moves(graph, plan, TILE) for name in move.containers]
    assert [noise[name] for name in order] == sorted(noise.values(), reverse=True)
    needed = data.draw(st.integers(0, length))
    measured = Measured(lambda names: float(length - len(names)))
    ticks: list[int] = []
    found = search(
        plan, ranked_moves(graph, plan, TILE), measured, float(length - needed), lambda: ticks.append(0)
    )
    assert floats(found) == set(order[:needed])
    assert all(names == set(order[: len(names)]) for names in measured.asked)  # prefixes only
    assert len(ticks) == len(measured.asked) <= 4 * ceil(log2(length + 1)) + 4
    assert len({frozenset(names) for names in measured.asked}) == len(measured.asked)  # none twice


def test_other_decisions_of_the_plan_stay() -> None:
    graph = chain(4)
    plan = replace(plan_for(graph, c1="w4a8"), sensitivity={"c3": 1.0})
    found = search(
        plan,
        ranked_moves(graph, plan, TILE),
        lambda candidate: alike(float("c3" not in floats(candidate))),
        0.5,
    )
    assert found == plan.with_containers({"c3": "f32"}) and found.containers["c1"] == "w4a8"


def test_tensors_beyond_the_caches_are_dear_in_float() -> None:
    graph = graph_of(("a", conv(0, 3, 8), "image"), ("b", conv(1, 8, 8), "a"))
    near, far = (ranked_moves(graph, sensitive(graph, {}), tile)[0].cost for tile in (64, 1024))
    assert far > 2 * near


@pytest.mark.parametrize(("mean", "expected"), [(0.05, "comfort"), (0.5, "all")])
def test_the_worst_picture_is_not_worth_any_time(mean: float, expected: str) -> None:
    """The mean must be held, whatever that costs; what the worst picture asks for has a limit."""
    graph = chain(40)
    plan = plan_for(graph)
    moves = ranked_moves(graph, plan, TILE)
    found = search(plan, moves, lambda plan: Foreseen(mean=mean, worst=9.0), 0.1)
    made = len(floats(found))
    spent = [sum(move.cost for move in moves[:count]) for count in (made, made + 1)]
    assert made == 40 if expected == "all" else spent[0] <= COMFORT < spent[1]
