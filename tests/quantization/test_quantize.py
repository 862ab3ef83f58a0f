"""From plan to typed graph: which tensors become int8, where conversions stand, what stays float."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from edgesr.devices.host import delegated, mismatches
from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import qparams
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import FIXED_GRIDS, SIGMOID, quantize
from edgesr.quantization.reference import run
from edgesr.quantization.typed import Dequantize, QConv2d, Quantize, Requantize, TypedGraph

from .toy import conv, graph_of, plan_for, residual


def kinds(typed: TypedGraph) -> Counter[str]:
    return Counter(node.op.kind for node in typed)


def check_program(graph: Graph, typed: TypedGraph, limit: float) -> None:
    """LiteRT agrees with the reference, all in XNNPACK, and both come close to float."""
    program = write({"s": typed}, 16, b"{}")
    tiles = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    assert mismatches(program, tiles, 1.0).mismatches == 0
    assert delegated(program).share == 1.0
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = predict(graph, image)
    error = (run(typed, image)[typed.output] - expected).abs().max() / expected.abs().max()
    assert 0 < float(error) < limit


def test_all_int8_has_one_way_in_and_one_way_out() -> None:
    graph = residual()
    typed = quantize(graph, plan_for(graph))
    assert [node.name for node in typed][:2] == ["image", "image/int8"]
    assert kinds(typed) == {
        "Input": 1, "Quantize": 1, "QConv2d": 4, "Add": 1, "PixelShuffle": 1, "Dequantize": 1,
    }  # fmt: skip
    assert typed.output == "up/float" and typed["up"].qparams == typed["tail"].qparams
    check_program(graph, typed, 0.05)


def test_float_nodes_are_islands() -> None:
    graph = residual()
    typed = quantize(graph, plan_for(graph, b="f32"))
    assert isinstance(typed["b"].op, ops.Conv2d) and typed["b"].inputs == ("a/float",)
    # The sum has a float input, so it is float, and the head is converted for it.
    assert typed["sum"].qparams is None and typed["sum"].inputs == ("head/float", "b")
    assert isinstance(typed["sum/int8"].op, Quantize) and typed["tail"].inputs == ("sum/int8",)
    check_program(graph, typed, 0.05)


def test_everything_float_is_the_float_graph() -> None:
    graph = residual()
    typed = quantize(graph, plan_for(graph, **{n.name: "f32" for n in graph.convs}))
    assert all(node.qparams is None for node in typed)
    image = torch.rand(1, 3, 9, 12)
    assert torch.equal(run(typed, image)[typed.output], predict(graph, image))


def test_a_plan_that_names_nothing_gives_the_defaults() -> None:
    graph = residual()
    assert quantize(graph, plan_for(graph)).equals(quantize(graph, plan_for(graph, a="w8a8", sum="a8")))


def test_four_bit_weights_use_sixteen_levels() -> None:
    graph = residual()
    plan = plan_for(graph, a="w4a8")
    narrow = tuple(s * 127 / 7 for s in plan.weight_scales["a"])
    plan = replace(plan, weight_scales={**plan.weight_scales, "a": narrow})
    op = quantize(graph, plan)["a"].op
    assert isinstance(op, QConv2d) and op.bits == 4
    assert np.abs(op.weight.astype(int)).max() == 7


def test_one_tensor_is_converted_once() -> None:
    graph = graph_of(
        ("head", conv(0, 3, 8), "image"),
        ("a", ops.PRelu(np.full(8, 0.1, np.float32)), "head"),
        ("b", ops.PRelu(np.full(8, 0.3, np.float32)), "head"),
        ("x", conv(1, 8, 8), "a"),
        ("y", conv(2, 8, 8), "a"),
        ("z", conv(3, 8, 8), "b"),
        ("s", ops.Add(), "x y"),
        ("out", ops.Add(), "s z"),
    )
    typed = quantize(graph, plan_for(graph))
    assert kinds(typed)["Dequantize"] == 2  # head, out
    assert kinds(typed)["Quantize"] == 3  # image, a, b
    check_program(graph, typed, 0.05)


def test_concat_inputs_are_brought_to_one_grid() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 4), "image"),
        ("b", conv(1, 3, 4), "image"),
        ("cat", ops.Concat(), "a b a"),
        ("out", conv(2, 12, 3), "cat"),
    )
    plan = plan_for(graph)
    plan = replace(plan, ranges={**plan.ranges, "a": (-1.0, 1.0), "b": (-3.0, 3.0), "cat": (-3.0, 3.0)})
    typed = quantize(graph, plan)
    assert typed["cat"].inputs == ("a/grid", "b", "a/grid")
    assert isinstance(typed["a/grid"].op, Requantize)
    assert typed["a/grid"].qparams == typed["cat"].qparams == typed["b"].qparams
    check_program(graph, typed, 0.6)


def test_a_grid_too_far_away_is_reached_by_way_of_float() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 4), "image"),
        ("b", conv(1, 3, 4), "image"),
        ("cat", ops.Concat(), "a b"),
        ("out", conv(2, 8, 3), "cat"),
    )
    plan = plan_for(graph)
    plan = replace(plan, ranges={**plan.ranges, "a": (-0.001, 0.001), "cat": plan.ranges["b"]})
    typed = quantize(graph, plan)
    assert typed["cat"].inputs == ("a/float/int8", "b")
    assert isinstance(typed["a/float"].op, Dequantize) and isinstance(typed["a/float/int8"].op, Quantize)
    program = write({"s": typed}, 16, b"{}")
    tiles = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    assert mismatches(program, tiles, 1.0).mismatches == 0 and delegated(program).share == 1.0


def test_the_sigmoid_has_its_fixed_grid() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"),
        ("gate", ops.Sigmoid(), "a"),
        ("product", ops.Mul(), "a gate"),
        ("out", conv(1, 8, 3), "product"),
    )
    typed = quantize(graph, plan_for(graph))
    assert typed["gate"].qparams == SIGMOID
    check_program(graph, typed, 0.05)


def test_standalone_relu_and_clamp_run_as_convolutions_by_one() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"),
        ("b", conv(1, 3, 8), "image"),
        ("product", ops.Mul(), "a b"),
        ("positive", ops.Relu(), "product"),
        ("mixed", conv(2, 8, 8), "positive"),
        ("cut", ops.Clamp(-0.5, 0.25), "mixed"),
        ("capped", ops.Clamp(-np.inf, 0.2), "cut"),
        ("out", conv(3, 8, 3), "capped"),
    )
    typed = quantize(graph, plan_for(graph))
    assert [typed[name].op.kind for name in ("positive", "cut", "capped")] == ["QConv2d"] * 3
    q = typed["cut"].qparams
    assert q is not None and q.high == pytest.approx(0.25, abs=q.scale) and q.low >= -0.5 - q.scale
    check_program(graph, typed, 0.05)
    values = run(typed, torch.rand(1, 3, 9, 9), keep=["positive"])["positive"]
    zero = typed["positive"].qparams
    assert zero is not None and int(values.min()) == zero.zero_point


def test_a_clamp_cuts_off_even_where_the_plan_has_a_wider_range() -> None:
    graph = graph_of(("a", conv(0, 3, 8), "image"), ("cut", ops.Clamp(-0.2, 0.25), "a"))
    plan = plan_for(graph)
    typed = quantize(graph, replace(plan, ranges={**plan.ranges, "cut": (-2.0, 2.0)}))
    values = run(typed, torch.rand(1, 3, 9, 9))[typed.output]
    assert float(values.max()) == pytest.approx(0.25, abs=0.002)
    assert float(values.min()) == pytest.approx(-0.2, abs=0.002)


def test_a_clamp_that_cuts_zero_off_stays_float() -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("cut", ops.Clamp(0.1, 0.9), "a"), ("out", conv(1, 8, 3), "cut")
    )
    typed = quantize(graph, plan_for(graph))
    assert typed["cut"].qparams is None and isinstance(typed["cut"].op, ops.Clamp)
    check_program(graph, typed, 0.05)


FAR = {
    "sum": ops.Add(),
    "difference": ops.Sub(),
    "product": ops.Mul(),
}


@pytest.mark.parametrize("name", FAR)
def test_scales_too_far_apart_make_a_node_float(name: str) -> None:
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("b", conv(1, 3, 8), "image"), ("op", FAR[name], "a b"),
        ("out", conv(2, 8, 3), "op"),
    )  # fmt: skip
    plan = plan_for(graph)
    plan = replace(plan, ranges={**plan.ranges, "op": (-1e-4, 1e-4)})
    assert quantize(graph, plan_for(graph))["op"].qparams is not None
    typed = quantize(graph, plan)
    assert typed["op"].qparams is None
    program = write({"s": typed}, 16, b"{}")
    assert delegated(program).share == 1.0


def test_a_convolution_that_litert_would_refuse_runs_in_float() -> None:
    graph = residual()
    plan = plan_for(graph)
    plan = replace(plan, ranges={**plan.ranges, "b": (0.0, 1e-6)})
    typed = quantize(graph, plan)
    assert isinstance(typed["b"].op, ops.Conv2d) and typed["b"].qparams is None
    tiles = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3)).astype(np.uint8)
    assert mismatches(write({"s": typed}, 16, b"{}"), tiles, 1.0).mismatches == 0


def test_dead_channels_and_large_biases_stay_in_int8() -> None:
    """A bias far beyond its channel's weights would not fit 32 bits at their scale."""
    graph = residual()
    op = graph["a"].op
    assert isinstance(op, ops.Conv2d)
    weight, bias = op.weight.copy(), op.bias.copy()
    weight[0], bias[0] = 0, 5.0
    weight[1] *= 1e-12
    bias[1] = 3.0
    graph = graph.replaced({"a": replace(graph["a"], op=replace(op, weight=weight, bias=bias))})
    plan = plan_for(graph)
    plan = replace(
        plan, weight_scales={**plan.weight_scales, "a": (1e-14, 1e-14, *plan.weight_scales["a"][2:])}
    )
    typed = quantize(graph, plan)
    made = typed["a"].op
    assert isinstance(made, QConv2d)
    source = typed["head"].qparams
    assert source is not None
    assert np.allclose(made.bias[:2] * (source.scale * made.scales[:2]), [5.0, 3.0], rtol=1e-3)
    check_program(graph, typed, 0.05)


