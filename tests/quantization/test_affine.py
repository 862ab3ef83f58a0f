"""Affine int8 arithmetic: grids that hold zero, half a step of error, and refusal of impossible formats."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgesr.quantization.affine import (
    QParams,
    fake_quantize,
    qparams,
    quantize_weight,
    weight_levels,
)

from .toy import weight_values

values = st.floats(-1e6, 1e6, allow_nan=False)


@given(values, values)
def test_a_grid_holds_zero_and_reaches_the_ends_of_its_range(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    q = qparams(low, high)
    assert q.low <= 0 <= q.high
    slack = q.scale * (0.5 + 1e-3)  # the zero point is rounded, so the grid may be shifted by half a step
    assert q.low <= min(low, 0) + slack and q.high >= max(high, 0) - slack
    assert q.high - q.low <= max(high - low, abs(low), abs(high)) * 1.001 + 2e-6  # no wider than needed


@given(values, values, st.floats(0, 1))
def test_rounding_moves_values_inside_the_grid_by_half_a_step_at_most(a: float, b: float, t: float) -> None:
    q = qparams(min(a, b), max(a, b))
    x = torch.tensor([q.low + t * (q.high - q.low)], dtype=torch.float64)
    assert abs(float(fake_quantize(x, q) - x)) <= q.scale * 0.5001
    assert float(fake_quantize(torch.zeros(1), q)) == 0.0


@given(values, values)
def test_values_outside_are_clipped_to_the_ends(a: float, b: float) -> None:
    q = qparams(min(a, b), max(a, b))
    low, high = q.low, q.high
    far = torch.tensor([low - 1 - abs(low), high + 1 + abs(high)], dtype=torch.float64)
    assert fake_quantize(far, q).tolist() == pytest.approx([low, high], rel=1e-6, abs=1e-9)


def test_ties_go_to_the_even_level() -> None:
    levels = fake_quantize(torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5]), QParams(1.0, 0))
    assert levels.tolist() == [0, 2, 2, 0, -2]


@pytest.mark.parametrize("bounds", [(0.0, 0.0), (5.0, 5.0), (-3.0, -3.0), (0.0, 1e-30), (1e-12, 1e-12)])
def test_dead_tensors_get_a_tiny_range(bounds: tuple[float, float]) -> None:
    q = qparams(*bounds)
    assert q.scale > 0 and q.low <= min(bounds[0], 0) + q.scale and q.high >= max(bounds[1], 0) - q.scale


@pytest.mark.parametrize("bounds", [(math.nan, 1.0), (0.0, math.nan), (0.0, math.inf), (-math.inf, 0.0)])
def test_ranges_that_are_not_finite_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError):
        qparams(*bounds)


@pytest.mark.parametrize(
    ("scale", "zero"),
    [(0.0, 0), (-1.0, 0), (math.nan, 0), (math.inf, 0), (1e-60, 0), (1.0, 128), (1.0, -129)],
)
def test_formats_that_crash_runtimes_cannot_be_made(scale: float, zero: int) -> None:
    with pytest.raises(ValueError):
        QParams(scale, zero)


def test_scales_are_float32_values() -> None:
    assert QParams(0.1, 0).scale == float(np.float32(0.1))


@pytest.mark.parametrize("bits", [4, 8])
def test_weights_stay_on_their_grid(bits: int) -> None:
    weight = np.random.default_rng(0).normal(size=(6, 3, 2, 2)).astype(np.float32)
    scales = np.linspace(0.001, 0.3, 6).astype(np.float32)
    levels = quantize_weight(weight, scales, bits)
    limit = {4: 7, 8: 127}[bits]
    assert weight_levels(bits) == limit
    assert levels.dtype == np.int8 and np.abs(levels.astype(int)).max() <= limit
    inside = np.abs(weight) <= limit * scales[:, None, None, None]
    error = np.abs(weight_values(levels, scales) - weight)
    assert (error <= scales[:, None, None, None] * 0.5001)[inside].all()
