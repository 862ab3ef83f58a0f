"""Rounding with errors that cancel: on the grid, better than the nearest level, and true to the mean."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.quantization.affine import quantize_weight, weight_levels
from edgesr.quantization.rounding import Rounding, round_weights
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.weights import max_scales

from .toy import conv, graph_of, weight_values


def smooth_pictures() -> torch.Tensor:
    """Neighbouring pixels are alike, as in pictures."""
    noise = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2)


def rounded(graph: Graph, bits: int) -> tuple[dict[str, np.ndarray], dict[str, Rounding]]:
    steps = {node.name: max_scales(node.op.weight, bits) for node in graph.convs}
    tiles = CalibrationTiles(smooth_pictures(), 1)
    return steps, round_weights(graph, steps, dict.fromkeys(steps, bits), tiles)


def applied(graph: Graph, weight: np.ndarray, bias: np.ndarray) -> torch.Tensor:
    node = graph["a"]
    op = replace(node.op, weight=weight.astype(np.float32), bias=bias.astype(np.float32))  # type: ignore[type-var]
    return predict(graph.replaced({"a": replace(node, op=op)}), smooth_pictures())


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("bits", [4, 8])
def test_the_result_is_nearer_than_with_the_nearest_levels(bits: int, groups: int) -> None:
    graph = graph_of(("a", replace(conv(0, 3 // groups, 6), groups=groups), "image"))
    op = graph["a"].op
    steps, found = rounded(graph, bits)
    result = found["a"]
    assert result.levels.dtype == np.int8 and np.abs(result.levels.astype(int)).max() <= weight_levels(bits)
    exact = predict(graph, smooth_pictures())
    nearest = weight_values(quantize_weight(op.weight, steps["a"], bits), steps["a"])  # type: ignore[attr-defined]
    chosen = weight_values(result.levels, steps["a"])
    bias = op.bias  # type: ignore[attr-defined]
    errors = [
        (applied(graph, weight, bias + shift) - exact)[:, :, 1:-1, 1:-1]
        for weight, shift in ((nearest, 0), (chosen, result.correction))
    ]
    assert errors[1].var() < 0.9 * errors[0].var()
    assert abs(float(errors[1].mean())) < 0.5 * float(errors[1].std()) + 1e-4
    assert result.noise.mean() == pytest.approx(float(errors[1].var(dim=(0, 2, 3)).mean()), rel=2)


def test_weights_on_the_grid_stay() -> None:
    graph = graph_of(("a", conv(0, 3, 6), "image"))
    steps = np.full(6, 1 / 64, np.float32)
    levels = np.random.default_rng(0).integers(-60, 60, (6, 3, 3, 3))
    on_grid = graph.replaced(
        {"a": replace(graph["a"], op=replace(graph["a"].op, weight=(levels / 64).astype(np.float32)))}  # type: ignore[type-var]
    )
    found = round_weights(on_grid, {"a": steps}, {"a": 8}, CalibrationTiles(smooth_pictures(), 1))["a"]
    assert np.array_equal(found.levels, levels) and np.abs(found.correction).max() < 1e-9


def test_a_kernel_wider_than_a_block_is_solved_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(("a", conv(0, 3, 6), "image"))
    _, whole = rounded(graph, 4)
    monkeypatch.setattr("edgesr.quantization.rounding.COLUMNS", 9)
    _, parts = rounded(graph, 4)
    assert parts["a"].levels.shape == whole["a"].levels.shape
    assert whole["a"].noise.sum() <= parts["a"].noise.sum() * 1.5  # blocks cannot cancel one another


def test_an_input_that_never_varies_is_no_trouble() -> None:
    graph = graph_of(("a", conv(0, 3, 6), "image"))
    steps = {"a": max_scales(graph.convs[0].op.weight, 8)}
    flat = CalibrationTiles(torch.zeros(2, 3, 16, 16), 1)
    found = round_weights(graph, steps, {"a": 8}, flat)["a"]
    assert np.isfinite(found.correction).all() and (found.noise == 0).all()
