"""AdaBM's two maps: who gets a bit more or less."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgesr.quantization.simulation.maps import image_shift, layer_shift, width


def test_the_image_map_is_a_rule_with_a_soft_gradient() -> None:
    low, high = (torch.tensor(v, requires_grad=True) for v in (10.0, 30.0))
    detail = torch.tensor([0.0, 9.9, 10.0, 25.0, 30.0, 30.1, 90.0])
    shift = image_shift(detail, low, high)
    assert shift.tolist() == [-1, -1, 0, 0, 0, 1, 1]
    shift[3].backward()
    soft = [torch.tensor(v, requires_grad=True) for v in (10.0, 30.0)]
    torch.tanh(2 * (25.0 - (soft[0] + soft[1]) / 2) / (soft[1] - soft[0])).backward()
    assert (low.grad, high.grad) == (soft[0].grad, soft[1].grad)


@pytest.mark.parametrize(
    ("value", "expected"), [(-9.0, -1), (-0.51, -1), (-0.5, 0), (0.0, 0), (0.5, 0), (0.51, 1), (3.0, 1)]
)
def test_the_layer_maps_numbers_are_rounded_ties_to_even(value: float, expected: int) -> None:
    number = torch.tensor(value, requires_grad=True)
    shift = layer_shift(number)
    assert shift == expected
    shift.backward()
    assert float(number.grad) == pytest.approx(1 - np.tanh(value) ** 2, abs=1e-6)  # type: ignore[arg-type]


@given(st.integers(2, 8), st.integers(-1, 1), st.integers(-1, 1))
def test_widths_stay_within_2_and_8_bits(base: int, layer: int, image: int) -> None:
    got = width(base, torch.tensor(float(layer)), torch.tensor([float(image)]))
    assert got.tolist() == [min(8, max(2, base + layer + image))]
