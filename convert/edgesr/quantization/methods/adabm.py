"""AdaBM's calibration in its edge form (METHODS A.4-A.6, with A.9-A.11 deciding).

Ranges are running extremes, since a moving average clips the outliers that the worst pictures are made
of (A.11), and reach what the same pictures in stronger colours need; bit-aware clipping is an explicit
step and looks behind activations; weight scales are found per output channel on the grid that the
container really uses; channels are equalized by the noise predicted at the output. The layer map and the
thresholds of the image map are AdaBM's: kept in the plan to compare with, for a program routes by thresholds
of its own (`steps.routing`) and its containers come from the search.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from edgesr_runtime.complexity import complexity

from ...graph.graph import Graph, Node
from ...graph.ops import Conv2d
from ..clipping import clip_before_activations
from ..containers import WEIGHT_BITS, containers
from ..equalize import Tensors, channel_scales, equalized
from ..maps import image_thresholds, layer_map
from ..noise import NoiseGains, dynamic_noise, predicted_noise, typical_gains
from ..plan import Plan, Provenance, Range
from ..rounding import round_weights
from ..statistics import BATCH, CalibrationTiles, Statistics, collect, settle
from ..weights import omse_scales


@dataclass(frozen=True)
class Levers:
    """Steps that can be left out, so that it can be measured what each is worth.

    Attributes:
        vivid: ranges reach what stronger colours need.
        clip: bit-aware clipping behind activations.
        equalize: channel scales.
        pass_on: weights are rounded so that their errors cancel, not each to the nearest level.
        correct_bias: biases take back the mean of what rounded weights change.
    """

    vivid: bool = True
    clip: bool = True
    equalize: bool = True
    pass_on: bool = True
    correct_bias: bool = True


def adabm(graph: Graph, tiles: CalibrationTiles, body_bits: int, levers: Levers = Levers()) -> Plan:
    """A plan with every node quantized; see the module's docstring."""
    statistics = collect(graph, tiles)
    if levers.vivid:
        statistics = statistics.reaching(collect(graph, tiles.vivid()))
    gains = typical_gains(graph, tiles)
    chosen = containers(graph, body_bits)
    bits = {name: WEIGHT_BITS[container] for name, container in chosen.items()}
    tensors = _tensors(graph, statistics, gains, tiles)
    scales = channel_scales(graph, tensors, bits) if levers.equalize else {}
    even = equalized(graph, scales)
    ranges = {node.name: _equalized_range(statistics, node.name, scales) for node in graph}
    if levers.clip:
        ranges |= clip_before_activations(even, ranges, tiles)
    steps = {node.name: omse_scales(_conv(node).weight, bits[node.name]) for node in even.convs}
    rounded = round_weights(even, steps, bits, tiles, levers.pass_on)
    corrections = {name: tuple(result.correction.tolist()) for name, result in rounded.items()}
    plan = Plan(
        ranges=settle(even, ranges, tiles.pixel_range),
        weight_scales={name: tuple(values.tolist()) for name, values in steps.items()},
        weight_levels={name: result.levels.tobytes() for name, result in rounded.items()},
        bias_corrections=corrections if levers.correct_bias else {},
        channel_scales=scales,
        containers=chosen,
        layer_map=layer_map({c.name: float(statistics.spread[c.inputs[0]].mean()) for c in graph.convs}),
        thresholds=image_thresholds(_detail(tiles), BATCH),
        provenance=Provenance("adabm", len(tiles.pixels), tiles.fingerprint, tiles.seed),
    )
    noise = {name: result.noise for name, result in rounded.items()}
    grids = {name: result.dynamic_step for name, result in rounded.items()}
    return replace(
        plan,
        sensitivity=predicted_noise(graph, plan, gains, noise),
        dynamic_sensitivity=dynamic_noise(graph, plan, gains, noise, grids),
    )


def _tensors(graph: Graph, statistics: Statistics, gains: NoiseGains, tiles: CalibrationTiles) -> Tensors:
    """Per-channel extremes, cut to what bit-aware clipping leaves of the tensor."""
    extremes = {node.name: statistics.extremes(node.name) for node in graph}
    bounds = {name: (float(low.min()), float(high.max())) for name, (low, high) in extremes.items()}
    bounds |= clip_before_activations(graph, bounds, tiles)
    low = {name: np.maximum(pair[0], bounds[name][0]) for name, pair in extremes.items()}
    high = {name: np.minimum(pair[1], bounds[name][1]) for name, pair in extremes.items()}
    return Tensors(low, high, statistics.variance, gains.values)


def _equalized_range(statistics: Statistics, name: str, scales: dict[str, tuple[float, ...]]) -> Range:
    low, high = statistics.extremes(name)
    divisor = np.asarray(scales.get(name, 1.0))
    return float((low / divisor).min()), float((high / divisor).max())


def _conv(node: Node) -> Conv2d:
    assert isinstance(node.op, Conv2d)
    return node.op


def _detail(tiles: CalibrationTiles) -> list[float]:
    """Complexity of each tile, as the image map sees it."""
    levels = (tiles.pixels * (255 / tiles.pixel_range)).round().to(torch.uint8)
    return [complexity(tile.permute(1, 2, 0).numpy()) for tile in levels]
