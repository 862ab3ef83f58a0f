"""Sums read side by side: the same network, cheaply, and in int8 closer to float."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from edgesr.graph import ops
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.graph.shapes import multiplications
from edgesr.quantization.methods.adabm import adabm
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.sums import BUDGET, cheap_sums, terms_apart

from .toy import conv, graph_of, picture_levels


def tame(op: ops.Conv2d) -> ops.Conv2d:
    """Its result about as large as what it reads."""
    return replace(op, weight=op.weight / 3)


BODY = [(f"body{i}", tame(conv(9 + i, 8, 8)), f"body{i - 1}" if i else "head") for i in range(8)]


def ending(*nodes: tuple[str, ops.Op, str]) -> Graph:
    """Shallow features, eight convolutions, and how the network goes on."""
    return graph_of(("head", conv(0, 3, 8), "image"), *BODY, *nodes)


def global_skip() -> Graph:
    return ending(("sum", ops.Add(), "head body7"), ("tail", conv(3, 8, 3, kernel=1), "sum"))


def apart(graph: Graph) -> Graph:
    return terms_apart(graph, cheap_sums(graph))


def concats(graph: Graph) -> list[str]:
    return [node.name for node in graph if isinstance(node.op, ops.Concat)]


def test_float_outputs_stay_equal() -> None:
    graph, pixels = global_skip(), picture_levels(2)
    assert concats(apart(graph)) == ["sum.terms"] and "sum" not in {node.name for node in apart(graph)}
    assert torch.allclose(predict(apart(graph), pixels), predict(graph, pixels), rtol=1e-4, atol=1e-4)


def test_shallow_features_are_made_again_for_it() -> None:
    after = apart(global_skip())
    assert after["sum.terms"].inputs == ("head#2", "body7")
    assert after["head#2"].op.same_as(after["head"].op)
    assert [node.name for node in after.users["head"]] == ["body0"]


def test_deep_features_that_others_read_stay_where_they_are() -> None:
    graph = ending(
        ("left", conv(1, 8, 8), "body7"),
        ("sum", ops.Add(), "body7 left"),
        ("tail", conv(3, 8, 3, kernel=1), "sum"),
    )
    assert apart(graph)["sum.terms"].inputs == ("body7", "left")


def test_sums_of_other_kinds_stay() -> None:
    """Read twice, with a ReLU, of tensors that all have other readers, before a grouped convolution."""
    tail = ("tail", conv(3, 8, 3, kernel=1), "sum")
    twice = ending(("sum", ops.Add(), "head body7"), tail, ("more", ops.Add(), "sum body7"))
    relu = ending(("sum", ops.Add(relu=True), "head body7"), tail)
    shared = ending(("sum", ops.Add(), "body3 body5"), tail)
    grouped = ops.Conv2d(np.ones((8, 1, 1, 1), np.float32), np.zeros(8, np.float32), groups=8)
    depthwise = ending(("sum", ops.Add(), "head body7"), ("tail", grouped, "sum"))
    itself = ending(("sum", ops.Add(), "head head"), tail)
    for graph in (twice, relu, shared, depthwise, itself):
        assert cheap_sums(graph) == ()


def test_no_more_than_the_budget_is_added() -> None:
    dear = ending(("sum", ops.Add(), "head body7"), ("tail", conv(3, 8, 32), "sum"))
    assert cheap_sums(dear) == ()
    both = ending(
        ("cheap_sum", ops.Add(), "head body7"),
        ("cheap", conv(2, 8, 8, kernel=1), "cheap_sum"),
        ("dear_sum", ops.Add(), "head cheap"),
        ("dear", conv(3, 8, 12), "dear_sum"),
    )
    assert cheap_sums(both) == ("cheap",)
    before, after = (sum(multiplications(graph, 64).values()) for graph in (both, apart(both)))
    assert before < after <= (1 + BUDGET) * before


def test_int8_comes_closer_to_float() -> None:
    graph, pixels = global_skip(), picture_levels(2)
    exact = predict(graph, pixels)

    def error(graph: Graph) -> float:
        typed = quantize(graph, adabm(graph, CalibrationTiles(pixels, 1), 8))
        return float((run(typed, pixels)[typed.output] - exact).square().mean())

    assert error(apart(graph)) < error(graph)


@pytest.mark.parametrize("name", ["body3", "head", "nothing"])
def test_other_convolutions_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        terms_apart(global_skip(), [name])
