"""PAMS (ECCV 2020): symmetric quantizers with one bound for each tensor, learned if tuning is asked for.

Besides the inputs of convolutions, both terms of every residual sum are rounded (METHODS B.1). The bound
starts at what the calibration crops reach. The paper learns it together with all weights, from pairs of
pictures; here weights stay as they are, and the bounds follow the float network as AdaBM's do.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from ...graph import ops
from ...graph.graph import Graph
from ..maps import moving_average
from .crops import Crops
from .forward import Rounded, Rounding
from .observation import observe
from .quantizers import quantize_signed
from .roles import roles
from .rules import largest_weight
from .simulated import Settings, Simulated, Stages
from .sites import Site, constant_inputs, counted, sites
from .tuning import Group, Student, tune

DECAY = 0.9997  # of the moving average that the bounds start from
RATE = 0.01  # of the bounds, relative to them
SMALLEST = 1e-6


def pams(graph: Graph, crops: Crops, settings: Settings, stages: Stages) -> Simulated:
    """The network with PAMS' quantizers."""
    found = roles(graph)
    chosen = sites(graph, found, settings)
    sums = [name for name in found.blocks if isinstance(graph[name].op, ops.Add)]
    bits = {source: settings.activation_bits for name in sums for source in graph[name].inputs}
    bits |= {site.source: site.bits for site in chosen}
    seen = observe(graph, bits, crops, stages("calibrate", None))
    bounds = {name: torch.tensor(moving_average(seen[name].largest, DECAY) or SMALLEST) for name in bits}
    fixed = {
        **{
            name: Rounding(tuple(_quantizer(bounds[n], bits[n]) for n in graph[name].inputs)) for name in sums
        },
        **{site.name: _convolution(site, bounds[site.source]) for site in chosen},
    }
    simulated = Simulated(
        graph, lambda pixels, detail: fixed, counted(chosen), warnings=constant_inputs(chosen, seen)
    )
    if settings.epochs:
        advance = stages("tune", settings.epochs * settings.iterations)
        learned = Group("a", tuple(((bound,), RATE * float(bound)) for bound in bounds.values()))
        student = Student(simulated, found.blocks, (learned,), partial(_settle, bounds))
        for _ in tune(student, crops, settings, advance):
            pass
    return simulated


def _quantizer(bound: Tensor, bits: int) -> partial[Rounded]:
    return partial(_round, bound=bound, bits=bits)


def _round(x: Tensor, bound: Tensor, bits: int) -> Rounded:
    return Rounded(quantize_signed(x, bound, bits), torch.full((len(x),), float(bits)))


def _convolution(site: Site, bound: Tensor) -> Rounding:
    weight = quantize_signed(site.weight, largest_weight(site.weight, site.weight_bits), site.weight_bits)
    return Rounding((_quantizer(bound, site.bits),), weight, site.weight_bits)


def _settle(bounds: Mapping[str, Tensor]) -> None:
    for bound in bounds.values():
        bound.clamp_(min=SMALLEST)
