"""The search for weight scales, never worse than scaling by the largest magnitude; bias correction."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgesr.graph.execute import conv2d, tensor
from edgesr.graph.ops import Conv2d
from edgesr.quantization.affine import dequantize_weight, quantize_weight
from edgesr.quantization.weights import bias_correction, max_scales, omse_scales


def errors(weight: NDArray[np.float32], scales: NDArray[np.float32], bits: int) -> NDArray[np.float64]:
    difference = dequantize_weight(quantize_weight(weight, scales, bits), scales).astype(np.float64) - weight
    return np.asarray((difference**2).reshape(len(weight), -1).sum(axis=1))


@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]), st.sampled_from(["normal", "laplace", "uniform"]))
def test_omse_is_never_worse_than_max_scaling(seed: int, bits: int, kind: str) -> None:
    weight = getattr(np.random.default_rng(seed), kind)(size=(5, 4, 3, 3)).astype(np.float32)
    found, largest = omse_scales(weight, bits), max_scales(weight, bits)
    assert (errors(weight, found, bits) <= errors(weight, largest, bits) * (1 + 1e-6) + 1e-12).all()


def test_an_outlier_is_clipped_at_4_bits() -> None:
    weight = np.random.default_rng(0).normal(size=(1, 16, 3, 3)).astype(np.float32)
    weight[0, 0, 0, 0] = 6.0
    assert omse_scales(weight, 4)[0] < 0.9 * max_scales(weight, 4)[0]


@pytest.mark.parametrize("scales_of", [omse_scales, max_scales])
def test_channels_of_zeros_get_a_usable_scale(scales_of) -> None:  # type: ignore[no-untyped-def]
    weight = np.zeros((3, 2, 1, 1), np.float32)
    assert (scales_of(weight, 8) > 0).all()
    weight[1] = 0.5
    scales = scales_of(weight, 8)
    assert scales[0] == scales[2] == scales[1] > 0


def test_max_scaling_clips_nothing() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 4, 3, 3)).astype(np.float32)
    for bits, limit in ((4, 7), (8, 127)):
        levels = quantize_weight(weight, max_scales(weight, bits), bits)
        assert (np.abs(levels.astype(int)).reshape(8, -1).max(axis=1) == limit).all()


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("bits", [4, 8])
def test_bias_correction_gives_constant_inputs_back_their_result(bits: int, groups: int) -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(12, 6 // groups, 3, 3)).astype(np.float32)
    op = Conv2d(weight, generator.normal(size=12).astype(np.float32), groups=groups)
    mean = generator.normal(size=6)
    scales = max_scales(weight, bits)
    rounded = dequantize_weight(quantize_weight(weight, scales, bits), scales)
    constant = torch.from_numpy(mean).view(1, -1, 1, 1).expand(1, 6, 5, 5)

    def result(weight: NDArray[np.float32], bias: NDArray[np.float64]) -> torch.Tensor:
        return conv2d(constant, tensor(weight).double(), torch.from_numpy(bias), op)

    correction = bias_correction(op, scales, bits, mean)
    expected = result(weight, op.bias.astype(np.float64))
    assert torch.allclose(result(rounded, op.bias + correction), expected, rtol=0, atol=1e-12)
    assert not torch.allclose(result(rounded, op.bias.astype(np.float64)), expected, rtol=0, atol=1e-3)


def test_weights_on_the_grid_need_no_correction() -> None:
    weight = (np.random.default_rng(0).integers(-7, 8, (4, 3, 1, 1)) / 8).astype(np.float32)
    op = Conv2d(weight, np.zeros(4, np.float32))
    scales = np.full(4, 1 / 8, np.float32)
    assert np.array_equal(bias_correction(op, scales, 4, np.ones(3)), np.zeros(4))
    # Clipped weights shift the result the more.
    clipped = replace(op, weight=np.full_like(weight, 2.0))
    assert bias_correction(clipped, scales, 4, np.ones(3)) == pytest.approx(np.full(4, 3 * (2 - 7 / 8)))
