"""The student computes what the program computes, whatever the plan's containers, for every known network."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from e2e.test_zoo import CONFIGS

from edgesr.graph import ops
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.networks import registry
from edgesr.networks.source import load_network
from edgesr.quantization.methods import METHODS, by_name
from edgesr.quantization.methods.minmax import minmax
from edgesr.quantization.plan import Container, Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.tuning import Settings, tune
from edgesr.quantization.tuning.student import Student
from edgesr.steps.network import float_graph

from ..toy import conv, graph_of
from .subjects import network, plan, tiles

MIXES: dict[str, dict[str, Container]] = {
    "as calibrated": {},
    "a float part": {"a": "f32", "leak": "f32"},
    "grids found at run time": {"b": "w8a8-dynamic", "a": "w8a8-dynamic"},
    "float sums": {"sum": "f32", "whole": "f32"},
    "all float": dict.fromkeys(("head", "a", "leak", "b", "sum", "c", "tail", "whole"), "f32"),
}


def agrees(graph: Graph, planned: Plan, pixels: torch.Tensor) -> bool:
    """Whether the student is nearer to the integer reference by far than that is to the float network."""
    student = Student(graph, planned)
    with torch.no_grad():
        value = student.run(pixels)[student.typed.output]
    exact = run(student.typed, pixels)[student.typed.output]
    changed = exact - predict(graph, pixels)
    return bool((value - exact).square().mean().sqrt() <= 0.15 * changed.square().mean().sqrt())


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("method", METHODS)
def test_the_student_computes_what_is_deployed(method: str, mix: str) -> None:
    planned = by_name(method)(network(), tiles(), 4).with_containers(MIXES[mix])
    assert agrees(network(), planned, tiles(seed=1).pixels)


@pytest.mark.parametrize("mix", MIXES)
def test_an_untaught_student_gives_the_same_program(mix: str) -> None:
    planned = plan().with_containers(MIXES[mix])
    student = Student(network(), planned)
    assert quantize(network(), student.to_plan()).equals(student.typed)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_network_can_be_tuned(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(registry.by_name(name).build(**CONFIGS[name]).state_dict(), tmp_path / "weights.pth")
    scale = CONFIGS[name]["scale"]
    assert isinstance(scale, int)
    graph = float_graph(load_network(str(tmp_path / "weights.pth"), None, scale, 1))
    shown = CalibrationTiles(torch.rand(3, 3, 24, 24), 1)
    planned = minmax(graph, shown, 4)
    student = Student(graph, planned)
    student.run(shown.pixels)[student.typed.output].sum().backward()
    for kind, values in student.parameters.items():
        gradients = [value.grad for value in values]
        assert all(g is not None and bool(g.isfinite().all()) for g in gradients), kind
    tuned = tune(graph, planned, shown, Settings(multiplications=0, least_steps=2, side=24))
    quantize(graph, tuned)


def test_ops_that_no_network_has_can_be_tuned() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("relu", ops.Relu(), "a"), ("b", conv(1, 8, 8), "relu"),
        ("cut", ops.Clamp(-0.2, 0.4), "b"), ("half", ops.Slice(0, 4), "cut"),
        ("both", ops.Concat(), "half a"), ("c", conv(2, 12, 3), "both"), ("up", ops.ResizeBilinear(2), "c"),
    )  # fmt: skip
    planned = minmax(graph, tiles(), 8)
    assert agrees(graph, planned, tiles(seed=1).pixels)
    student = Student(graph, planned)
    with torch.no_grad():
        student.grids.spans += torch.linspace(-0.3, 0.3, student.grids.spans.numel()).view(-1, 2)
    changed = student.to_plan()
    assert agrees(graph, changed, tiles(seed=1).pixels)
    again = Student(graph, changed).run(tiles().pixels)
    now = student.run(tiles().pixels)
    assert torch.allclose(again[student.typed.output], now[student.typed.output], atol=1e-5)


def test_ranges_that_were_shared_stay_shared() -> None:
    graph = network()
    planned = plan()
    shared = replace(planned, ranges={**planned.ranges, "a": planned.ranges["b"]})
    student = Student(graph, shared)
    with torch.no_grad():
        student.grids.spans += torch.linspace(-0.3, 0.3, student.grids.spans.numel()).view(-1, 2)
    ranges = student.to_plan().ranges
    assert ranges["a"] == ranges["b"] != shared.ranges["b"]
    assert ranges["image"] == ranges["up"] == (0.0, 1.0)
    assert all(low <= 0 <= high for name, (low, high) in ranges.items())
    assert ranges["c"][0] == 0.0
