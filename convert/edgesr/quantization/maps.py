"""AdaBM's two maps as calibration finds them (METHODS A.4, A.6): which layers, and which pictures, deserve a
bit more or less than the others.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LAYER_PERCENTILES = (30, 70)
IMAGE_QUANTILES = (0.1, 0.9)
DECAY = 0.9  # of the moving averages over batches


def layer_map(spreads: Mapping[str, float]) -> dict[str, int]:
    """b_L: -1 below the 30th percentile of the layers' spreads, +1 above the 70th, else 0 (METHODS A.4)."""
    if not spreads:
        return {}
    low, high = np.percentile(list(spreads.values()), LAYER_PERCENTILES)
    return {name: int(value > high) - int(value < low) for name, value in spreads.items()}


def image_thresholds(detail: Sequence[float], batch: int) -> tuple[float, float] | None:
    """l_I and u_I: moving averages of the 10 % and 90 % quantiles of the batches' detail (METHODS A.4.4).

    None where they coincide (one picture, or all alike): the image map is then off (METHODS A.11).
    """
    parts = [np.asarray(detail[start : start + batch]) for start in range(0, len(detail), batch)]
    quantiles = np.array([np.quantile(part, IMAGE_QUANTILES) for part in parts])
    low, high = (moving_average(column) for column in quantiles.T)
    return (low, high) if high > low else None


def moving_average(values: NDArray[np.float64], decay: float = DECAY) -> float:
    """Exponential average that starts at its first value."""
    average = values[0]
    for value in values[1:]:
        average = decay * average + (1 - decay) * value
    return float(average)
