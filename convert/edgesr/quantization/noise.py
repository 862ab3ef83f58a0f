"""How much rounding anywhere in the network matters at its output: noise gains by back-propagation.

Rounding a tensor adds nearly white noise of variance step^2/12. Its mean square at the output is that
variance times the squared Jacobian, and one backward pass of a random sign vector v estimates the squared
Jacobian of every tensor at once, since E[(v^T J)_i^2] = sum_j J_ji^2 (Hutchinson). A few passes replace
quantizing every layer in turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.execute import run
from ..graph.graph import Graph, Node
from .affine import qparams
from .containers import STATIC, container_of
from .plan import Plan
from .quantize import quantize
from .statistics import CalibrationTiles

PROBES = 2
TILES = 8
SIDE = 64  # of each tile: back-propagation keeps every value
EDGE = "/input"


@dataclass(frozen=True)
class NoiseGains:
    """Output mean square (grey levels squared) per unit of noise variance, per channel.

    Attributes:
        values: node -> gain of noise on its value, seen by all its readers.
        reads: convolution -> gain of noise on its input, seen by it alone.
    """

    values: Mapping[str, np.ndarray]
    reads: Mapping[str, np.ndarray]


def typical_gains(graph: Graph, tiles: CalibrationTiles) -> NoiseGains:
    """Gains on evenly drawn calibration tiles."""
    stride = max(1, len(tiles.pixels) // TILES)
    return noise_gains(graph, tiles.pixels[::stride, :, :SIDE, :SIDE], tiles.pixel_range, tiles.seed)


def noise_gains(graph: Graph, pixels: Tensor, pixel_range: int, seed: int) -> NoiseGains:
    """Gains of every tensor, averaged over tiles (N,3,H,W) and random probes."""
    marked = _with_edges(graph)
    generator = torch.Generator().manual_seed(seed)
    totals: dict[str, np.ndarray] = {}
    for _ in range(PROBES):
        for batch in torch.split(pixels, 1):  # one tile: back-propagation keeps every value
            for name, gain in _probe(marked, batch, pixel_range, generator).items():
                totals[name] = totals.get(name, 0) + gain / (PROBES * len(pixels))
    reads = {n.name: totals.pop(n.name + EDGE) for n in graph.convs}
    return NoiseGains(totals, reads)


def _with_edges(graph: Graph) -> Graph:
    """The graph with an empty padding before each convolution, so that its input has its own gradient."""
    nodes: list[Node] = []
    for node in graph:
        if isinstance(node.op, ops.Conv2d):
            edge = Node(node.name + EDGE, ops.Pad(ops.Padding()), node.inputs)
            nodes += [edge, replace(node, inputs=(edge.name,))]
        else:
            nodes.append(node)
    return Graph(tuple(nodes), graph.output)


def _probe(
    graph: Graph, batch: Tensor, pixel_range: int, generator: torch.Generator
) -> dict[str, np.ndarray]:
    values: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> Tensor:
        value.retain_grad()
        values[node.name] = value
        return value

    with torch.enable_grad():
        image = batch.clone().requires_grad_(True)
        output = run(graph, image, hook=keep)[graph.output] * (255 / pixel_range)
        signs = torch.randint(0, 2, output.shape, generator=generator).to(output.dtype) * 2 - 1
        (output * signs).sum().backward()
    pixels = output[0].numel()
    return {
        n: v.grad.square().sum((0, 2, 3)).numpy() / pixels for n, v in values.items() if v.grad is not None
    }


def predicted_noise(
    graph: Graph, plan: Plan, gains: NoiseGains, weight_noise: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Node -> mean square error at the output (grey levels squared) that its rounding causes.

    A node pays for rounding its own int8 value and, if it is an int8 convolution, for its weights and for
    rounding a float input.

    Args:
        gains: of the graph before equalization.
        weight_noise: convolution -> variance that its rounded weights add to each channel of its result,
            of the equalized graph.
    """
    formats = {node.name: node.qparams for node in quantize(graph, plan)}
    noise: dict[str, float] = {}
    for node in graph:
        total = 0.0
        if formats[node.name] is not None and not isinstance(node.op, ops.PASS_THROUGH):
            total += rounding_noise(plan, node.name, gains.values[node.name])
        if isinstance(node.op, ops.Conv2d) and container_of(node, plan) in STATIC:
            total += _scaled(plan, node.name, weight_noise[node.name], gains.values[node.name])
            if formats[node.inputs[0]] is None and not _is_exact(graph, node.inputs[0]):
                total += rounding_noise(plan, node.inputs[0], gains.reads[node.name])
        noise[node.name] = total
    return noise


def dynamic_noise(
    graph: Graph,
    plan: Plan,
    gains: NoiseGains,
    weight_noise: Mapping[str, np.ndarray],
    steps: Mapping[str, float],
) -> dict[str, float]:
    """Convolution -> mean square error at the output if it were `w8a8-dynamic`: of its input and weights.

    Args:
        gains, weight_noise: as for `predicted_noise`.
        steps: convolution -> mean square step of the grid laid over its input, of the equalized graph.
    """
    return {
        node.name: _scaled(plan, node.name, weight_noise[node.name], gains.values[node.name])
        + _scaled(plan, node.inputs[0], steps[node.name] / 12, gains.reads[node.name])
        for node in graph.convs
    }


def _is_exact(graph: Graph, name: str) -> bool:
    """8-bit pictures lie on the grid of the input."""
    return name == graph.input.name


def rounding_noise(plan: Plan, name: str, gain: np.ndarray) -> float:
    """Noise at the output from rounding one tensor to its grid."""
    return _scaled(plan, name, qparams(*plan.ranges[name]).scale ** 2 / 12, gain)


def _scaled(plan: Plan, name: str, variance: float | np.ndarray, gain: np.ndarray) -> float:
    """Noise at the output from noise on a tensor of the equalized graph."""
    return float((np.asarray(plan.channel_scales.get(name, 1.0)) ** 2 * variance * gain).sum())
