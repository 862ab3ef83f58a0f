"""Affine int8 arithmetic: ranges to scale and zero point, rounding and fake quantization.

One place for the rules that the integer reference, calibration and every target share:
int8 activations with one scale and zero point per tensor, ranges that contain zero and sit on the grid
(METHODS A.9.1), symmetric per-channel weights on a zero-centred grid (A.9.4).
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

INT8_MIN, INT8_MAX = -128, 127
LEVELS = INT8_MAX - INT8_MIN  # steps between the lowest and the highest value


@dataclass(frozen=True)
class QParams:
    """real = scale * (q - zero_point); scale is rounded to float32, zero_point lies within int8.

    Raises:
        ValueError: if the scale is not finite and positive or the zero point is outside int8: the
            runtimes do not check, and crash.
    """

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", float(np.float32(self.scale)))
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale {self.scale} is not a positive finite number")
        if not INT8_MIN <= self.zero_point <= INT8_MAX:
            raise ValueError(f"zero point {self.zero_point} is outside int8")

    @property
    def low(self) -> float:
        """Real value of the lowest level."""
        return self.scale * (INT8_MIN - self.zero_point)

    @property
    def high(self) -> float:
        """Real value of the highest level."""
        return self.scale * (INT8_MAX - self.zero_point)


def qparams(low: float, high: float) -> QParams:
    """Scale and zero point whose grid covers [low, high], extended to contain zero and nudged.

    A dead tensor (low == high) gets a tiny range instead of a division by zero (METHODS A.11).
    """
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    smallest = max(1e-6, 1e-5 * max(abs(low), abs(high)))
    if high - low < smallest:
        high = low + smallest
    scale = np.float32((high - low) / LEVELS)
    zero_point = int(np.clip(np.rint(INT8_MIN - low / float(scale)), INT8_MIN, INT8_MAX))
    return QParams(float(scale), zero_point)


def fake_quantize(x: Tensor, q: QParams) -> Tensor:
    """x rounded to the grid (ties to even) and clipped to it, in float."""
    levels = (x / q.scale).round_().add_(q.zero_point).clamp_(INT8_MIN, INT8_MAX)
    return levels.sub_(q.zero_point).mul_(q.scale)


def weight_levels(bits: int) -> int:
    """Largest magnitude on the zero-centred weight grid: 127 at 8 bits, 7 at 4."""
    return 2 ** (bits - 1) - 1


def quantize_weight(weight: np.ndarray, scales: np.ndarray, bits: int) -> np.ndarray:
    """int8 weights of shape (out, ...) on the grid of each output channel."""
    limit = weight_levels(bits)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    return np.clip(np.rint(weight / scales.reshape(shape)), -limit, limit).astype(np.int8)
