"""How fast a program is beside the same network in float32: both run in turns, and medians count."""

import gzip
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from edgesr_runtime import ProgramInfo
from edgesr_runtime.engines import Engine, engine_for
from edgesr_runtime.metadata import DEFAULT_VARIANT
from edgesr_runtime.pixels import to_program_range

from ..evaluation.judge import Rgb
from ..graph.graph import Graph
from ..lowering.targets import target_of
from ..quantization.plan import Plan
from ..quantization.quantize import quantize
from .material import Times, Timing

ROUNDS = 9
SECONDS = 10.0  # after which no further round begins
LEAST = 3  # rounds


def float_program(graph: Graph, tile: int, target: Callable[..., bytes]) -> bytes:
    """The network as a float32 program without metadata; `target` writes the format."""
    plan = Plan({}, {}).with_containers({node.name: "f32" for node in graph})
    return target({DEFAULT_VARIANT: quantize(graph, plan)}, tile, b"{}")


def packed_size(program: bytes) -> int:
    """Bytes through gzip, as `--compress` writes them."""
    return len(gzip.compress(program, compresslevel=9, mtime=0))


def measure(program: bytes, info: ProgramInfo, graph: Graph, square: Rgb) -> Timing:
    """Times every variant of a program, and the float network in its format, on one thread.

    Args:
        square: (tile, tile, 3), a tile of a picture.
    """
    plain = float_program(graph, info.tile, target_of(program).write)
    batch = square[None].astype(np.float32)
    to_program_range(batch, info.pixel_range)
    own, other = engine_for(program, 1), engine_for(plain, 1)
    runs: list[tuple[Engine, str]] = [(other, DEFAULT_VARIANT), *((own, name) for name in info.variants)]
    for engine, variant in runs:
        engine.run(variant, batch)  # the first run prepares
    times: list[list[float]] = [[] for _ in runs]
    begin = time.perf_counter()
    while len(times[0]) < LEAST or (len(times[0]) < ROUNDS and time.perf_counter() - begin < SECONDS):
        for taken, (engine, variant) in zip(times, runs, strict=True):
            start = time.perf_counter()
            engine.run(variant, batch)
            taken.append(1000 * (time.perf_counter() - start))
    first, *others = (Times(median(taken), min(taken), max(taken)) for taken in times)
    return Timing(
        first, dict(zip(info.variants, others, strict=True)), len(times[0]), len(plain), packed_size(plain)
    )
