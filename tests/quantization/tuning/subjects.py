"""What the tests of this room tune: a small network, calibration tiles, and tiles that it does not see."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from edgesr.graph import ops
from edgesr.graph.graph import Graph
from edgesr.quantization.methods.minmax import minmax
from edgesr.quantization.plan import Plan
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.tuning import Settings

from ..toy import conv, graph_of

SIDE = 16
SHORT = Settings(multiplications=0, least_steps=6, side=12)


def smooth(count: int, seed: int) -> Tensor:
    """Pictures whose neighbouring pixels are alike, as 8-bit levels with white at 1."""
    noise = torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    blurred = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    return ((blurred - 0.4) * 2.5 + 0.5).clamp(0, 1).mul(255).round() / 255


def tiles(count: int = 9, seed: int = 0) -> CalibrationTiles:
    return CalibrationTiles(smooth(count, seed), 1, seed=3)


def network() -> Graph:
    """The picture, up-sampled, plus a residual through a body of three convolutions."""
    small = replace(conv(5, 8, 12), weight=conv(5, 8, 12).weight * 0.05, bias=np.zeros(12, np.float32))
    return graph_of(
        ("head", conv(0, 3, 8), "image"),
        ("a", conv(1, 8, 8), "head"),
        ("leak", ops.LeakyRelu(0.05), "a"),
        ("b", conv(2, 8, 8), "leak"),
        ("sum", ops.Add(), "b head"),
        ("c", conv(3, 8, 8, relu=True), "sum"),
        ("tail", small, "c"),
        ("copies", ops.Repeat(4), "image"),
        ("whole", ops.Add(), "tail copies"),
        ("up", ops.PixelShuffle(2), "whole"),
    )


def plan(bits: int = 4) -> Plan:
    return minmax(network(), tiles(), bits)
