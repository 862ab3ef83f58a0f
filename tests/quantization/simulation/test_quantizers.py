"""The grids of the papers, and the gradients that METHODS A.2 derives."""

from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgesr.quantization.simulation.quantizers import (
    BITS,
    quantize_activation,
    quantize_signed,
    quantize_weight,
    round_through,
    straight_through,
)

bits = st.sampled_from(list(BITS))
reals = st.floats(-100, 100)


def values(seed: int, spread: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)


@settings(deadline=None)
@given(bits, reals, st.floats(0.01, 50), st.integers(0, 99))
def test_activations_go_to_the_nearest_of_evenly_spaced_levels(
    width: int, low: float, span: float, seed: int
) -> None:
    x, high, steps = values(seed, 50.0), low + span, 2**width - 1
    got = quantize_activation(x, low, high, float(width))
    index = (got - low) / span * steps
    assert torch.allclose(index, index.round(), atol=1e-5)
    assert ((index > -0.5) & (index < steps + 0.5)).all()
    assert ((got - x.clamp(low, high)).abs() <= span / steps / 2 * (1 + 1e-6)).all()


def test_every_picture_has_its_own_width() -> None:
    x = values(0)
    both = quantize_activation(x, -2.0, 3.0, torch.tensor([2, 7]))
    assert torch.equal(both[:1], quantize_activation(x[:1], -2.0, 3.0, 2.0))
    assert torch.equal(both[1:], quantize_activation(x[1:], -2.0, 3.0, 7.0))


@settings(deadline=None)
@given(bits, st.floats(0.1, 10), st.integers(0, 99))
def test_weights_go_to_the_nearest_odd_multiple_so_never_to_zero(width: int, bound: float, seed: int) -> None:
    weight, top = values(seed), 2**width - 1
    unit = bound / top
    got = quantize_weight(weight, torch.tensor(bound, dtype=torch.float64), width)
    multiple = got / unit
    assert torch.allclose(multiple, multiple.round(), atol=1e-6)
    assert (multiple.round() % 2 == 1).all()
    assert multiple.abs().max() <= top + 1e-6
    assert ((got - weight.clamp(-bound, bound)).abs() <= unit * (1 + 1e-6)).all()


@settings(deadline=None)
@given(bits, st.floats(0.1, 10), st.integers(0, 99))
def test_signed_levels_are_symmetric_around_zero(width: int, bound: float, seed: int) -> None:
    x, top = values(seed), 2 ** (width - 1) - 1
    got = quantize_signed(x, bound, width)
    multiple = got / (bound / top)
    assert torch.allclose(multiple, multiple.round(), atol=1e-6)
    assert torch.allclose(got, -quantize_signed(-x, bound, width))
    assert (quantize_signed(torch.zeros(3), bound, width) == 0).all()
    assert ((got - x.clamp(-bound, bound)).abs() <= bound / top / 2 * (1 + 1e-6)).all()


def test_ties_go_to_even() -> None:
    steps = torch.tensor([0.5, 1.5, 2.5])
    assert round_through(steps).tolist() == [0, 2, 2]
    assert quantize_activation(steps[None], 0.0, 3.0, 2.0).tolist() == [[0, 2, 2]]


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other() -> None:
    x = torch.tensor([0.3], requires_grad=True)
    y = straight_through(torch.tensor([1.0]), torch.tanh(x))
    y.backward()
    assert y.tolist() == [1.0]
    assert x.grad == 1 - torch.tanh(torch.tensor(0.3)) ** 2


def leaf(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64).clone().requires_grad_()


LOW, HIGH, WIDTH = -1.25, 2.0, 3.0


def test_activation_gradients_are_those_of_the_paper() -> None:
    x = torch.tensor([[-3.0, -0.9, 0.2, 1.1, 5.0]], dtype=torch.float64)
    steps = 2**WIDTH - 1
    for place, value in enumerate(x[0]):
        point, low, high, width = leaf(x), leaf(LOW), leaf(HIGH), leaf(WIDTH)
        quantize_activation(point, low, high, width)[0, place].backward()
        share = float((value - LOW) / (HIGH - LOW))
        expected = {0: (0, 1, 0, 0), 4: (0, 0, 1, 0)}.get(place)
        if expected is None:
            error = round(steps * share) / steps - share
            assert error != 0
            per_bit = (HIGH - LOW) * -error * 2**WIDTH * log(2) / steps
            expected = (1, -error, error, per_bit)
        got = (point.grad[0, place], low.grad, high.grad, width.grad)  # type: ignore[index]
        assert [float(g) for g in got] == pytest.approx(expected, abs=1e-12)  # type: ignore[arg-type]


def surrogate(x: Tensor, low: Tensor, high: Tensor, width: Tensor, rounding: Tensor) -> Tensor:
    """The quantizer with round(N t) = N t + a constant, which is what a straight-through gradient means."""
    steps = 2.0**width - 1
    share = ((x - low) / (high - low)).clamp(0, 1)
    return low + (high - low) * (steps * share + rounding) / steps


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", range(3), ids=["low", "high", "bits"])
def test_activation_gradients_match_finite_differences(seed: int, number: int) -> None:
    x, mix = values(seed), values(seed + 10)
    numbers = [leaf(LOW), leaf(HIGH), leaf(WIDTH)]
    (quantize_activation(x, *numbers) * mix).sum().backward()
    with torch.no_grad():
        share = ((x - LOW) / (HIGH - LOW)).clamp(0, 1) * (2**WIDTH - 1)
        rounding, h = share.round() - share, 1e-6

        def at(offset: float) -> float:
            moved = [n + offset * (i == number) for i, n in enumerate(numbers)]
            return float((surrogate(x, *moved, rounding) * mix).sum())

        assert float(numbers[number].grad) == pytest.approx((at(h) - at(-h)) / (2 * h), rel=1e-6)  # type: ignore[arg-type]


def test_each_picture_has_its_own_gradient_of_the_width() -> None:
    x, widths = values(1), leaf(torch.tensor([3.0, 5.0]))
    (quantize_activation(x, LOW, HIGH, widths) * values(2)).sum().backward()
    for index in range(2):
        own = leaf(float(widths.detach()[index]))
        part = slice(index, index + 1)
        (quantize_activation(x[part], LOW, HIGH, own) * values(2)[part]).sum().backward()
        assert float(widths.grad[index]) == pytest.approx(float(own.grad))  # type: ignore[index, arg-type]


def test_the_weight_bounds_gradient_is_that_of_the_paper() -> None:
    bound, width = 1.5, 4
    for value in (-4.0, -1.1, -0.2, 0.0, 0.7, 1.4, 2.0):
        variable = leaf(bound)
        quantize_weight(torch.tensor([value], dtype=torch.float64), variable, width).sum().backward()
        steps = 2**width - 1
        level = round((value + bound) / (2 * bound) * steps)
        inside = 2 * level / steps - 1 - value / bound
        expected = inside if abs(value) < bound else (1.0 if value > 0 else -1.0)
        assert float(variable.grad) == pytest.approx(expected)  # type: ignore[arg-type]
