"""Rounding with gradients: forward exactly the grids of `affine`, backward the formulas of METHODS A.2."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from edgesr.quantization.affine import fake_quantize, qparams, quantize_weight, weight_levels
from edgesr.quantization.tuning.straight_through import Grid, round_levels, round_to_grid

bounds = st.floats(-1000, 1000, width=32)


def ends(low: float, high: float) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.tensor(end, dtype=torch.float64, requires_grad=True) for end in (low, high))  # type: ignore[return-value]


@given(bounds, bounds, st.lists(bounds, min_size=1, max_size=20))
def test_values_are_those_of_the_deployed_grid(a: float, b: float, values: list[float]) -> None:
    low, high = ends(min(a, b), max(a, b))
    grid = Grid.of(low, high)
    x = torch.tensor(values, requires_grad=True)
    rounded = round_to_grid(x, grid)
    assert grid.qparams == qparams(min(a, b), max(a, b))
    assert torch.equal(rounded, fake_quantize(x.detach(), grid.qparams))
    assert (round_to_grid(torch.zeros(1), grid) == 0).all()
    rounded.sum().backward()
    assert x.grad is not None and low.grad is not None and high.grad is not None
    edge = 1e-5 * grid.qparams.scale * 255
    assert (x.grad[(x > grid.qparams.low + edge) & (x < grid.qparams.high - edge)] == 1).all()
    assert (x.grad[(x < grid.qparams.low - edge) | (x > grid.qparams.high + edge)] == 0).all()
    assert torch.isfinite(low.grad) and torch.isfinite(high.grad)


@given(st.floats(-10, -0.1), st.floats(0.1, 10), st.lists(st.floats(-15, 15), min_size=1, max_size=9))
def test_ends_get_the_gradients_of_the_method(low: float, high: float, values: list[float]) -> None:
    ends_ = ends(low, high)
    grid = Grid.of(*ends_)
    x = torch.tensor(values)
    for edge in (grid.qparams.low, grid.qparams.high):
        assume(bool(((x - edge).abs() > 1e-4).all()))  # there either gradient will do
    rounded = round_to_grid(x, grid)
    rounded.sum().backward()
    below, above = (x <= grid.qparams.low), (x >= grid.qparams.high)
    error = torch.where(below | above, 0, (rounded - x) / (grid.qparams.high - grid.qparams.low))
    for end, expected in zip(ends_, ((below.float() - error), (above.float() + error)), strict=True):
        assert end.grad is not None
        assert end.grad.item() == pytest.approx(expected.sum().item(), abs=1e-4)


@given(st.sampled_from([4, 8]), st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20))
def test_weights_are_rounded_as_deployed(bits: int, values: list[float]) -> None:
    scales = np.array([1 / 8 if bits == 4 else 1 / 128], np.float32)
    weight = np.array([values], np.float32)
    latent = torch.tensor(weight / scales, requires_grad=True)
    levels = round_levels(latent, bits)
    assert np.array_equal(levels.detach().numpy(), quantize_weight(weight, scales, bits))
    levels.sum().backward()
    assert latent.grad is not None
    assert torch.equal(latent.grad, (latent.abs() <= weight_levels(bits)).float())
