"""Metrics against values that follow from their definitions."""

import math

import numpy as np
import pytest

from edgesr.evaluation.metrics import (
    Drop,
    channel_mean_shift,
    drop,
    luma,
    max_abs_error,
    psnr,
    psnr_y,
    ssim_y,
)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_luma_of_black_white_and_primaries() -> None:
    colours = np.uint8([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    expected = [16, 16 + 255 * 219.859 / 256, 16 + 65.48121, 16 + 128.55287, 16 + 24.96609]
    np.testing.assert_allclose(luma(colours)[0], expected, atol=1e-4)


def test_psnr_of_a_known_error() -> None:
    reference = np.zeros((4, 5, 3))
    assert psnr(reference + 10, reference) == pytest.approx(20 * math.log10(25.5))
    assert psnr(reference + 0.1, reference, peak=1) == pytest.approx(20)
    assert psnr(reference, reference) == math.inf


def test_psnr_does_not_wrap_around_bytes() -> None:
    assert psnr(np.uint8([[0]]), np.uint8([[255]])) == 0


def test_psnr_y_of_a_grey_step() -> None:
    hr = np.full((20, 20, 3), 100, np.uint8)
    assert psnr_y(hr + 1, hr, border=2) == pytest.approx(20 * math.log10(255 / (219.859 / 256)))


def test_the_border_does_not_count() -> None:
    hr = noise(0, 30, 32, 3)
    sr = hr.copy()
    sr[:3], sr[-3:], sr[:, :3], sr[:, -3:] = 0, 0, 0, 0
    assert psnr_y(sr, hr, border=3) == math.inf
    assert ssim_y(sr, hr, border=3) == pytest.approx(1)
    assert psnr_y(sr, hr, border=2) < 40
    assert ssim_y(sr, hr, border=2) < 1 - 1e-4


def test_ssim_of_flat_pictures_is_its_luminance_term() -> None:
    dark, light = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    low, high, c1 = 16.0, 16 + 255 * 219.859 / 256, (0.01 * 255) ** 2
    expected = (2 * low * high + c1) / (low**2 + high**2 + c1)
    assert ssim_y(dark, light, border=0) == pytest.approx(expected, rel=1e-6)


def test_ssim_of_one_window_is_its_formula() -> None:
    first, second = noise(1, 11, 11, 3), noise(2, 11, 11, 3)
    axis = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(axis, axis) / np.outer(axis, axis).sum()
    x, y = luma(first), luma(second)
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    variance_x, variance_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    covariance = (window * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = 2.55**2, 7.65**2
    expected = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    assert ssim_y(first, second, border=0) == pytest.approx(expected)


def test_the_largest_error_and_the_colour_cast() -> None:
    reference = noise(3, 6, 7, 3).astype(np.float32)
    cast = reference + np.float32([1, -2, 0.5])
    assert max_abs_error(cast, reference) == 2
    assert channel_mean_shift(cast, reference) == pytest.approx((1, -2, 0.5))
    balanced = reference.copy()
    balanced[0, 0], balanced[1, 1] = balanced[0, 0] + 50, balanced[1, 1] - 50
    assert max_abs_error(balanced, reference) == 50
    assert channel_mean_shift(balanced, reference) == pytest.approx((0, 0, 0), abs=1e-6)


def test_the_drop_is_the_mean_of_differences_and_names_the_worst() -> None:
    result = drop([30, 32, math.inf, 28], [29.9, 31.6, math.inf, 28.1])
    assert (result.mean, result.worst) == (pytest.approx(0.1), pytest.approx(0.4))
    assert result.worst_index == 1
    assert drop([30], [31]) == Drop(mean=-1, worst=-1, worst_index=0)


def test_what_cannot_be_compared() -> None:
    small, large = np.zeros((12, 12, 3), np.uint8), np.zeros((12, 13, 3), np.uint8)
    for metric in (psnr, max_abs_error, channel_mean_shift):
        with pytest.raises(ValueError, match="cannot compare"):
            metric(small, large)
    with pytest.raises(ValueError, match="cannot compare"):
        psnr_y(small, small, border=6)
    with pytest.raises(ValueError, match="no SSIM"):
        ssim_y(small, small, border=1)
    with pytest.raises(ValueError, match="shorter"):
        drop([1, 2], [1])
    with pytest.raises(ValueError, match="no pictures"):
        drop([], [])
