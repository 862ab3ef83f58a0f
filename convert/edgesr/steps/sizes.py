"""Programs that take more sizes than their tile: which these may be, and pictures to prove them on."""

import re
from dataclasses import replace

import numpy as np

from edgesr_runtime import ProgramInfo
from edgesr_runtime.metadata import RESIZABLE_SCHEMA, SizeRange

from ..errors import UserError
from ..evaluation.judge import Rgb
from ..graph.graph import Graph
from ..graph.shapes import shapes
from ..lowering.sizes import refuse_fixed_sizes

FLAG = "--dynamic-size"
LARGEST = 2048  # pixels a side: the program sets memory aside for such a picture and its enlargement


def size_range(text: str) -> SizeRange:
    """What `--dynamic-size MIN:MAX` says.

    Raises:
        UserError: anything but two whole numbers within 1 and `LARGEST`, the smaller one first.
    """
    wanted = f"give MIN:MAX, low-resolution pixels from 1 to {LARGEST}, the smaller number first"
    found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", text, re.ASCII)
    if not found:
        raise UserError(f"{FLAG} {text}: {wanted}")
    sizes = SizeRange(*map(int, found.groups()))
    if not 1 <= sizes.min <= sizes.max <= LARGEST:
        raise UserError(f"{FLAG} {text}: {wanted}")
    return sizes


def check_network(sizes: SizeRange, tile: int, scale: int, graph: Graph) -> None:
    """What can be known before any work.

    Raises:
        UserError: the tile is none of the sizes, or the network cannot run on all of them.
    """
    given = f"{FLAG} {sizes.min}:{sizes.max}"
    if tile not in sizes:
        raise UserError(f"{given}: the tile has {tile} pixels: give --tile {sizes}, or other sizes")
    refuse_fixed_sizes(graph)
    for side in range(sizes.min, sizes.max + 1):  # height and width never mix, so squares say all
        try:
            enlarged = shapes(graph, side, side)[graph.output][1]
        except ValueError as error:
            raise UserError(f"{given}: {error}: give other sizes, or leave it out") from error
        if enlarged != side * scale:
            raise UserError(
                f"{given}: the network makes {enlarged} pixels of {side}, not {side * scale}: leave it out"
            )


def with_sizes(info: ProgramInfo, sizes: SizeRange | None) -> ProgramInfo:
    """The metadata of a program that also takes these sizes."""
    return info if sizes is None else replace(info, sizes=sizes, schema=RESIZABLE_SCHEMA)


def pictures(tile: Rgb, sizes: SizeRange) -> tuple[Rgb, ...]:
    """Pictures (1, height, width, 3) at the ends of the range, made of a square tile by mirroring it.

    The smallest square, and a strip of the greatest length in either direction: together not much more to
    compute than a tile, unless the smallest is large.
    """
    thin = max(sizes.min, len(tile) ** 2 // (2 * sizes.max))
    wanted = (sizes.min, sizes.min), (sizes.max, thin), (thin, sizes.max)
    return tuple(_resized(tile, height, width)[None] for height, width in wanted)


def _resized(tile: Rgb, height: int, width: int) -> Rgb:
    more = [(0, max(0, side - length)) for side, length in zip((height, width), tile.shape, strict=False)]
    return np.ascontiguousarray(np.pad(tile, (*more, (0, 0)), mode="symmetric")[:height, :width])
