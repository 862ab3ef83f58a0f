"""Noise gains against Jacobians that are known, and predicted noise against noise that is measured."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from edgesr.graph import ops
from edgesr.graph.execute import predict, run
from edgesr.graph.graph import Graph, Node
from edgesr.quantization.affine import fake_quantize, qparams
from edgesr.quantization.noise import noise_gains, predicted_noise, rounding_noise
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run as run_typed
from edgesr.quantization.rounding import Rounding, round_weights
from edgesr.quantization.statistics import CalibrationTiles

from .toy import conv, diagonal, graph_of, picture_levels, plan_for, residual, weight_values


def jacobian(graph: Graph, name: str, image: Tensor) -> Tensor:
    """d output / d the value of a node, shape (output size, C, H, W)."""
    value = run(graph, image, keep=[name])[name]

    def rest(changed: Tensor) -> Tensor:
        return run(graph, image, hook=lambda node, v: changed if node.name == name else v)[graph.output]

    return torch.func.jacrev(rest)(value).reshape(-1, *value.shape[1:])


@pytest.mark.parametrize("white", [1, 255])
def test_gains_are_the_expected_squared_jacobian(white: int) -> None:
    graph = graph_of(
        ("a", conv(0, 3, 2), "image"), ("b", conv(1, 2, 2), "a"), ("s", ops.Add(), "a b"),
        ("out", conv(2, 2, 3), "s"),
    )  # fmt: skip
    tiles = torch.rand(250, 3, 6, 5, generator=torch.Generator().manual_seed(0)) * white
    gains = noise_gains(graph, tiles, white, seed=0)
    for name in ("a", "b", "s"):
        exact = jacobian(graph, name, tiles[:1]) * (255 / white)
        expected = exact.square().sum((0, 2, 3)) / len(exact)
        assert gains.values[name] == pytest.approx(expected.numpy(), rel=0.1)
    # Nobody but one convolution reads these.
    assert gains.reads["out"] == pytest.approx(gains.values["s"])


def test_reads_are_gains_for_one_reader_alone() -> None:
    """Where nothing mixes pixels or channels every probe is exact: (sign * d)^2 = d^2."""
    graph = graph_of(
        ("a", diagonal(1, 1, 1), "image"), ("b", diagonal(2, 3, 4), "a"), ("c", diagonal(-2, 1, -1), "a"),
        ("s", ops.Add(), "b c"),
    )  # fmt: skip
    gains = noise_gains(graph, torch.rand(2, 3, 4, 4), 255, seed=0)
    per_channel = 1 / 3  # an output channel is a third of the output
    assert gains.reads["b"] == pytest.approx(np.array([4, 9, 16]) * per_channel)
    assert gains.reads["c"] == pytest.approx(np.array([4, 1, 1]) * per_channel)
    assert gains.values["a"] == pytest.approx(np.array([0, 16, 9]) * per_channel)  # of the sum of both
    assert gains.values["b"] == pytest.approx(np.ones(3) * per_channel)
    assert set(gains.values) == {"image", "a", "b", "c", "s"}


def test_gains_are_deterministic() -> None:
    first, again = (noise_gains(residual(), picture_levels(2), 1, seed=5) for _ in range(2))
    for name, gain in first.values.items():
        assert np.array_equal(gain, again.values[name])


def roundings(graph: Graph, pixels: Tensor) -> dict[str, Rounding]:
    """The weights on the grids of `plan_for`."""
    steps = {name: np.asarray(s, np.float32) for name, s in plan_for(graph).weight_scales.items()}
    return round_weights(graph, steps, dict.fromkeys(steps, 8), CalibrationTiles(pixels, 1))


def rounded(graph: Graph, plan: Plan, pixels: Tensor) -> Plan:
    found = roundings(graph, pixels)
    return replace(
        plan,
        weight_levels={name: r.levels.tobytes() for name, r in found.items()},
        bias_corrections={name: tuple(r.correction.tolist()) for name, r in found.items()},
    )


def prediction(graph: Graph, plan: Plan, pixels: Tensor) -> dict[str, float]:
    noise = {name: r.noise for name, r in roundings(graph, pixels).items()}
    return predicted_noise(graph, plan, noise_gains(graph, pixels, 1, 0), noise)


def silent(graph: Graph) -> dict[str, np.ndarray]:
    """Weights that add no noise."""
    return {node.name: np.zeros(len(node.op.bias)) for node in graph.convs}


def grey_error(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).mul(255).square().mean())


def test_predicted_noise_is_near_the_measured_noise() -> None:
    graph, pixels = residual(), picture_levels(4)
    plan = rounded(graph, replace(plan_for(graph), ranges=wide(graph, pixels)), pixels)
    typed = quantize(graph, plan)
    measured = grey_error(run_typed(typed, pixels)[typed.output], predict(graph, pixels))
    assert 0.5 < sum(prediction(graph, plan, pixels).values()) / measured < 2


@pytest.mark.parametrize("name", ["head", "a", "b", "sum", "tail"])
def test_the_share_of_one_value_is_near_the_measured_noise(name: str) -> None:
    """Without the weights' part."""
    graph, pixels = residual(), picture_levels(4)
    plan = replace(plan_for(graph), ranges=wide(graph, pixels))
    noise = predicted_noise(graph, plan, noise_gains(graph, pixels, 1, 0), silent(graph))
    grid = qparams(*plan.ranges[name])

    def rounding(node: Node, value: Tensor) -> Tensor:
        return fake_quantize(value, grid) if node.name == name else value

    measured = grey_error(run(graph, pixels, hook=rounding)[graph.output], predict(graph, pixels))
    # Half of what a ReLU makes is zero, which is on every grid.
    assert 0.5 < noise[name] / measured < (2.5 if name == "a" else 1.5)


