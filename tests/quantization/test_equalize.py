"""Channel equalization: the float output stays, what must keep its scale does, and noise goes down."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.graph import ops
from edgesr.graph.capture import capture
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.graph.rewrites import rewrite
from edgesr.networks import registry
from edgesr.quantization.equalize import (
    ChannelClasses,
    Tensors,
    _RoundedTensor,
    channel_classes,
    channel_scales,
    equalized,
)
from edgesr.quantization.noise import NoiseGains, noise_gains, predicted_noise, rounding_noise
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run as run_typed
from edgesr.quantization.statistics import CalibrationTiles, Statistics, collect
from edgesr.quantization.weights import max_scales

from .toy import conv, diagonal, graph_of, picture_levels, residual

CONFIGS = {
    "plain": {"scale": 2, "width": 6, "depth": 2},
    "edsr": {"scale": 2, "width": 6, "depth": 2},
    "srvgg": {"scale": 2, "width": 6, "depth": 2},
    "rfdn": {"scale": 2, "width": 8, "blocks": 2, "esa": 4},
    "rlfn": {"scale": 2, "width": 8, "mid": 6, "blocks": 2, "esa": 4},
    "imdn": {"scale": 2, "width": 8, "blocks": 2, "distilled": 2, "reduced": 2},
    "carn_m": {"scale": 2, "width": 8, "groups": 4},
}


@cache
def network(name: str) -> Graph:
    """A small network of a known architecture, with random weights."""
    torch.manual_seed(0)
    module = registry.by_name(name).build(**CONFIGS[name]).eval().requires_grad_(False)
    return rewrite(capture(module))


def drawn_scales(classes: ChannelClasses, seed: int) -> dict[str, tuple[float, ...]]:
    """A random scale from 1/16 to 16 for each class that is free; nodes without one are left out."""
    drawn = np.exp2(np.random.default_rng(seed).uniform(-4, 4, len(classes.fixed)))
    drawn[classes.fixed] = 1.0
    free = {name: index for name, index in classes.of.items() if not classes.fixed[index].all()}
    return {name: tuple(drawn[index].tolist()) for name, index in free.items()}


def check_same_output(graph: Graph, seed: int) -> None:
    scales = drawn_scales(channel_classes(graph), seed)
    pixels = picture_levels(1, 24)
    expected = predict(graph, pixels)
    got = predict(equalized(graph, scales), pixels)
    assert float((got - expected).abs().max()) <= 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_float_output_stays(name: str, seed: int) -> None:
    check_same_output(network(name), seed)


EVERYTHING = graph_of(
    ("a", conv(0, 3, 8), "image"), ("leak", ops.LeakyRelu(0.1), "a"), ("b", conv(1, 8, 8), "leak"),
    ("p", ops.PRelu(np.linspace(-0.2, 1.2, 8, dtype=np.float32)), "b"), ("c", conv(2, 8, 8, 1), "p"),
    ("g", conv(9, 8, 8, 1), "p"), ("gate", ops.Sigmoid(), "g"), ("product", ops.Mul(), "gate c"),
    ("cat", ops.Concat(), "product leak b"), ("small", ops.MaxPool((3, 3), (2, 2)), "cat"),
    ("back", ops.ResizeBilinear(), "small image"), ("d", ops.Sub(), "back cat"), ("relu", ops.Relu(), "d"),
    ("e", conv(3, 24, 8, relu=True), "relu"), ("square", ops.Mul(), "e e"), ("f", conv(4, 8, 8), "square"),
    ("cut", ops.Clamp(-1.0, 1.0), "f"), ("h", conv(5, 8, 8), "cut"), ("twice", ops.Add(relu=True), "h h"),
    ("tail", conv(6, 8, 12), "twice"), ("copies", ops.Repeat(4), "image"), ("sum", ops.Add(), "tail copies"),
    ("up", ops.PixelShuffle(2), "sum"),
)  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_float_output_stays_with_every_kind_of_op(seed: int) -> None:
    check_same_output(EVERYTHING, seed)


def test_no_scales_change_nothing() -> None:
    graph = residual()
    assert equalized(graph, {}) is graph


def fixed(graph: Graph) -> set[str]:
    """Nodes all of whose channels must keep 1."""
    classes = channel_classes(graph)
    found = {name for name, index in classes.of.items() if classes.fixed[index].all()}
    partly = {name for name, index in classes.of.items() if classes.fixed[index].any()}
    assert found == partly
    return found


def test_picture_output_and_the_inside_of_gates_are_fixed() -> None:
    fixed_here = fixed(EVERYTHING)
    assert {"image", "up", "tail", "copies", "sum", "g", "gate"} <= fixed_here
    assert {"e", "square", "f", "cut"} <= fixed_here  # a product of two values, and a limit of its own
    assert fixed_here.isdisjoint({"a", "leak", "b", "p", "c", "product", "cat", "small", "back", "d", "h"})


@pytest.mark.parametrize("name", CONFIGS)
def test_networks_have_free_channels_and_fixed_ends(name: str) -> None:
    graph = network(name)
    found = fixed(graph)
    assert {graph.input.name, graph.output} <= found
    assert found >= {node.inputs[0] for node in graph if isinstance(node.op, ops.Sigmoid)}
    assert len(found) < len(graph.nodes) / 1.5


def test_added_channels_share_a_class() -> None:
    of = channel_classes(residual()).of
    assert np.array_equal(of["head"], of["b"]) and np.array_equal(of["head"], of["sum"])
    assert len(set(of["head"])) == 8 and not set(of["head"]) & set(of["a"])


def test_concatenation_maps_channels_in_order() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 2), "image"), ("b", conv(1, 3, 3), "image"), ("cat", ops.Concat(), "b a b"),
        ("out", conv(2, 8, 3), "cat"),
    )  # fmt: skip
    of = channel_classes(graph).of
    assert of["cat"].tolist() == [*of["b"], *of["a"], *of["b"]]
    assert len(set(of["cat"])) == 5


def test_a_gate_scales_like_what_it_gates() -> None:
    of = channel_classes(EVERYTHING).of
    assert np.array_equal(of["product"], of["c"]) and not set(of["product"]) & set(of["gate"])


def test_a_squared_gate_is_fixed() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("gate", ops.Sigmoid(), "a"), ("square", ops.Mul(), "gate gate"),
        ("out", conv(1, 8, 3), "square"),
    )  # fmt: skip
    assert fixed(graph) == {"image", "a", "gate", "square", "out"}


def test_grouped_convolutions_pass_scales_on() -> None:
    grouped = ops.Conv2d(conv(1, 4, 8).weight, conv(1, 4, 8).bias, padding=conv(1, 4, 8).padding, groups=2)
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", grouped, "a"), ("c", conv(2, 8, 8), "b"),
        ("out", conv(3, 8, 3), "c"),
    )  # fmt: skip
    assert fixed(graph) == {"image", "out"}
    check_same_output(graph, 0)
    statistics, gains = measured(graph)
    assert set(scales_of(graph, statistics, gains)) == {"a", "b", "c"}


def test_slices_means_and_deviations_keep_the_scales_of_their_channels() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("part", ops.Slice(2, 6), "a"), ("mean", ops.Mean(), "part"),
        ("std", ops.Std(), "part"), ("sum", ops.Add(), "mean std"), ("small", conv(1, 4, 4, kernel=1), "sum"),
        ("gate", ops.Sigmoid(), "small"), ("gated", ops.Mul(), "part gate"),
        ("both", ops.Concat(), "gated a"), ("out", conv(2, 12, 3), "both"),
    )  # fmt: skip
    classes = channel_classes(graph).of
    for name in ("part", "mean", "std", "sum", "gated"):
        assert np.array_equal(classes[name], classes["a"][2:6])
    assert fixed(graph) == {"image", "small", "gate", "out"}
    check_same_output(graph, 0)


@pytest.mark.parametrize("kind", [ops.Tanh(), ops.SquaredDifference(), ops.Sqrt()], ids=lambda op: op.kind)
def test_what_does_not_scale_is_fixed(kind: ops.Op) -> None:
    inputs = "a a" if isinstance(kind, ops.SquaredDifference) else "a"
    graph = graph_of(("a", conv(0, 3, 8), "image"), ("b", kind, inputs), ("out", conv(1, 8, 3), "b"))
    assert fixed(graph) == {"image", "a", "b", "out"}


def loud_and_quiet() -> Graph:
    """One channel of eight is fifty times as loud as the others, and no more important."""
    loudness = np.array([50.0, *[1.0] * 7], np.float32)
    mixed = equalized(residual(), {"a": (1 / loudness).tolist()})
    return graph_of(*((n.name, n.op, " ".join(n.inputs)) for n in mixed if n.name != "image"))


def measured(graph: Graph) -> tuple[Statistics, NoiseGains]:
    pixels = picture_levels(4)
    return collect(graph, CalibrationTiles(pixels, 1)), noise_gains(graph, pixels, 1, seed=0)


def scales_of(graph: Graph, statistics: Statistics, gains: NoiseGains) -> dict[str, tuple[float, ...]]:
    low, high = ({n.name: statistics.extremes(n.name)[side] for n in graph} for side in (0, 1))
    tensors = Tensors(low, high, statistics.variance, gains.values)
    return channel_scales(graph, tensors, {node.name: 8 for node in graph.convs})


def plan_of(graph: Graph, scales: dict[str, tuple[float, ...]]) -> Plan:
    """Ranges and weight scales of the equalized graph that clip nothing."""
    even = equalized(graph, scales)
    seen, _ = measured(even)
    ranges = {n.name: (float(seen.low[n.name].min()), float(seen.high[n.name].max())) for n in even}
    weights = {n.name: tuple(max_scales(n.op.weight, 8).tolist()) for n in even.convs}
    return Plan({**ranges, "image": (0.0, 1.0)}, weights, channel_scales=scales)


def test_scales_reduce_the_noise_of_quiet_channels() -> None:
    graph = loud_and_quiet()
    statistics, gains = measured(graph)
    scales = scales_of(graph, statistics, gains)
    assert scales["a"][0] > 10 * max(scales["a"][1:])  # the loud channel is turned down
    assert "image" not in scales and "tail" not in scales and "up" not in scales
    quiet = {node.name: np.zeros(len(node.op.bias)) for node in graph.convs}  # of values alone
    before, after = (predicted_noise(graph, plan_of(graph, s), gains, quiet) for s in ({}, scales))
    assert sum(after.values()) < 0.3 * sum(before.values())
    pixels = picture_levels(4)
    expected = predict(graph, pixels)
    errors = []
    for chosen in ({}, scales):
        typed = quantize(graph, plan_of(graph, chosen))
        errors.append(float((run_typed(typed, pixels)[typed.output] - expected).square().mean()))
    assert errors[1] < 0.4 * errors[0]


def test_the_optimised_noise_of_values_is_the_predicted_one() -> None:
    graph = residual()
    statistics, gains = measured(graph)
    low, high = ({n.name: statistics.extremes(n.name)[side] for n in graph} for side in (0, 1))
    classes = channel_classes(graph)
    drawn = drawn_scales(classes, 0)
    plan = plan_of(graph, drawn)
    scales = torch.ones(len(classes.fixed))
    for name, values in drawn.items():
        scales[torch.from_numpy(classes.of[name])] = torch.tensor(values)
    tensors = Tensors(low, high, statistics.variance, gains.values)
    for name in ("head", "a", "b", "sum"):
        term = _RoundedTensor.of(graph[name], classes, tensors)
        assert float(term.noise(scales)) == pytest.approx(
            rounding_noise(plan, name, gains.values[name]), rel=1e-3
        )


def test_scales_are_the_same_each_time_and_obey_the_classes() -> None:
    graph = residual()
    statistics, gains = measured(graph)
    scales = scales_of(graph, statistics, gains)
    assert scales == scales_of(graph, statistics, gains)
    assert set(scales) == {"head", "a", "b", "sum"}
    assert scales["head"] == scales["b"] == scales["sum"]
    assert all(np.isfinite(values).all() and min(values) > 0 for values in scales.values())


def test_where_all_is_fixed_there_are_no_scales() -> None:
    graph = graph_of(("a", diagonal(1, 2, 3), "image"), ("gate", ops.Sigmoid(), "a"))
    statistics, gains = measured(graph)
    assert scales_of(graph, statistics, gains) == {}
