"""Upscaling pictures with the float network and with a program, the same way in both cases.

The float network runs on whole pictures (the yardstick) and, behind the runtime's engine interface, tile
by tile (what tiling alone costs).
"""

import gzip
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from edgesr_runtime import Program, ProgramInfo, upscale
from edgesr_runtime.engines import Floats, engine_for
from edgesr_runtime.metadata import DEFAULT_VARIANT
from edgesr_runtime.pixels import to_pixels, to_program_range

from ..defaults import TARGET
from ..errors import UserError
from ..evaluation.judge import Rgb, Upscaler
from ..graph.execute import predict
from ..graph.graph import Graph
from ..lowering.targets import TARGETS
from ..quantization.typed import TypedGraph

Network = Graph | nn.Module
"""The float network; a module where edgesr has no graph of it."""


class FloatEngine:
    """The runtime's `Engine`, computing the float network on tiles."""

    variants = (DEFAULT_VARIANT,)

    def __init__(self, graph: Network, tile: int) -> None:
        self.graph, self.tile = graph, tile

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return 1, self.tile, self.tile, 3

    def run(self, variant: str, batch: Floats) -> Floats:
        return _predict(self.graph, batch)


def _predict(graph: Network, batch: Floats) -> Floats:
    """NHWC to NHWC."""
    image = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()
    answer = _run(graph, image)
    result: Floats = answer.permute(0, 2, 3, 1).contiguous().numpy().copy()
    return result


def _run(graph: Network, image: Tensor) -> Tensor:
    try:
        with torch.inference_mode():
            result: Tensor = predict(graph, image) if isinstance(graph, Graph) else graph(image)
    except Exception as error:  # the user's code can raise anything; a graph that halves, on odd sides
        if "can't allocate memory" in str(error):
            raise
        height, width = image.shape[2:]
        raise UserError(
            f"the network does not run on a {width}x{height} picture ({' '.join(str(error).split())}): "
            "it must take pictures of every size."
        ) from error
    return result


def whole_picture(graph: Network, pixel_range: int) -> Upscaler:
    """The float network on a picture of any size, in one piece."""

    def run(lr: Rgb) -> Rgb:
        result = _on_pixels(graph, lr, pixel_range)
        to_pixels(result, pixel_range)
        return result.astype(np.uint8)

    return run


def pixels_of(graph: Network, lr: Rgb, pixel_range: int) -> Floats:
    """What the float network makes of a picture, in grey levels that are neither rounded nor clipped."""
    return _on_pixels(graph, lr, pixel_range) * np.float32(255 / pixel_range)


def _on_pixels(graph: Network, lr: Rgb, pixel_range: int) -> Floats:
    batch = lr[None].astype(np.float32)
    to_program_range(batch, pixel_range)
    result: Floats = _predict(graph, batch)[0]
    return result


def float_tiles(graph: Network, info: ProgramInfo) -> Upscaler:
    """The float network run tile by tile as the program would be."""
    program = Program(replace(info, variants=FloatEngine.variants), FloatEngine(graph, info.tile))
    return lambda lr: upscale(program, lr)


def deployed(data: bytes, info: ProgramInfo, threads: int) -> Upscaler:
    """A program that was just written, loaded and run as the runtime does."""
    program = Program(info, engine_for(data, threads))
    return lambda lr: upscale(program, lr)


Typed = Mapping[str, TypedGraph]
"""Variant -> what it computes, cheapest first."""


def write_program(typed: Typed, info: ProgramInfo, target: str = TARGET) -> bytes:
    """The file of all variants, with its metadata."""
    largest = info.sizes.max if info.sizes else None
    return TARGETS[target].write(typed, info.tile, info.to_json().encode(), largest)


def as_file(program: bytes, compress: bool) -> bytes:
    """What is written to disk: the program, or the same through gzip, always the same bytes."""
    return gzip.compress(program, compresslevel=9, mtime=0) if compress else program
