"""Where ranges start: one rule for what was seen of a tensor, and one for a layer's weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .observation import PERCENTILE, Observed, Range, averaged, percentiles
from .search import clip_factor, weight_bound


@dataclass(frozen=True)
class Rule:
    """How ranges are chosen.

    Attributes:
        activations: what was seen of a tensor, and its width -> its range.
        weights: a layer's weights, and their width -> their bound.
    """

    activations: Callable[[Observed, int], Range]
    weights: Callable[[Tensor, int], float]


def largest_weight(weight: Tensor, bits: int) -> float:
    """The largest magnitude; 1 where all weights are 0."""
    return float(weight.abs().max()) or 1.0


def weight_percentile(weight: Tensor, bits: int) -> float:
    """99 % of the magnitudes lie below; the largest one where that is 0."""
    return float(np.percentile(weight.abs().numpy(), PERCENTILE)) or largest_weight(weight, bits)


def least_error(seen: Observed, bits: int) -> Range:
    """The extremes, times what loses least on values of all batches (the search of METHODS A.5)."""
    low, high = seen.extremes
    factor = clip_factor(torch.cat(seen.samples), seen.extremes, bits)
    return factor * low, factor * high


EXTREMES = Rule(lambda seen, bits: seen.extremes, largest_weight)
PERCENTILES = Rule(lambda seen, bits: percentiles(seen), weight_percentile)
LEAST_ERROR = Rule(least_error, weight_bound)
PUBLISHED = Rule(lambda seen, bits: averaged(seen), weight_bound)
"""AdaBM's, as its scripts set it (METHODS A.4)."""
