"""AdaBM (CVPR 2024) as its scripts run it: METHODS A.2 to A.8, with the cases of A.10 and A.11 decided.

Static ranges from one float pass, a bit more or less for each layer by its spread and for each picture by its
detail, bit-aware clipping, then fine-tuning of bounds and maps. `docs/simulation.md` lists every decision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...graph.graph import Graph
from ..maps import image_thresholds, layer_map
from . import observation
from .crops import Crops
from .forward import Rounded, Rounding, forward
from .layer import Layer
from .maps import image_shift, layer_shift
from .observation import apart, observe, opened
from .roles import Roles, roles
from .rules import PUBLISHED, Rule
from .search import clipped
from .simulated import Settings, Simulated, Stages
from .sites import constant_inputs, counted, sites
from .tuning import BATCH, Epoch, Group, Student, tune

SMALLEST = 1e-6  # of a bound
RATES = {"u_w": 0.01, "range": 0.01, "m": 0.01, "thresholds": 0.1}
"""Learning rates (METHODS A.7); those of u_w and of the range are relative to the bound and to its width."""


@dataclass(frozen=True)
class Parts:
    """Steps that can be left out, so that it can be measured what each is worth."""

    image_map: bool = True
    layer_map: bool = True
    clip: bool = True


@dataclass(frozen=True)
class Network:
    """AdaBM's state.

    Attributes:
        layers: in the order of execution.
        thresholds: of the image map; None where it is off.
    """

    graph: Graph
    roles: Roles
    layers: tuple[Layer, ...]
    thresholds: tuple[Tensor, Tensor] | None
    warnings: tuple[str, ...]

    @property
    def simulated(self) -> Simulated:
        names = counted([layer.site for layer in self.layers])
        return Simulated(self.graph, self._roundings, names, self._details, self.warnings)

    def _roundings(self, pixels: Tensor, detail: Tensor) -> dict[str, Rounding]:
        image = self._image(detail)
        return {layer.site.name: layer.rounding(image) for layer in self.layers}

    def _image(self, detail: Tensor) -> Tensor:
        """b_I of pictures by their detail."""
        return torch.zeros_like(detail) if self.thresholds is None else image_shift(detail, *self.thresholds)

    def _details(self) -> dict[str, Any]:
        bounds = None if self.thresholds is None else [float(bound) for bound in self.thresholds]
        adaptive = [(layer.site.name, layer.shift) for layer in self.layers]
        shifts = {name: int(layer_shift(shift)) for name, shift in adaptive if shift is not None}
        return {"image_thresholds": bounds, "layer_map": shifts}

    def clip(self, crops: Crops) -> None:
        """Bit-aware clipping of the adaptive layers in order, each on rounded inputs (METHODS A.5)."""
        still = torch.zeros(len(crops))
        roundings = {
            layer.site.name: layer.rounding(still) if layer.shift is None else _clipping(layer, still)
            for layer in self.layers
        }
        with torch.inference_mode():
            forward(self.graph, roundings, crops.pixels)

    def groups(self) -> tuple[Group, ...]:
        """What is trained, in the order of the epochs (METHODS A.7)."""
        weights = tuple(((layer.bound,), RATES["u_w"] * float(layer.bound)) for layer in self.layers)
        ranges = tuple(
            ((layer.low, layer.high), RATES["range"] * float(layer.high - layer.low)) for layer in self.layers
        )
        shifts = tuple(layer.shift for layer in self.layers if layer.shift is not None)
        maps = ((shifts, RATES["m"]), (self.thresholds or (), RATES["thresholds"]))
        return Group("w", weights), Group("a", ranges), Group("m", maps, narrows=True)

    def settle(self) -> None:
        """Keeps bounds in order: a rule whose thresholds have crossed would never say 0 (METHODS A.10)."""
        for layer in self.layers:
            layer.bound.clamp_(min=SMALLEST)
            layer.high.clamp_(min=apart(float(layer.low)))
        if self.thresholds is not None:
            low, high = self.thresholds
            high.clamp_(min=apart(float(low)))


def _clipping(layer: Layer, still: Tensor) -> Rounding:
    """The layer's rounding, its range clipped for the first values that come."""
    plain = layer.rounding(still)
    bits = int(layer.bits(still)[0])

    def clip_and_round(x: Tensor) -> Rounded:
        low, high = opened(clipped(x, (float(layer.low), float(layer.high)), bits))
        layer.low.fill_(low)
        layer.high.fill_(high)
        return plain.inputs[0](x)

    return Rounding((clip_and_round,), plain.weight, plain.weight_bits)


def adabm(
    graph: Graph,
    crops: Crops,
    settings: Settings,
    stages: Stages,
    parts: Parts = Parts(),
    start: Rule = PUBLISHED,
) -> Simulated:
    """AdaBM's network after calibration, clipping and tuning."""
    network = calibrated(graph, crops, settings, stages, parts, start)
    if settings.epochs:
        for _ in tuning(network, crops, settings, stages("tune", settings.epochs * settings.iterations)):
            pass
    return network.simulated


def calibrated(
    graph: Graph,
    crops: Crops,
    settings: Settings,
    stages: Stages,
    parts: Parts = Parts(),
    start: Rule = PUBLISHED,
) -> Network:
    """Ranges, maps and bit-aware clipping (METHODS A.4, A.5), before any tuning."""
    found = roles(graph)
    chosen = sites(graph, found, settings)
    seen = observe(graph, (site.source for site in chosen), crops, stages("calibrate", None))
    spreads = {site.name: float(seen[site.source].spread.mean()) for site in chosen if site.adaptive}
    shifts = layer_map(spreads) if parts.layer_map else dict.fromkeys(spreads, 0)
    layers = tuple(
        Layer.of(
            site,
            start.weights(site.weight, site.weight_bits),
            start.activations(seen[site.source], site.bits),
            shifts.get(site.name),
        )
        for site in chosen
    )
    bounds = image_thresholds(crops.detail.tolist(), observation.BATCH) if parts.image_map else None
    thresholds = None if bounds is None else (torch.tensor(bounds[0]), torch.tensor(bounds[1]))
    warnings = constant_inputs(chosen, seen)
    if parts.image_map and bounds is None:
        warnings += ("the calibration pictures are equally detailed: the image map is off",)
    network = Network(graph, found, layers, thresholds, warnings)
    if parts.clip:
        stages("clip", None)
        network.clip(crops.lively().take(slice(BATCH)))
    return network


def tuning(
    network: Network, crops: Crops, settings: Settings, progress: Callable[[], None] = lambda: None
) -> Iterator[Epoch]:
    """The fine-tuning of METHODS A.7, an epoch at a time."""
    student = Student(network.simulated, network.roles.blocks, network.groups(), network.settle)
    return tune(student, crops, settings, progress)
