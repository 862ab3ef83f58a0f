"""Rounding weights so that each convolution's result, not each weight, stays close.

Errors of weights that read correlated inputs can cancel. So the levels of a convolution are chosen one
column after the other, each error passed on to the columns not yet rounded (GPTQ, Frantar et al., ICLR 2023,
columns in the order of falling input energy), against the second moments of its input on the calibration
tiles. The bias takes back what the mean of the input makes of the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..graph.execute import run, tensor
from ..graph.graph import Graph, Node
from ..graph.ops import Conv2d
from .affine import weight_levels
from .dynamic import dynamic_grid, is_pointwise
from .statistics import CalibrationTiles

TILES = 16
SIDE = 64  # of each tile: all are run at once
POSITIONS = 16_000  # at which a convolution's input is looked at
COLUMNS = 640  # weights of an output channel that are solved together; wider kernels go block by block
DAMPING = 1e-3  # of the mean input energy, for directions that the tiles do not show


@dataclass(frozen=True)
class Rounding:
    """What became of one convolution.

    Attributes:
        levels: int8, in the weight's shape.
        correction: float64 (out,), to be added to the bias.
        noise: float64 (out,), variance that the rounded weights add to each channel of the result.
        dynamic_step: mean square step of a grid laid over the input at run time.
    """

    levels: np.ndarray
    correction: np.ndarray
    noise: np.ndarray
    dynamic_step: float


def round_weights(
    graph: Graph,
    scales: Mapping[str, np.ndarray],
    bits: Mapping[str, int],
    tiles: CalibrationTiles,
    pass_on: bool = True,
) -> dict[str, Rounding]:
    """Levels of every convolution.

    Args:
        scales: convolution -> float32 (out,), the value of one level.
        bits: convolution -> width of its weights.
        pass_on: False rounds each weight to the nearest level.
    """
    results: dict[str, Rounding] = {}

    def observe(node: Node, value: Tensor) -> Tensor:
        for user in graph.users[node.name]:
            if isinstance(user.op, Conv2d):
                results[user.name] = _rounded(user.op, value, scales[user.name], bits[user.name], pass_on)
        return value

    stride = max(1, len(tiles.pixels) // TILES)
    with torch.inference_mode():
        run(graph, tiles.pixels[::stride, :, :SIDE, :SIDE][:TILES], hook=observe)
    return results


def _rounded(op: Conv2d, x: Tensor, scales: np.ndarray, bits: int, pass_on: bool) -> Rounding:
    levels = np.empty(op.weight.shape, np.int8)
    correction, noise = np.zeros(len(op.bias)), np.zeros(len(op.bias))
    outputs, inputs = op.weight.shape[0] // op.groups, op.weight.shape[1]
    for group in range(op.groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        source = _patches(op, x[:, group * inputs : (group + 1) * inputs])
        weight = tensor(op.weight[rows]).flatten(1).double()
        mean = source.mean(0)
        chosen, noise[rows] = _chosen(weight, source - mean, tensor(scales[rows]).double(), bits, pass_on)
        error = chosen * tensor(scales[rows]).double()[:, None] - weight
        levels[rows] = chosen.to(torch.int8).numpy().reshape(levels[rows].shape)
        correction[rows] = -(error @ mean.double()).numpy()
    step = dynamic_grid(x, is_pointwise(op)).scale.double().square().mean()
    return Rounding(levels, correction, noise, float(step))


def _patches(op: Conv2d, x: Tensor) -> Tensor:
    """What the kernel reads at evenly spaced places of its result: (places, in / groups * taps)."""
    p = op.padding
    padded = functional.pad(x, (p.left, p.right, p.top, p.bottom))
    sizes = zip(padded.shape[2:], op.weight.shape[2:], op.stride, op.dilation, strict=True)
    height, width = ((size - dilation * (taps - 1) - 1) // step + 1 for size, taps, step, dilation in sizes)
    total = len(x) * height * width
    index = torch.linspace(0, total - 1, min(POSITIONS, total), dtype=torch.float64).long()
    picture, row, column = index // (height * width), index // width % height, index % width
    columns_last = padded.permute(0, 2, 3, 1).contiguous()  # a place's channels lie together
    read = [
        columns_last[
            picture, row * op.stride[0] + i * op.dilation[0], column * op.stride[1] + j * op.dilation[1]
        ]
        for i, j in np.ndindex(*op.weight.shape[2:])
    ]
    return torch.stack(read, dim=2).flatten(1)


def _chosen(
    weight: Tensor, source: Tensor, scales: Tensor, bits: int, pass_on: bool
) -> tuple[Tensor, np.ndarray]:
    """Levels (rows, columns), and the variance that rounding to them adds to each row's result."""
    limit = weight_levels(bits)
    levels, noise = (weight / scales[:, None]).round_().clamp_(-limit, limit), np.zeros(len(weight))
    for start in range(0, weight.shape[1], COLUMNS):
        block = slice(start, start + COLUMNS)
        part = source[:, block]
        moments = (part.T @ part).double() / len(part)
        if pass_on:
            levels[:, block] = _pass_errors_on(weight[:, block], moments, scales, limit)
        error = levels[:, block] * scales[:, None] - weight[:, block]
        noise += ((error @ moments) * error).sum(1).numpy()
    return levels, noise


def _pass_errors_on(weight: Tensor, moments: Tensor, scales: Tensor, limit: int) -> Tensor:
    """Levels of (rows, columns) by GPTQ: each column's rounding error is made up for by later columns."""
    damping = DAMPING * moments.diagonal().mean().clamp_min(1e-30)
    order = moments.diagonal().argsort(descending=True, stable=True)
    damped = moments[order][:, order] + damping * torch.eye(len(order), dtype=moments.dtype)
    upper = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    left = weight[:, order].T.contiguous()  # one row per column of the weight, so that updates run on rows
    levels = torch.empty_like(left)
    for column in range(len(left)):
        levels[column] = (left[column] / scales).round_().clamp_(-limit, limit)
        error = (left[column] - levels[column] * scales) / upper[column, column]
        left[column + 1 :].addr_(upper[column, column + 1 :], error, alpha=-1)
    result = torch.empty_like(weight)
    result[:, order] = levels.T
    return result
