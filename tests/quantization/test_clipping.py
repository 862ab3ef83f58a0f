"""Clipping: only the side that an activation flattens, never beyond what was seen, never for the worse."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgesr.graph import ops
from edgesr.graph.execute import evaluate, run
from edgesr.quantization import clipping
from edgesr.quantization.affine import fake_quantize, qparams
from edgesr.quantization.clipping import activation_of, best_clip, clip_before_activations
from edgesr.quantization.plan import Range
from edgesr.quantization.statistics import CalibrationTiles

from .toy import conv, graph_of, picture_levels

ACTIVATIONS: dict[str, ops.Op] = {
    "leaky": ops.LeakyRelu(0.05), "steep": ops.LeakyRelu(0.8), "relu": ops.Relu(), "sigmoid": ops.Sigmoid(),
    "tanh": ops.Tanh(),
}  # fmt: skip
each = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=list(ACTIVATIONS))


def bounds_of(value: Tensor) -> Range:
    return float(value.min()), float(value.max())


def loss(value: Tensor, bounds: Range, activation: ops.Op) -> float:
    """Squared error behind the activation."""
    rounded = fake_quantize(value, qparams(*bounds))
    return float((evaluate(activation, [rounded]) - evaluate(activation, [value])).square().sum())


def bell(seed: int = 0, spread: float = 1.0, mean: float = 0.0, size: int = 4096) -> Tensor:
    drawn = np.random.default_rng(seed).standard_t(4, size)
    return torch.from_numpy((mean + spread * drawn).astype(np.float32))


@pytest.mark.parametrize("activation", [ops.LeakyRelu(0.05), ops.Relu()])
def test_only_the_negative_side_of_a_rectifier_is_clipped(activation: ops.Op) -> None:
    value = torch.cat([bell(spread=0.1), torch.tensor([-20.0])])
    low, high = bounds_of(value)
    found = best_clip(value, (low, high), activation)
    assert 0.8 * low < found[0] < 0
    assert found[1] == high


def test_a_high_outlier_survives_a_rectifier() -> None:
    """A lamp among dim values: clipping it would lower the loss of all others."""
    value = torch.cat([bell(spread=0.1), torch.tensor([40.0])])
    assert best_clip(value, bounds_of(value), ops.LeakyRelu(0.05))[1] == 40.0


def test_both_sides_of_a_sigmoid_are_clipped() -> None:
    value = bell(spread=8.0)
    low, high = bounds_of(value)
    found = best_clip(value, (low, high), ops.Sigmoid())
    assert 0.8 * low < found[0] < 0 < found[1] < 0.8 * high


@pytest.mark.parametrize(("name", "sides"), [("leaky", {0}), ("relu", {0}), ("sigmoid", {0, 1})])
def test_only_flattened_sides_are_searched(name: str, sides: set[int]) -> None:
    searched: set[int] = set()

    def descend(best: tuple[float, float], side: int, loss: object) -> tuple[float, float]:
        searched.add(side)
        return best

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clipping, "_descend", descend)
        best_clip(bell(), (-9.0, 9.0), ACTIVATIONS[name])
    assert searched == sides


def test_a_sigmoid_near_its_slope_is_left_alone() -> None:
    value = torch.linspace(-1, 1, 4096)
    assert best_clip(value, (-1.0, 1.0), ops.Sigmoid()) == (-1.0, 1.0)


@each
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 30), st.floats(-3, 3))
def test_never_outside_the_observed_range_and_never_worse(
    activation: ops.Op, seed: int, spread: float, shift: float
) -> None:
    value = bell(seed, spread, shift * spread, size=1024)
    low, high = bounds_of(value)
    unclipped = loss(value, (low, high), activation)
    found = best_clip(value, (low, high), activation)
    assert low <= found[0] <= max(0.0, low) and min(0.0, high) <= found[1] <= high
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clipping, "SLACK", 1.0)
        best = best_clip(value, (low, high), activation)
    assert found[0] <= best[0] and best[1] <= found[1]  # the slack only widens
    assert loss(value, best, activation) <= unclipped * (1 + 1e-6)


@pytest.mark.parametrize("value", [torch.zeros(64), torch.full((64,), -2.0), torch.full((64,), 2.0)])
@each
def test_constants_have_a_range(value: Tensor, activation: ops.Op) -> None:
    low, high = bounds_of(value)
    found = best_clip(value, (low, high), activation)
    assert low <= found[0] <= max(0.0, low) and min(0.0, high) <= found[1] <= max(0.0, high)


def test_only_what_an_activation_alone_reads_is_clipped() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("leak", ops.LeakyRelu(0.05), "a"),  # clipped
        ("b", conv(1, 8, 8), "leak"), ("b2", ops.LeakyRelu(0.05), "b"), ("s", ops.Add(), "b b2"),  # not alone
        ("c", conv(2, 8, 8), "s"), ("p", ops.PRelu(np.full(8, 0.1, np.float32)), "c"),  # not of that kind
        ("d", conv(3, 8, 8), "p"), ("gate", ops.Sigmoid(), "d"),  # clipped
        ("e", ops.Mul(), "gate s"), ("last", conv(4, 8, 3), "e"),
    )  # fmt: skip
    pixels = picture_levels(3)
    values = run(graph, pixels, keep=[node.name for node in graph])
    ranges = {name: bounds_of(value) for name, value in values.items()}
    found = clip_before_activations(graph, dict(ranges), CalibrationTiles(pixels, 1))
    assert set(found) == {"a", "d"}
    assert found["a"] == best_clip(values["a"], ranges["a"], ops.LeakyRelu(0.05))
    assert ranges["a"][0] < found["a"][0] and found["a"][1] == ranges["a"][1]
    assert [node.name for node in graph if activation_of(graph, node) is not None] == ["a", "d"]


def test_the_output_is_no_input_of_an_activation() -> None:
    graph = graph_of(("a", conv(0, 3, 3), "image"), ("leak", ops.LeakyRelu(0.05), "a"))
    assert activation_of(graph, graph["leak"]) is None
    assert activation_of(graph, graph["a"]) is graph["leak"].op


def test_what_is_kept_at_once_is_bounded() -> None:
    """A dozen corners stand for all tiles: the values before all activations are kept together."""
    graph = graph_of(("a", conv(0, 3, 3), "image"), ("leak", ops.LeakyRelu(0.05), "a"))
    seen: list[Tensor] = []
    tiles = picture_levels(48, 80)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clipping, "best_clip", lambda value, bounds, op: seen.append(value))
        clip_before_activations(graph, {"a": (-9.0, 9.0)}, CalibrationTiles(tiles, 1))
    assert torch.equal(seen[0], run(graph, tiles[::4, :, :64, :64], keep=["a"])["a"])
