"""The bicubic of the super-resolution literature, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.evaluation.resize import crop_to_multiple, downscale, resize, to_uint8, upscale_bicubic

# Up x2, each new pixel is a quarter of a pixel off an old one: the cubic kernel at 1.25, 0.25, 0.75, 1.75.
UP2 = np.array([-9, 111, 29, -3]) / 128
# Down x2, the kernel is twice as wide: half of it at 1.75, 1.25, 0.75, 0.25 and the same mirrored.
DOWN2 = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float64)


def test_upscaling_by_hand() -> None:
    impulse = row(0, 0, 0, 0, 1, 0, 0, 0, 0)
    expected = np.zeros(18)
    expected[[5, 7, 9, 11]] = UP2[[3, 2, 1, 0]]  # right of an old pixel
    expected[[6, 8, 10, 12]] = UP2  # left of one
    np.testing.assert_allclose(resize(impulse, 1, 18)[0], expected, atol=1e-15)


def test_downscaling_by_hand() -> None:
    values = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    shrunk = resize(values[np.newaxis], 1, 4)[0]
    mirrored = np.concatenate([values[3::-1], values, values[:3:-1]])
    expected = [DOWN2 @ mirrored[start : start + 8] for start in range(1, 9, 2)]
    np.testing.assert_allclose(shrunk, expected, atol=1e-12)


def test_without_antialiasing_the_kernel_keeps_its_width() -> None:
    values = row(3, 1, 4, 1, 5, 9, 2, 6)
    expected = np.array([-1, 9, 9, -1]) / 16 @ values[0, 1:5]
    assert resize(values, 1, 4, antialias=False)[0, 1] == pytest.approx(expected)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 255),
)
def test_a_flat_picture_stays_flat(source: tuple[int, int], target: tuple[int, int], value: int) -> None:
    flat = np.full((*source, 3), value, np.uint8)
    resized = resize(flat, *target)
    assert resized.shape == (*target, 3)
    np.testing.assert_allclose(resized, value, atol=1e-9)


def test_the_own_size_changes_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    np.testing.assert_allclose(resize(picture, 7, 9), picture, atol=1e-12)
    assert np.array_equal(downscale(picture, 1), picture)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_mirrored_and_turned_pictures_give_mirrored_and_turned_results(scale: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (6 * scale, 5 * scale, 3), np.uint8)
    small = resize(picture, 6, 5)
    np.testing.assert_allclose(resize(picture[::-1, ::-1], 6, 5), small[::-1, ::-1], atol=1e-9)
    np.testing.assert_allclose(resize(picture.swapaxes(0, 1), 5, 6), small.swapaxes(0, 1), atol=1e-9)


def test_downscaling_crops_to_a_multiple_first() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (13, 10, 3), np.uint8)
    assert crop_to_multiple(picture, 4).shape == (12, 8, 3)
    assert np.array_equal(downscale(picture, 4), downscale(picture[:12, :8], 4))
    assert downscale(picture, 4).shape == (3, 2, 3)


def test_bytes_are_clipped_and_rounded_once() -> None:
    assert to_uint8(np.array([-3.0, 0.49, 0.5, 1.5, 254.5, 300.0])).tolist() == [0, 0, 1, 2, 255, 255]
    step = np.repeat(np.uint8([[0, 0, 255, 255]]), 4, axis=0)
    large = upscale_bicubic(step, 2)
    assert large.dtype == np.uint8
    assert large[0].tolist() == [0, 0, 0, 52, 203, 255, 255, 255]


def test_grey_pictures_are_resized_like_a_channel() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (8, 12, 3), np.uint8)
    assert np.array_equal(downscale(picture[..., 1], 2), downscale(picture, 2)[..., 1])


def test_nothing_cannot_be_resized() -> None:
    with pytest.raises(ValueError, match="cannot resize"):
        downscale(np.zeros((3, 9, 3), np.uint8), 4)
