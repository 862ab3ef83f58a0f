"""The complexity is the published formula, in exact integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edgesr_runtime.complexity as module
from edgesr_runtime.complexity import complexity


def by_definition(rgb: np.ndarray) -> float:
    """Float Sobel filters on grey 0..1, pixel by pixel, as the formula is published."""
    grey = np.pad(rgb / 255 @ [0.299, 0.587, 0.114], 1, mode="edge")
    kernel = np.outer([1, 2, 1], [-1, 0, 1]) / 8
    height, width = rgb.shape[:2]
    windows = [(grey[y : y + 3, x : x + 3]) for y in range(height) for x in range(width)]
    responses = [abs((w * k).sum()) for w in windows for k in (kernel, kernel.T)]
    return 1000 * float(np.mean(responses))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_equals_the_definition(height: int, width: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert complexity(rgb) == pytest.approx(by_definition(rgb), rel=1e-9, abs=1e-9)


def test_an_example_worked_by_hand() -> None:
    edge = np.zeros((2, 4, 3), np.uint8)
    edge[:, 2:] = 255  # per row |gx| = 4 * 255000 in the two middle columns; gy = 0
    assert complexity(edge) == 4 * 4 * 255000 / (4080 * 8) == 125.0


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 3, 3)])
def test_flat_pictures_have_none(shape: tuple[int, ...]) -> None:
    assert complexity(np.full(shape, 255, np.uint8)) == 0


def test_does_not_depend_on_the_blocks_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (23, 9, 3), dtype=np.uint8)
    whole = complexity(rgb)
    for block in (1, 4, 22, 23):
        monkeypatch.setattr(module, "_BLOCK", block)
        assert complexity(rgb) == whole
    assert complexity(rgb.transpose(1, 0, 2)) == whole