def test_the_share_of_the_weights_is_near_the_measured_noise() -> None:
    graph, pixels = residual(), picture_levels(4)
    plan = rounded(graph, plan_for(graph), pixels)
    free = replace(plan, ranges=dict.fromkeys(plan.ranges, (0.0, 1e-6)))  # rounding values costs nothing
    noise = prediction(graph, free, pixels)
    for name, found in roundings(graph, pixels).items():
        if name not in ("b", "tail"):  # one convolution at a time
            continue
        op = graph[name].op
        assert isinstance(op, ops.Conv2d)
        weight = weight_values(found.levels, np.asarray(plan.weight_scales[name])).astype(np.float32)
        changed = replace(op, weight=weight, bias=(op.bias + found.correction).astype(np.float32))
        alone = graph.replaced({name: replace(graph[name], op=changed)})
        measured = grey_error(predict(alone, pixels), predict(graph, pixels))
        assert 0.5 < noise[name] / measured < 2


def wide(graph: Graph, pixels: Tensor) -> dict[str, tuple[float, float]]:
    """Ranges that clip nothing; of what is only moved, its source's."""
    values = run(graph, pixels, keep=[node.name for node in graph])
    ranges = {name: (float(v.min()), float(v.max())) for name, v in values.items()}
    return {**ranges, "image": (0.0, 1.0), graph.output: ranges["tail"]}


def test_float_layers_cost_nothing() -> None:
    graph, pixels = residual(), picture_levels(2)
    everything = plan_for(graph).with_containers({node.name: "f32" for node in graph})
    assert set(prediction(graph, everything, pixels).values()) == {0.0}
    noise = prediction(graph, plan_for(graph, b="f32"), pixels)
    assert noise["b"] == 0 and noise["sum"] == 0  # a sum of a float value is float
    assert noise["head"] > 0 and noise["a"] > 0 and noise["tail"] > 0


def test_an_int8_convolution_pays_for_rounding_a_float_input() -> None:
    graph, pixels = residual(), picture_levels(2)
    before, after = (prediction(graph, plan, pixels) for plan in (plan_for(graph), plan_for(graph, b="f32")))
    gains = noise_gains(graph, pixels, 1, 0)
    step = qparams(*plan_for(graph).ranges["sum"]).scale
    assert after["tail"] - before["tail"] == pytest.approx(step**2 / 12 * gains.reads["tail"].sum())


def test_a_float_value_is_rounded_for_each_convolution_apart() -> None:
    graph, pixels = residual(), picture_levels(2)
    before, after = (
        prediction(graph, plan, pixels) for plan in (plan_for(graph), plan_for(graph, head="f32"))
    )
    gains = noise_gains(graph, pixels, 1, 0)
    extra = rounding_noise(plan_for(graph), "head", gains.reads["a"])  # the sum reads it unrounded
    assert after["a"] - before["a"] == pytest.approx(extra)
    assert gains.reads["a"].sum() != pytest.approx(gains.values["head"].sum(), rel=0.01)


def test_an_8_bit_picture_is_on_the_grid_of_the_input() -> None:
    graph, pixels = residual(), picture_levels(2)
    gains = noise_gains(graph, pixels, 1, 0)
    noise = predicted_noise(graph, plan_for(graph), gains, silent(graph))
    assert noise["head"] == rounding_noise(plan_for(graph), "head", gains.values["head"])


def test_moving_values_costs_nothing() -> None:
    noise = prediction(residual(), plan_for(residual()), picture_levels(2))
    assert noise["up"] == 0 and noise["image"] == 0


def test_channel_scales_weigh_the_noise() -> None:
    """A channel divided by s before rounding carries s times the noise."""
    graph, pixels = residual(), picture_levels(2)
    plan = plan_for(graph)
    gains = noise_gains(graph, pixels, 1, 0)
    scales = tuple(float(c + 1) for c in range(8))
    scaled_plan = replace(plan, channel_scales={"a": scales})
    scaled = predicted_noise(graph, scaled_plan, gains, silent(graph))
    step = qparams(*plan.ranges["a"]).scale
    assert scaled["a"] == pytest.approx(step**2 / 12 * (np.square(scales) * gains.values["a"]).sum())
