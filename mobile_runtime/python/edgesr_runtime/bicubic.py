"""Enlarging without the network: bicubic interpolation in whole numbers.

For tiles that no network need see, and for alpha. Every language gets the same bytes, for nothing is rounded
but the weights, once and for all, and the result.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_ONE = 2048  # the weights of an output pixel along an axis add up to this
_SHIFT = 22  # of both axes: 2048 * 2048


@cache
def weights(scale: int) -> tuple[tuple[int, tuple[int, int, int, int]], ...]:
    """For each of the `scale` output pixels that lie in an input pixel i: (offset, weights in 2048ths).

    The weights belong to the inputs i + offset - 1 .. i + offset + 2. They are Keys's with a = -1/2, as
    docs/runtime.md states them.
    """
    return tuple(_phase(2 * place + 1 - scale, 2 * scale) for place in range(scale))


def _phase(position: int, whole: int) -> tuple[int, tuple[int, int, int, int]]:
    """Of an output at `position` / `whole` input pixels from the middle of i."""
    offset, m = divmod(position, whole)
    d = whole
    exact = (
        -(m**3) + 2 * m**2 * d - m * d**2,
        3 * m**3 - 5 * m**2 * d + 2 * d**3,
        -3 * m**3 + 4 * m**2 * d + m * d**2,
        m**3 - m**2 * d,
    )
    rounded = [(_ONE * n + d**3) // (2 * d**3) for n in exact]
    rounded[1 if 2 * m < d else 2] += _ONE - sum(rounded)
    first, second, third, last = rounded
    return offset, (first, second, third, last)


def enlarge(square: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """uint8 (height, width, channels) to uint8 (height * scale, width * scale, channels), 1 <= scale <= 8.

    Beyond its border a picture continues with its outermost pixels.
    """
    height, width, channels = square.shape
    # No rounding between the axes, so their order does not matter; this one keeps the long rows together.
    padded = np.concatenate((square[:1], square[:1], square, square[-1:], square[-1:])).astype(np.int32)
    parts = np.empty((height, scale, width, channels), np.int32)
    for place, (start, factors) in enumerate(_taps(scale)):
        parts[:, place] = _sum([padded[start + k : start + k + height] for k in range(4)], factors)
    tall = parts.reshape(height * scale, width, channels)
    padded = np.concatenate((tall[:, :1], tall[:, :1], tall, tall[:, -1:], tall[:, -1:]), axis=1)
    result = np.empty((height * scale, width, scale, channels), np.uint8)
    for place, (start, factors) in enumerate(_taps(scale)):
        total = _sum([padded[:, start + k : start + k + width] for k in range(4)], factors)
        total += 1 << (_SHIFT - 1)
        total >>= _SHIFT
        result[:, :, place] = np.clip(total, 0, 255, out=total)
    return result.reshape(height * scale, width * scale, channels)


def _taps(scale: int) -> list[tuple[int, tuple[int, int, int, int]]]:
    """The weights with the place of their first input where two pixels are padded in front."""
    return [(offset + 1, factors) for offset, factors in weights(scale)]


def _sum(inputs: list[NDArray[np.int32]], factors: tuple[int, ...]) -> NDArray[np.int32]:
    terms = (values * np.int32(factor) for values, factor in zip(inputs, factors, strict=True) if factor)
    total = next(terms)
    for term in terms:
        total += term
    return total
