"""Whole pictures through a simulated network, in one piece or tile by tile (METHODS A.8)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edgesr_runtime.complexity import complexity
from edgesr_runtime.pictures import RgbPicture

from .crops import SIDE
from .simulated import Simulated, bit_operations

Span = tuple[int, int]
"""From the first pixel up to but without the second."""


@dataclass(frozen=True)
class Upscaled:
    """What came of a picture.

    Attributes:
        sr: uint8 (H*scale,W*scale,3).
        bits: average activation width; of tiles the plain mean, whatever their sizes.
        bit_operations: of all tiles together.
    """

    sr: NDArray[np.uint8]
    bits: float
    bit_operations: float


def upscale(simulated: Simulated, picture: RgbPicture, pixel_range: int, by_tile: bool) -> Upscaled:
    """Runs a low-resolution picture (H,W,3); each tile, or the whole, is routed by its own detail."""
    height, width = picture.shape[:2]
    rows = spans(height) if by_tile else [(0, height)]
    columns = spans(width) if by_tile else [(0, width)]
    parts = [[_run(simulated, picture[a:b, c:d], pixel_range) for c, d in columns] for a, b in rows]
    flat = [part for row in parts for part in row]
    return Upscaled(
        sr=np.concatenate([np.concatenate([part.sr for part in row], axis=1) for row in parts]),
        bits=float(np.mean([part.bits for part in flat])),
        bit_operations=sum(part.bit_operations for part in flat),
    )


def spans(length: int, side: int = SIDE) -> list[Span]:
    """An axis in pieces of `side` without overlap; the last one takes the rest, and is the longest."""
    starts = range(0, max(1, length // side) * side, side)
    return list(zip(starts, [*starts[1:], length], strict=True))


def _run(simulated: Simulated, tile: RgbPicture, pixel_range: int) -> Upscaled:
    pixels = torch.from_numpy(tile.transpose(2, 0, 1)[None].astype(np.float32)) * (pixel_range / 255)
    with torch.inference_mode():
        result = simulated.run(pixels, torch.tensor([complexity(tile)]))
        levels = (result.output[0] * (255 / pixel_range)).round().clamp(0, 255)
        bits = float(simulated.average_bits(result)[0])
    sr = levels.permute(1, 2, 0).to(torch.uint8).numpy()
    height, width = tile.shape[:2]
    return Upscaled(sr, bits, bit_operations(simulated.graph, height, width, result))
