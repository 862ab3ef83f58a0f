"""Upscaling pictures with the float network and with a program, the same way in both cases.

The float network runs on whole pictures (the yardstick) and, behind the runtime's engine interface, tile
by tile (what tiling alone costs).
"""

import gzip
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from edgesr_runtime import Program, ProgramInfo, upscale
from edgesr_runtime.engines import Floats, engine_for
from edgesr_runtime.metadata import DEFAULT_VARIANT
from edgesr_runtime.upscale import to_pixels, to_program_range

from ..defaults import TARGET
from ..evaluation.judge import Rgb, Upscaler
from ..graph.execute import predict
from ..graph.graph import Graph
from ..lowering.targets import TARGETS
from ..quantization.typed import TypedGraph


class FloatEngine:
    """The runtime's `Engine`, computing the float graph on tiles."""

    variants = (DEFAULT_VARIANT,)

    def __init__(self, graph: Graph, tile: int) -> None:
        self.graph, self.tile = graph, tile

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return 1, self.tile, self.tile, 3

    def run(self, variant: str, batch: Floats) -> Floats:
        return _predict(self.graph, batch)


def _predict(graph: Graph, batch: Floats) -> Floats:
    """NHWC to NHWC."""
    image = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()
    result: Floats = predict(graph, image).permute(0, 2, 3, 1).contiguous().numpy().copy()
    return result


def whole_picture(graph: Graph, pixel_range: int) -> Upscaler:
    """The float network on a picture of any size, in one piece."""

    def run(lr: Rgb) -> Rgb:
        batch = lr[None].astype(np.float32)
        to_program_range(batch, pixel_range)
        result = _predict(graph, batch)
        to_pixels(result, pixel_range)
        return result[0].astype(np.uint8)

    return run


def float_tiles(graph: Graph, info: ProgramInfo) -> Upscaler:
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
    return TARGETS[target].write(typed, info.tile, info.to_json().encode())


def as_file(program: bytes, compress: bool) -> bytes:
    """What is written to disk: the program, or the same through gzip, always the same bytes."""
    return gzip.compress(program, compresslevel=9, mtime=0) if compress else program
