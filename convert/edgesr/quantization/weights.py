"""Scales of weights: per-output-channel search for the least squared error (OMSE).

METHODS A.9.4: start from the largest magnitude of each channel, try 1.00 to 0.51 of it in steps of
0.01 on the zero-centred grid of the width that the layer will really use.
"""

import numpy as np

from .affine import weight_levels

RATIOS = 1.0 - 0.01 * np.arange(50)


def omse_scales(weight: np.ndarray, bits: int) -> np.ndarray:
    """float32 (out,) scales of a weight (out, in, kh, kw); a channel of zeros gets the largest scale."""
    limit = weight_levels(bits)
    rows = weight.reshape(weight.shape[0], -1).astype(np.float64)
    peak = np.abs(rows).max(axis=1)
    best = np.full(len(rows), np.inf)
    scales = np.zeros(len(rows))
    for ratio in RATIOS:
        candidate = np.where(peak > 0, ratio * peak / limit, 1.0).astype(np.float32).astype(np.float64)
        levels = np.clip(np.rint(rows / candidate[:, None]), -limit, limit)
        error = ((levels * candidate[:, None] - rows) ** 2).sum(axis=1)
        better = error < best
        best[better], scales[better] = error[better], candidate[better]
    scales[peak == 0] = scales[peak > 0].max(initial=0.0) or 1.0
    return scales.astype(np.float32)


def max_scales(weight: np.ndarray, bits: int) -> np.ndarray:
    """float32 (out,) scales that clip nothing: the largest magnitude on the highest level."""
    peak = np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1)
    scales = peak / weight_levels(bits)
    scales[peak == 0] = scales.max() or 1.0
    return scales.astype(np.float32)
