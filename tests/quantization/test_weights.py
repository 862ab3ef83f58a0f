"""The search for weight scales, never worse than scaling by the largest magnitude."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgesr.quantization.affine import quantize_weight
from edgesr.quantization.weights import max_scales, omse_scales

from .toy import weight_values


def errors(weight: NDArray[np.float32], scales: NDArray[np.float32], bits: int) -> NDArray[np.float64]:
    difference = weight_values(quantize_weight(weight, scales, bits), scales) - weight
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
