"""Ranges with the least squared error, and bit-aware clipping."""

import pytest
import torch
from torch import Tensor

from edgesr.quantization.simulation.quantizers import quantize_activation, quantize_weight
from edgesr.quantization.simulation.search import (
    CLIP_FACTORS,
    WEIGHT_FACTORS,
    clip_factor,
    clipped,
    weight_bound,
)


def spiky(seed: int) -> Tensor:
    """A bell with one far outlier."""
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(seed))
    values[seed] = 40.0
    return values


def weight_error(weight: Tensor, bound: float, bits: int) -> float:
    return float((weight - quantize_weight(weight, torch.tensor(bound), bits)).square().sum())


def test_the_factors_are_those_of_the_paper() -> None:
    assert len(WEIGHT_FACTORS) == 50 and WEIGHT_FACTORS[-1] == pytest.approx(0.51)
    assert len(CLIP_FACTORS) == 100 and CLIP_FACTORS[-1] == pytest.approx(0.01)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_no_factor_gives_weights_a_smaller_error(bits: int) -> None:
    weight = torch.randn(500, generator=torch.Generator().manual_seed(1))
    weight[3] = -5.0  # the longer tail is the negative one
    found = weight_bound(weight, bits)
    assert any(found == pytest.approx(5 * factor) for factor in WEIGHT_FACTORS)
    least = weight_error(weight, found, bits)
    assert all(least <= weight_error(weight, 5 * factor, bits) * 1.0001 for factor in WEIGHT_FACTORS)


def test_weights_without_any_value_still_have_a_bound() -> None:
    assert weight_bound(torch.zeros(10), 4) > 0


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_no_factor_gives_activations_a_smaller_error(bits: int) -> None:
    x, (low, high) = spiky(0), (-4.0, 40.0)

    def error(factor: float) -> float:
        return float((x - quantize_activation(x, factor * low, factor * high, float(bits))).square().sum())

    found = clip_factor(x, (low, high), bits)
    assert all(error(found) <= error(factor) * 1.0001 for factor in CLIP_FACTORS)


def test_fewer_bits_clip_more() -> None:
    factors = [clip_factor(spiky(1), (-4.0, 40.0), bits) for bits in (2, 4, 8)]
    assert factors == sorted(factors) and factors[0] < factors[-1]


def test_clipping_goes_half_the_way_and_keeps_where_zero_lies() -> None:
    x, bounds = spiky(2), (-4.0, 40.0)
    low, high = clipped(x, bounds, 4)
    factor = clip_factor(x, bounds, 4)
    assert factor < 1
    assert (low, high) == pytest.approx((bounds[0] * (1 + factor) / 2, bounds[1] * (1 + factor) / 2))
    assert low / (low - high) == pytest.approx(bounds[0] / (bounds[0] - bounds[1]))
