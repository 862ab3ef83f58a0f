"""Ranges with the least squared error: of weights, of activations, and bit-aware clipping on top."""

from collections.abc import Callable

import torch
from torch import Tensor

from .observation import Range, subsample
from .quantizers import quantize_activation, quantize_weight

WEIGHT_FACTORS = tuple(1 - 0.01 * i for i in range(50))  # METHODS A.4.2
CLIP_FACTORS = tuple(1 - 0.01 * i for i in range(100))  # METHODS A.5
CLIP_SHARE = 0.5  # of the way from the old range to the best one
SAMPLES = 2**17  # values of a tensor that the clipping looks at


def weight_bound(weight: Tensor, bits: int) -> float:
    """The bound u_w of a layer's weights with the least squared error: 0.51 to 1 times the largest."""
    largest = float(weight.abs().max()) or 1.0
    return largest * _best(
        weight, WEIGHT_FACTORS, lambda w, f: quantize_weight(w, torch.tensor(f * largest), bits)
    )


def clip_factor(values: Tensor, bounds: Range, bits: int) -> float:
    """The factor on both bounds with the least squared error (METHODS A.5)."""
    low, high = bounds
    sample = subsample(values, SAMPLES)
    return _best(sample, CLIP_FACTORS, lambda x, f: quantize_activation(x, f * low, f * high, bits))


def clipped(values: Tensor, bounds: Range, bits: int) -> Range:
    """Bit-aware clipping: half the way to the best factor, which keeps where zero lies (METHODS A.5)."""
    factor = 1 - CLIP_SHARE * (1 - clip_factor(values, bounds, bits))
    return factor * bounds[0], factor * bounds[1]


def _best(values: Tensor, factors: tuple[float, ...], quantize: Callable[[Tensor, float], Tensor]) -> float:
    """The first of the factors with the least squared error."""
    with torch.no_grad():
        return min(factors, key=lambda factor: float((values - quantize(values, factor)).square().sum()))
