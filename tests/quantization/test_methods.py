"""Calibration methods: the same plan for the same seed, and usable plans in every odd case."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from edgesr.devices.host import mismatches
from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.methods import METHODS, by_name
from edgesr.quantization.plan import Plan, from_json
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run
from edgesr.quantization.statistics import CalibrationTiles

from .toy import conv, graph_of

SIDE = 16
methods = pytest.mark.parametrize("method", METHODS)


def pictures(count: int = 5, pixel_range: int = 1) -> Tensor:
    """Smooth noise, as 8-bit pixels; each tile has more detail than the one before."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(count, 3, SIDE, SIDE, generator=generator)
    weights = torch.linspace(0.2, 1.0, count).view(-1, 1, 1, 1)
    return (255 * (0.5 + weights * (noise - 0.5))).round() * (pixel_range / 255)


def check_usable(graph: Graph, plan: Plan, pixels: Tensor) -> float:
    """The plan survives JSON, gives an exact program, and stays near float; the relative RMS error."""
    assert from_json(plan.to_json()) == plan
    typed = quantize(graph, plan)
    levels = (pixels[:1] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert mismatches(write({"s": typed}, SIDE, b"{}"), levels, 1.0).mismatches == 0
    got, expected = run(typed, pixels)[typed.output], predict(graph, pixels)
    return float((got - expected).square().mean().sqrt() / (expected.std() + 1e-6))


def anchored() -> Graph:
    """A network whose output lies in the pixel range: the picture, up-sampled, plus a small residual."""
    small = replace(conv(5, 8, 12), weight=conv(5, 8, 12).weight * 0.01, bias=np.zeros(12, np.float32))
    return graph_of(
        ("head", conv(0, 3, 8, relu=True), "image"),
        ("body", conv(1, 8, 8, relu=True), "head"),
        ("tail", small, "body"),
        ("copies", ops.Repeat(4), "image"),
        ("sum", ops.Add(), "tail copies"),
        ("up", ops.PixelShuffle(2), "sum"),
    )


@methods
@pytest.mark.parametrize("bits", [8, 4])
def test_plans_are_deterministic_and_good(method: str, bits: int) -> None:
    graph, tiles = anchored(), CalibrationTiles(pictures(), 1, seed=3)
    plan = by_name(method)(graph, tiles, bits)
    assert by_name(method)(graph, tiles, bits) == plan
    assert plan.provenance.method == method and plan.provenance.seed == 3
    assert plan.provenance.fingerprint == tiles.fingerprint and plan.provenance.images == 5
    assert plan.containers["body"] == ("w4a8" if bits == 4 else "w8a8")
    assert check_usable(graph, plan, tiles.pixels) < 0.1


@methods
def test_picture_and_output_have_the_pixel_range(method: str) -> None:
    for white in (1, 255):
        plan = by_name(method)(anchored(), CalibrationTiles(pictures(pixel_range=white), white), 8)
        assert plan.ranges["image"] == plan.ranges["up"] == (0.0, white)


ODD_TILES = {
    "one tile": pictures(1),
    "identical tiles": pictures(1).repeat(3, 1, 1, 1),
    "constant tile": torch.full((1, 3, SIDE, SIDE), 0.2),
    "constant tile among others": torch.cat([pictures(2), torch.ones(1, 3, SIDE, SIDE)]),
    "black tile": torch.zeros(2, 3, SIDE, SIDE),
}


@methods
@pytest.mark.parametrize("case", ODD_TILES)
def test_odd_tiles_give_usable_plans(method: str, case: str) -> None:
    graph = anchored()
    plan = by_name(method)(graph, CalibrationTiles(ODD_TILES[case], 1), 8)
    assert np.isfinite([bound for pair in plan.ranges.values() for bound in pair]).all()
    check_usable(graph, plan, ODD_TILES[case])
    if case in ("one tile", "identical tiles"):
        assert check_usable(graph, plan, ODD_TILES[case]) < 0.1


@methods
def test_a_dead_layer_is_no_division_by_zero(method: str) -> None:
    graph = anchored()
    op = graph["body"].op
    assert isinstance(op, ops.Conv2d)
    dead = replace(op, weight=op.weight * 0, bias=op.bias * 0)
    graph = graph.replaced({"body": replace(graph["body"], op=dead)})
    plan = by_name(method)(graph, CalibrationTiles(pictures(), 1), 8)
    assert check_usable(graph, plan, pictures()) < 0.1


@methods
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_networks_of_few_layers(method: str, layers: int) -> None:
    steps = [(f"c{i}", conv(i, 3, 3), f"c{i - 1}" if i else "image") for i in range(layers)]
    graph = graph_of(*steps)
    plan = by_name(method)(graph, CalibrationTiles(pictures(), 1), 4)
    assert plan.containers["c0"] == "w8a8"
    check_usable(graph, plan, pictures())


@methods
def test_activations_of_every_kind_are_calibrated(method: str) -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("leak", ops.LeakyRelu(0.1), "a"), ("b", conv(1, 8, 8), "leak"),
        ("p", ops.PRelu(np.full(8, 0.2, np.float32)), "b"), ("c", conv(2, 8, 8, 1), "p"),
        ("gate", ops.Sigmoid(), "c"), ("product", ops.Mul(), "c gate"), ("cat", ops.Concat(), "product leak"),
        ("small", ops.MaxPool((3, 3), (2, 2)), "cat"), ("back", ops.ResizeBilinear(), "small image"),
        ("d", ops.Sub(), "back cat"), ("relu", ops.Relu(), "d"), ("out", conv(3, 16, 3), "relu"),
    )  # fmt: skip
    plan = by_name(method)(graph, CalibrationTiles(pictures(), 1), 8)
    typed = quantize(graph, plan)
    assert [node.name for node in graph if typed[node.name].qparams is None] == ["image", "p"]
    check_usable(graph, plan, pictures())
    assert plan.ranges["cat"] == plan.ranges["small"] == plan.ranges["back"] == plan.ranges["product"]


def test_the_maps_of_adabm_are_in_its_plan() -> None:
    graph = graph_of(("c0", conv(0, 3, 8), "image"), ("c1", conv(1, 8, 3), "c0"))
    plan = by_name("adabm")(graph, CalibrationTiles(pictures(8), 1), 8)
    assert sorted(plan.layer_map.items()) in ([("c0", -1), ("c1", 1)], [("c0", 1), ("c1", -1)])
    assert plan.thresholds is not None and plan.thresholds[0] < plan.thresholds[1]
    alike = CalibrationTiles(pictures(1).repeat(6, 1, 1, 1), 1)
    assert by_name("adabm")(graph, alike, 8).thresholds is None


def test_unknown_methods_list_the_known_ones() -> None:
    with pytest.raises(UserError, match=f"unknown.*{', '.join(METHODS)}"):
        by_name("magic")
