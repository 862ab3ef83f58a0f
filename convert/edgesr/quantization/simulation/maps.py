"""Which layers and which pictures get a bit more or less: AdaBM's two maps (METHODS A.4, A.6).

The width of layer k for picture i is base + image map(i) + layer map(k), each of the two -1, 0 or +1, kept
within 2 to 8 bits. Both maps are hard rules with the gradient of a hyperbolic tangent.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from .observation import BATCH, moving_average
from .quantizers import BITS, straight_through

LAYER_PERCENTILES = (30, 70)
IMAGE_QUANTILES = (0.1, 0.9)


def layer_map(spreads: Mapping[str, float]) -> dict[str, int]:
    """-1 below the 30th percentile of the layers' spreads, +1 above the 70th (METHODS A.4)."""
    if not spreads:
        return {}
    low, high = np.percentile(list(spreads.values()), LAYER_PERCENTILES)
    return {name: int(value > high) - int(value < low) for name, value in spreads.items()}


def image_thresholds(detail: Sequence[float] | Tensor) -> tuple[float, float] | None:
    """Moving averages of the 10 % and 90 % quantiles of the batches' detail (METHODS A.4.4).

    None where they coincide (one picture, or all alike): the image map is then off (METHODS A.11).
    """
    values = np.asarray(detail, np.float64)
    parts = [values[start : start + BATCH] for start in range(0, len(values), BATCH)]
    quantiles = np.array([np.quantile(part, IMAGE_QUANTILES) for part in parts])
    low, high = (moving_average(column) for column in quantiles.T)
    return (low, high) if high > low else None


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
