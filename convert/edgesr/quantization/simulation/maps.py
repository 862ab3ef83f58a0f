"""AdaBM's two maps at work, and trained (METHODS A.6); `quantization.maps` finds where they begin.

The width of layer k for picture i is base + image map(i) + layer map(k), each of the two -1, 0 or +1, kept
within 2 to 8 bits. Both maps are hard rules with the gradient of a hyperbolic tangent.
"""

import torch
from torch import Tensor

from .quantizers import BITS, straight_through


def image_shift(detail: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """b_I of each picture, (N,): -1 below low, +1 above high (METHODS A.6)."""
    hard = (detail > high).float() - (detail < low).float()
    return straight_through(hard, torch.tanh(2 * (detail - (low + high) / 2) / (high - low)))


def layer_shift(value: Tensor) -> Tensor:
    """b_L of a trained m_k: rounded after clipping to -1..1, ties to even (METHODS A.6)."""
    return straight_through(value.clamp(-1, 1).round(), torch.tanh(value))


def width(base: int, *shifts: Tensor) -> Tensor:
    """The sum, within 2 to 8 bits (METHODS A.11)."""
    return sum(shifts, torch.tensor(float(base))).clamp(BITS[0], BITS[-1])
