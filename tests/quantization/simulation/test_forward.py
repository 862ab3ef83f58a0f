"""Running a graph with rounded inputs and weights, and counting what it costs."""

import pytest
import torch
from torch import Tensor

from edgesr.graph.execute import predict, tensor
from edgesr.quantization.simulation.forward import Forward, Rounded, Rounding, forward
from edgesr.quantization.simulation.simulated import Simulated, bit_operations

from ..toy import picture_levels, residual


def as_is(bits: float) -> Rounding:
    return Rounding((lambda x: Rounded(x, torch.full((len(x),), bits)),))


def conv_as_is(name: str, bits: float, weight_bits: int) -> Rounding:
    weight = tensor(residual()[name].op.weight)  # type: ignore[attr-defined]
    return Rounding(as_is(bits).inputs, weight, weight_bits)


def test_rounding_nothing_changes_nothing() -> None:
    graph, pixels = residual(), picture_levels(2)
    both = Rounding(as_is(8).inputs * 2)
    result = forward(graph, {"a": conv_as_is("a", 4, 3), "sum": both}, pixels, keep=["b"])
    assert torch.equal(result.output, predict(graph, pixels))
    assert torch.equal(result.kept["b"], predict(type(graph)(graph.nodes[:4], "b"), pixels))
    assert {name: bits.tolist() for name, bits in result.bits.items()} == {"a": [4, 4], "sum": [8, 8]}
    assert result.weight_bits["a"] == 3


def test_what_a_node_reads_is_rounded_for_it_alone() -> None:
    graph, pixels = residual(), picture_levels(1)

    def halve(x: Tensor) -> Rounded:
        return Rounded(x / 2, torch.ones(len(x)))

    weight = tensor(graph["a"].op.weight)  # type: ignore[attr-defined]
    halved = forward(graph, {"a": Rounding((halve,), weight)}, pixels, keep=["head", "a"])
    doubled = forward(graph, {"a": Rounding(as_is(1).inputs, weight / 2)}, pixels, keep=["head", "a"])
    assert torch.equal(halved.kept["head"], doubled.kept["head"])  # the skip reads what it always did
    assert torch.allclose(halved.kept["a"], doubled.kept["a"], atol=1e-6)
    assert not torch.allclose(halved.output, predict(graph, pixels), atol=1e-2)


def test_gradients_reach_ranges_and_weights() -> None:
    graph, pixels = residual(), picture_levels(1)
    scale = torch.tensor(1.0, requires_grad=True)
    weight = tensor(graph["b"].op.weight).requires_grad_()  # type: ignore[attr-defined]
    rounding = Rounding((lambda x: Rounded(x * scale, torch.ones(1)),), weight)
    forward(graph, {"b": rounding}, pixels).output.sum().backward()
    assert scale.grad is not None and scale.grad != 0
    assert weight.grad is not None and (weight.grad != 0).any()
    weight.requires_grad_(False)


def result_of(bits: dict[str, list[float]], weight_bits: dict[str, int]) -> Forward:
    found = {name: torch.tensor(values) for name, values in bits.items()}
    return Forward(torch.empty(0), {}, found, weight_bits)


def test_bit_operations_are_those_counted_by_hand() -> None:
    """3x3 kernels: 3->8 and 8->12 stay float, 8->8 twice are W3A4 and W3A6; 10 x 7 pixels."""
    result = result_of({"a": [4.0], "b": [6.0], "sum": [2.0]}, {"a": 3, "b": 3})
    pixels = 10 * 7
    head, middle, tail = 9 * 3 * 8, 9 * 8 * 8, 9 * 8 * 12
    expected = pixels * ((head + tail) * 32 * 32 + middle * 3 * 4 + middle * 3 * 6)
    assert bit_operations(residual(), 10, 7, result) == expected
    assert bit_operations(residual(), 10, 7) == pixels * (head + 2 * middle + tail) * 1024


def test_average_widths_count_the_body_alone() -> None:
    simulated = Simulated(residual(), lambda pixels, detail: {}, counted=("a", "b"))
    result = result_of({"a": [3.0, 5.0], "b": [4.0, 4.0], "tail": [8.0, 8.0]}, {})
    assert simulated.average_bits(result).tolist() == pytest.approx([3.5, 4.5])