def test_bilinear_back_to_a_float_tensor_reads_only_its_size() -> None:
    graph = graph_of(
        ("head", conv(0, 3, 8), "image"),
        ("small", ops.MaxPool((3, 3), (2, 2)), "head"),
        ("mask", conv(1, 8, 8), "small"),
        ("back", ops.ResizeBilinear(), "mask image"),
        ("out", conv(2, 8, 3), "back"),
    )
    typed = quantize(graph, plan_for(graph))
    assert typed["back"].inputs == ("mask", "image") and typed["back"].qparams == typed["mask"].qparams
    check_program(graph, typed, 0.1)


def test_plans_of_other_networks_are_refused() -> None:
    graph = residual()
    plan = plan_for(graph)
    without = {name: value for name, value in plan.ranges.items() if name != "sum"}
    with pytest.raises(UserError, match="no range for 'sum'"):
        quantize(graph, replace(plan, ranges=without))
    with pytest.raises(UserError, match="do not fit 'a'"):
        quantize(graph, replace(plan, weight_scales={**plan.weight_scales, "a": (1.0,)}))
    with pytest.raises(UserError, match="another network"):
        quantize(graph, Plan({}, {}))


def test_formats_are_those_of_the_ranges() -> None:
    graph = residual()
    plan = plan_for(graph)
    typed = quantize(graph, plan)
    for name in ("head", "a", "b", "sum", "tail"):
        assert typed[name].qparams == qparams(*plan.ranges[name])
    assert typed["image/int8"].qparams == qparams(*plan.ranges["image"])


def test_attention_is_float_up_to_its_first_convolution() -> None:
    """Means and deviations have no int8 form; the tanh has, on the grid of its kernel."""
    graph = graph_of(
        ("a", conv(0, 3, 8), "image"), ("mean", ops.Mean(), "a"), ("std", ops.Std(), "a"),
        ("sum", ops.Add(), "std mean"), ("small", conv(1, 8, 8, kernel=1), "sum"),
        ("gate", ops.Sigmoid(), "small"), ("gated", ops.Mul(), "a gate"), ("soft", ops.Tanh(), "gated"),
        ("out", conv(2, 8, 3), "soft"),
    )  # fmt: skip
    formats = {node.name: node.qparams for node in quantize(graph, plan_for(graph))}
    assert {name for name, q in formats.items() if q is None} == {
        "image", "a/float", "mean", "std", "sum", "out/float",
    }  # fmt: skip
    assert formats["soft"] == FIXED_GRIDS[ops.Tanh]
