"""The ranking of moves: by noise for each millisecond, with what belongs together."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgesr.graph import ops
from edgesr.graph.graph import Graph
from edgesr.graph.shapes import multiplications
from edgesr.quantization.moves import Move, ranked_moves
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize

from .toy import conv, graph_of, plan_for, residual

PRICES = {"w8a8": 1.0, "w4a8": 1.0, "w8a8-dynamic": 1.2, "f32": 4.0}


def chain(length: int) -> Graph:
    """Convolutions of equal cost but for the first; 1x1, so that large graphs are cheap."""
    steps = [(f"c{i}", conv(i, 3, 3, 1), f"c{i - 1}" if i else "image") for i in range(length)]
    return graph_of(*steps)


def sensitive(graph: Graph, noise: dict[str, float]) -> Plan:
    return replace(plan_for(graph), sensitivity=noise)


def by_multiplications(graph: Graph) -> Callable[[Plan], float]:
    counts = multiplications(graph, 8)
    return lambda plan: sum(n * PRICES[plan.containers.get(name, "w8a8")] for name, n in counts.items())


def ranked(graph: Graph, plan: Plan) -> tuple[Move, ...]:
    return ranked_moves(graph, plan, by_multiplications(graph))


def test_noise_for_each_millisecond_decides() -> None:
    graph = graph_of(
        ("small", conv(0, 3, 4, 1), "image"), ("large", conv(1, 4, 64), "small"),
        ("last", conv(2, 64, 3), "large"),
    )  # fmt: skip
    moves = ranked(graph, sensitive(graph, {"small": 1.0, "large": 2.0, "last": 0.5}))
    assert [tuple(move.containers) for move in moves] == [("small",), ("large",), ("last",)]
    counts = multiplications(graph, 8)
    assert [move.milliseconds for move in moves] == [3 * counts[name] for name in ("small", "large", "last")]


def test_moves_that_save_time_rank_like_free_ones() -> None:
    graph = chain(3)
    saving = {"c0": -5.0, "c1": 0.0, "c2": 5.0}
    plan = sensitive(graph, {"c0": 1.0, "c1": 2.0, "c2": 3.0})

    def milliseconds(plan: Plan) -> float:
        return 100 + sum(saving[name] for name, form in plan.containers.items() if form == "f32")

    assert [move.layer for move in ranked_moves(graph, plan, milliseconds)] == ["c1", "c0", "c2"]


def test_equal_moves_keep_the_networks_order() -> None:
    graph = chain(5)
    moves = ranked_moves(graph, sensitive(graph, {}), lambda plan: 1.0)
    assert [tuple(move.containers) for move in moves] == [(f"c{i}",) for i in range(5)]


def test_cheap_ops_move_with_the_convolution_that_reads_them() -> None:
    graph = residual()
    noise = {"sum": 1.0, "tail": 2.0, "a": 0.5}
    moves = {move.layer: move for move in ranked(graph, sensitive(graph, noise))}
    assert moves["tail"].containers == {"sum": "f32", "tail": "f32"} and moves["tail"].noise == 3.0
    assert set(moves["a"].containers) == {"a"} and set(moves["head"].containers) == {"head"}


def test_a_dynamic_grid_comes_before_float_where_it_is_worth_more() -> None:
    graph = chain(4)
    plan = replace(
        sensitive(graph, {"c1": 1.0, "c2": 1.0, "c3": 1.0}),
        dynamic_sensitivity={"c1": 0.01, "c2": 1.0, "c3": 0.2},
    )
    moves = ranked(graph, plan)
    of = {name: [m.containers[name] for m in moves if name in m.containers] for name in ("c1", "c2", "c3")}
    assert of == {"c1": ["w8a8-dynamic", "f32"], "c2": ["f32"], "c3": ["w8a8-dynamic", "f32"]}
    assert moves[0].containers == {"c1": "w8a8-dynamic"}
    assert sum(m.noise for m in moves) == pytest.approx(3.0)  # all of it leaves in the end
    whole = by_multiplications(graph)
    floats = plan.with_containers({f"c{i}": "f32" for i in range(4)})
    assert sum(m.milliseconds for m in moves) == pytest.approx(whole(floats) - whole(plan))


def test_the_first_convolution_goes_straight_to_float() -> None:
    """Its input is exact on the grid of the picture, and would not be on a grid of its own."""
    plan = replace(sensitive(chain(3), {"c0": 1.0}), dynamic_sensitivity={"c0": 0.1})
    assert ranked(chain(3), plan)[0].containers == {"c0": "f32"}


GATED = graph_of(
    ("a", conv(0, 3, 8), "image"), ("leak", ops.LeakyRelu(0.1), "a"),
    ("small", ops.MaxPool((3, 3), (2, 2)), "leak"), ("back", ops.ResizeBilinear(), "small image"),
    ("b", conv(1, 8, 8), "back"), ("gate", ops.Sigmoid(), "b"), ("product", ops.Mul(), "leak gate"),
    ("out", conv(2, 8, 3), "product"),
)  # fmt: skip


def test_gates_and_resizing_are_never_float() -> None:
    plan = plan_for(GATED)
    (move,) = ranked_moves(GATED, plan, lambda plan: 1.0)
    # A float "b" would make its gate float; a float "a" or "leak" the resize, through the pool.
    assert move.containers == {"product": "f32", "out": "f32"}
    found = quantize(GATED, plan.with_containers(move.containers))
    assert found["product"].qparams is None
    assert all(found[name].qparams is not None for name in ("small", "back", "gate"))
