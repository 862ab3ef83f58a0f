"""4-bit weights for smaller files: which convolutions get them, and what else stays as it was."""

from dataclasses import replace

import numpy as np
import pytest

from edgesr.graph.graph import Graph
from edgesr.quantization.methods.adabm import adabm
from edgesr.quantization.methods.minmax import minmax
from edgesr.quantization.narrowing import narrowed, slimmed
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.typed import QConv2d

from .toy import conv, graph_of, picture_levels

TILES = CalibrationTiles(picture_levels(4), 1)


def deep(body: int = 4) -> Graph:
    middle = [(f"b{i}", conv(i + 1, 8, 8), f"b{i - 1}" if i else "head") for i in range(body)]
    return graph_of(("head", conv(0, 3, 8), "image"), *middle, ("tail", conv(9, 8, 3), f"b{body - 1}"))


def widths(graph: Graph, plan: Plan) -> dict[str, int]:
    typed = quantize(graph, plan)
    return {node.name: node.op.bits for node in typed if isinstance(node.op, QConv2d)}


@pytest.mark.parametrize("method", [adabm, minmax])
def test_only_the_body_is_narrowed_and_every_grid_stays(method: object) -> None:
    graph = deep()
    plan = method(graph, TILES, 8)  # type: ignore[operator]
    narrow = narrowed(graph, plan, TILES)
    assert {name for name, bits in widths(graph, narrow).items() if bits == 4} == {"b0", "b1", "b2", "b3"}
    assert narrow.ranges == plan.ranges and narrow.channel_scales == plan.channel_scales
    assert narrow.weight_levels["b0"] != plan.weight_levels.get("b0")
    assert np.abs(np.frombuffer(narrow.weight_levels["b0"], np.int8)).max() <= 7
    assert all(narrow.weight_scales[name] == plan.weight_scales[name] for name in ("head", "tail"))
    assert all(narrow.sensitivity[f"b{i}"] > plan.sensitivity.get(f"b{i}", 0.0) for i in range(4))


def test_float_convolutions_stay_float() -> None:
    graph = deep()
    plan = adabm(graph, TILES, 8).with_containers({"b1": "f32"})
    assert narrowed(graph, plan, TILES).containers["b1"] == "f32"


def narrow_count(plan: Plan) -> int:
    return sum(container == "w4a8" for container in plan.containers.values())


@pytest.mark.parametrize(("limit", "expected"), [(100, 0), (99, 1), (97, 3), (0, 4)])
def test_as_few_as_the_limit_asks_for(limit: int, expected: int) -> None:
    graph = deep()
    plan = adabm(graph, TILES, 8)
    narrow = narrowed(graph, plan, TILES)
    slim = slimmed(graph, plan, narrow, lambda candidate: 100 - narrow_count(candidate), limit)
    assert narrow_count(slim) == expected


def test_those_that_lose_least_for_their_bytes_come_first() -> None:
    graph = deep()
    plan = adabm(graph, TILES, 8)
    narrow = narrowed(graph, plan, TILES)
    noise = {**narrow.sensitivity, "b0": 4.0, "b1": 1.0, "b2": 3.0, "b3": 2.0}
    plan, narrow = replace(plan, sensitivity={}), replace(narrow, sensitivity=noise)
    slim = slimmed(graph, plan, narrow, lambda candidate: 100 - narrow_count(candidate), 98)
    assert [name for name, container in slim.containers.items() if container == "w4a8"] == ["b1", "b3"]
    assert slim.weight_levels["b1"] == narrow.weight_levels["b1"]
    assert slim.weight_levels["b0"] == plan.weight_levels["b0"]
