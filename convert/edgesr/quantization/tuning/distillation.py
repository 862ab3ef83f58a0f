"""What the student learns from: crops of the calibration tiles, and the float network's results on them.

Distillation needs no originals (METHODS A.7). Features are the inner sums and products, which make up the
residual stream.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ...graph import ops
from ...graph.execute import run
from ...graph.graph import Graph

TINY = 1e-6  # keeps the relative distance of values that are all zero finite
MIXED = 4  # one crop of so many has its colours exchanged
AXES = (2, 3)  # height and width


def random_crops(pixels: Tensor, count: int, side: int, generator: torch.Generator) -> Tensor:
    """float32 (count, 3, side, side): places, flips, turns and orders of colours drawn anew each time.

    Tiles smaller than `side` are used whole.
    """
    height, width = (min(side, size) for size in pixels.shape[2:])

    def draw(limit: int) -> int:
        return int(torch.randint(limit, (), generator=generator))

    def crop() -> Tensor:
        tile = draw(len(pixels))
        top, left = draw(pixels.shape[2] + 1 - height), draw(pixels.shape[3] + 1 - width)
        part = pixels[tile : tile + 1, :, top : top + height, left : left + width]
        part = part.flip([axis for axis in AXES if draw(2)])
        part = part.transpose(*AXES) if draw(2) and height == width else part
        return part[:, torch.randperm(part.shape[1], generator=generator)] if draw(MIXED) == 0 else part

    return torch.cat([crop() for _ in range(count)]).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Teacher:
    """The float network, and what of it the student is held to."""

    graph: Graph
    white: int

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Inner nodes that the student is held to."""
        sums = (node.name for node in self.graph if isinstance(node.op, ops.Add | ops.Mul))
        return tuple(name for name in sums if name != self.graph.output)

    def values(self, images: Tensor) -> dict[str, Tensor]:
        """Values of the features and, cut to the pixel range, of the output."""
        with torch.no_grad():
            values = run(self.graph, images, keep=self.features)
        values[self.graph.output] = values[self.graph.output].clamp(0, self.white)
        return values
