"""Bicubic interpolation in whole numbers is Keys's, and the same pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr_runtime.bicubic import enlarge, weights

SCALES = st.integers(1, 8)


def keys(distance: float) -> float:
    """The kernel as it was published, a = -1/2."""
    x = abs(distance)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


@pytest.mark.parametrize("scale", range(1, 9))
def test_weights_are_those_of_the_kernel(scale: int) -> None:
    for place, (offset, factors) in enumerate(weights(scale)):
        position = (place + 0.5) / scale - 0.5  # from the middle of input pixel 0
        exact = [2048 * keys(position - (offset - 1 + k)) for k in range(4)]
        assert sum(factors) == 2048
        assert np.abs(np.array(factors) - exact).max() < 2


@pytest.mark.parametrize("scale", range(1, 9))
def test_weights_are_symmetric(scale: int) -> None:
    """A mirrored picture gives the mirrored result."""
    phases = weights(scale)
    for (offset, factors), (mirror_offset, mirrored) in zip(phases, reversed(phases), strict=True):
        if factors[0] == 0 and factors[2] == 0:
            assert factors == mirrored == (0, 2048, 0, 0)
        else:
            assert offset + mirror_offset == -1 and factors == mirrored[::-1]


def by_definition(square: np.ndarray, scale: int) -> np.ndarray:
    """Pixel by pixel, in Python's unbounded integers."""
    height, width, channels = square.shape
    result = np.empty((height * scale, width * scale, channels), np.uint8)
    for y, x, channel in np.ndindex(*result.shape):
        total = 0
        for at, down in _inputs(y, scale, height):
            for beside, across in _inputs(x, scale, width):
                total += down * across * int(square[at, beside, channel])
        result[y, x, channel] = min(max((total + 2**21) >> 22, 0), 255)
        assert abs(total) + 2**21 < 2**31
    return result


def _inputs(index: int, scale: int, length: int) -> list[tuple[int, int]]:
    offset, factors = weights(scale)[index % scale]
    first = index // scale + offset - 1
    return [(min(max(first + k, 0), length - 1), factor) for k, factor in enumerate(factors)]


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 4]), SCALES, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_equals_the_definition(height: int, width: int, channels: int, scale: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    square = random.integers(0, 256, (height, width, channels), dtype=np.uint8)
    if seed % 2:  # the extremes, where sums are largest
        square = np.where(square > 127, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(enlarge(square, scale), by_definition(square, scale))


@given(st.integers(0, 255), SCALES)
def test_flat_stays_flat(level: int, scale: int) -> None:
    assert (enlarge(np.full((3, 2, 3), level, np.uint8), scale) == level).all()


def test_scale_1_changes_nothing() -> None:
    square = np.random.default_rng(0).integers(0, 256, (6, 7, 4), dtype=np.uint8)
    np.testing.assert_array_equal(enlarge(square, 1), square)
