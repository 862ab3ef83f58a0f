"""What a method makes of a float network, and the one place that knows how to run and to count it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...graph.graph import Graph
from ...graph.shapes import shapes
from .forward import FLOAT_BITS, Forward, Rounding, forward

Roundings = Callable[[Tensor, Tensor], Mapping[str, Rounding]]
"""(pixels (N,3,H,W), detail (N,)) -> rounding by node; a method may look at the pictures, or at neither."""

Stages = Callable[[str, int | None], Callable[[], None]]
"""Begins a stage: its name and number of steps (None if not known) -> what to call after each step."""


def no_details() -> dict[str, Any]:
    """Of methods that have nothing to tell."""
    return {}


@dataclass(frozen=True)
class Settings:
    """What to simulate.

    Attributes:
        weight_bits, activation_bits: base widths of the body, 2 to 8.
        fully_quantized: head and tail too, at 8 bits, and the convolution after the body (METHODS A.3).
        epochs, iterations: of tuning: so many epochs of so many steps; no epochs, no tuning.
    """

    weight_bits: int
    activation_bits: int
    fully_quantized: bool = False
    epochs: int = 0
    iterations: int = 0


@dataclass(frozen=True)
class Simulated:
    """A network with simulated quantization; no program comes of it.

    Attributes:
        graph: the float network.
        roundings: what is rounded for a batch of pictures, and how.
        counted: the convolutions over which average widths are taken.
        details: what the method has found, for JSON.
        warnings: a line each.
    """

    graph: Graph
    roundings: Roundings
    counted: tuple[str, ...]
    details: Callable[[], dict[str, Any]] = no_details
    warnings: tuple[str, ...] = ()

    def run(self, pixels: Tensor, detail: Tensor, keep: tuple[str, ...] = ()) -> Forward:
        """The simulated network on a batch in its pixel range; differentiable where the method is."""
        return forward(self.graph, self.roundings(pixels, detail), pixels, keep)

    def average_bits(self, result: Forward) -> Tensor:
        """Average activation width of each picture, (N,); FAB is its mean over pictures (METHODS F.5)."""
        return torch.stack([result.bits[name] for name in self.counted]).mean(0)


def bit_operations(graph: Graph, height: int, width: int, result: Forward | None = None) -> float:
    """BitOPs of one picture: the sum of multiplications x activation width x weight width (METHODS F.5).

    Every convolution counts, the float ones as 32 x 32.

    Args:
        height, width: of the low-resolution picture.
        result: of a batch of this one picture; None counts the float network.
    """
    sizes = shapes(graph, height, width)
    bits = {name: float(values[0]) for name, values in result.bits.items()} if result else {}
    weight_bits = result.weight_bits if result else {}
    total = 0.0
    for node in graph.convs:
        _, rows, columns = sizes[node.name]
        widths = bits.get(node.name, FLOAT_BITS) * weight_bits.get(node.name, FLOAT_BITS)
        total += node.op.weight.size * rows * columns * widths
    return total
