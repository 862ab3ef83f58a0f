"""The static baselines: ranges found without tuning, one width everywhere, the same grids as AdaBM's.

So all that differs is the rule by which ranges are chosen.
"""

from functools import partial

import torch
from torch import Tensor

from ...graph.graph import Graph
from .crops import Crops
from .forward import Rounding
from .layer import Layer
from .observation import observe
from .roles import roles
from .rules import EXTREMES, LEAST_ERROR, PERCENTILES, Rule
from .simulated import Settings, Simulated, Stages
from .sites import constant_inputs, counted, sites


def static(rule: Rule, graph: Graph, crops: Crops, settings: Settings, stages: Stages) -> Simulated:
    """The network with the ranges of a rule."""
    found = sites(graph, roles(graph), settings)
    seen = observe(graph, (site.source for site in found), crops, stages("calibrate", None))
    layers = {
        site.name: Layer.of(
            site, rule.weights(site.weight, site.weight_bits), rule.activations(seen[site.source], site.bits)
        )
        for site in found
    }

    def roundings(pixels: Tensor, detail: Tensor) -> dict[str, Rounding]:
        still = torch.zeros_like(detail)
        return {name: layer.rounding(still) for name, layer in layers.items()}

    return Simulated(graph, roundings, counted(found), warnings=constant_inputs(found, seen))


minmax = partial(static, EXTREMES)
percentile = partial(static, PERCENTILES)
omse = partial(static, LEAST_ERROR)
