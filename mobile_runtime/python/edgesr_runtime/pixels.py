"""Pixels on their way into a program and out of it, and samples of other depths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def to_program_range(values: Floats, pixel_range: int) -> None:
    """Scale float32 pixels 0..255 in place to 0..pixel_range: v / 255 in float32 where that is 1."""
    if pixel_range == 1:
        np.divide(values, np.float32(255), out=values)


def to_pixels(values: Floats, pixel_range: int) -> None:
    """Turn float32 answers in place into whole numbers 0..255.

    Multiplied by 255 in float32 where white is 1, clipped to 0..255 (NaN becomes 0), and rounded, halves to
    the even neighbour.
    """
    if np.isnan(values.max()):  # `np.fmax` would see to it at once, but takes four times as long
        values[np.isnan(values)] = 0
    # Clipped before it is multiplied, which gives the same and cannot overflow.
    np.clip(values, np.float32(0), np.float32(pixel_range), out=values)
    if pixel_range == 1:
        np.multiply(values, np.float32(255), out=values)
    np.rint(values, out=values)


def from_16_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers 0..65535 as 8 bits, rounded to the nearest."""
    return ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
