"""Small float graphs and plans that the tests of this room share."""

import numpy as np
import torch
from torch import Tensor

from edgesr.graph import ops
from edgesr.graph.execute import run
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.quantization.plan import Container, Plan
from edgesr.quantization.weights import max_scales

SAME = ops.Padding(1, 1, 1, 1)


def conv(seed: int, inputs: int, outputs: int, kernel: int = 3, relu: bool = False) -> ops.Conv2d:
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(outputs, inputs, kernel, kernel)).astype(np.float32) / kernel
    bias = generator.normal(size=outputs).astype(np.float32) / 10
    edge = kernel // 2
    return ops.Conv2d(weight, bias, padding=ops.Padding(edge, edge, edge, edge), relu=relu)


def diagonal(*factors: float) -> ops.Conv2d:
    """A 1x1 convolution that multiplies each channel by its factor."""
    weight = np.diag(np.asarray(factors, np.float32))[:, :, None, None]
    return ops.Conv2d(weight, np.zeros(len(factors), np.float32))


def picture_levels(count: int, side: int = 16) -> Tensor:
    """Random 8-bit pictures with white at 1."""
    drawn = torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(1))
    return drawn / 255


def graph_of(*nodes: tuple[str, ops.Op, str]) -> Graph:
    """Nodes as (name, op, "names of inputs"); the last one is the output."""
    made = [Node(name, op, tuple(inputs.split())) for name, op, inputs in nodes]
    return Graph((single_input(), *made), made[-1].name)


def residual() -> Graph:
    """Head, two body convolutions with a skip, tail and shuffle."""
    return graph_of(
        ("head", conv(0, 3, 8), "image"),
        ("a", conv(1, 8, 8, relu=True), "head"),
        ("b", conv(2, 8, 8), "a"),
        ("sum", ops.Add(), "head b"),
        ("tail", conv(3, 8, 12), "sum"),
        ("up", ops.PixelShuffle(2), "tail"),
    )


def plan_for(graph: Graph, **containers: Container) -> Plan:
    """Ranges from one random picture, and scales that clip nothing."""
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    values = run(graph, image, keep=[node.name for node in graph])
    return Plan(
        ranges={name: (float(v.min()), float(v.max())) for name, v in values.items()},
        weight_scales={n.name: tuple(max_scales(n.op.weight, 8).tolist()) for n in graph.convs},
        containers=containers,
    )


def weight_values(levels: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Real values of quantized weights (out, ...)."""
    return levels * scales.astype(np.float64).reshape(-1, *(1,) * (levels.ndim - 1))
