"""How long a program takes on this machine: each variant as a whole, and each of its layers.

What a whole variant takes is measured through the runtime's own engine. What a layer takes cannot be asked
of both runtimes in the same way: ExecuTorch tells the time of every op inside its delegate (`etdump`);
LiteRT's Python package has no profiler, so there each op is run alone, as in the cost table.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from edgesr_runtime.engines import Engine, engine_for
from edgesr_runtime.program import read_info

from ..graph import ops
from ..graph.shapes import shapes
from ..lowering.arrange import arrange
from ..lowering.targets import EXECUTORCH, OWN, converter_of, target_of
from ..quantization.typed import DynamicConv2d, TypedGraph, TypedNode
from .costs import measure_op
from .host import delegated

RUNS = 20
ALONE = "each op run alone"
INSIDE = "inside the delegate, by ETDump"
UNREAD = "not measured: another converter's layers cannot be read"


@dataclass(frozen=True)
class Layer:
    """One op of a program: its kind, number format, milliseconds, and whether XNNPACK runs it."""

    name: str
    kind: str
    container: str
    milliseconds: float
    accelerated: bool


@dataclass(frozen=True)
class Latency:
    """One variant: the median of its runs on one tile, and its layers in the order in which they run.

    `measured` says how the layers' times were found. Their sum is not the variant's time: that one also
    holds copies at both ends and, where ops run side by side or stay in the cache, less or more.
    """

    milliseconds: float
    layers: tuple[Layer, ...]
    measured: str


def latencies(
    program: bytes, threads: int = 1, runs: int = RUNS, progress: Callable[[], None] = lambda: None
) -> dict[str, Latency]:
    """Variant -> what it takes; runs of the variants alternate, so that other work hits all alike.

    Args:
        progress: called after each round of runs and after the layers of each variant.

    Raises:
        UserError: the file is damaged, edgesr did not write it, or the runtime refuses it.
    """
    info = read_info(program)
    engine = engine_for(program, threads)
    if converter_of(info) != OWN:
        whole = _whole(engine, engine.variants, runs, progress)
        return {name: Latency(milliseconds, (), UNREAD) for name, milliseconds in whole.items()}
    graphs = target_of(program).read(program)
    whole = _whole(engine, tuple(graphs), runs, progress)
    measure = _inside if target_of(program) is EXECUTORCH else _alone
    found = {}
    for name, layers in measure(program, graphs, threads, runs).items():
        found[name] = Latency(whole[name], layers, INSIDE if measure is _inside else ALONE)
        progress()
    return found


def _whole(
    engine: Engine, variants: Sequence[str], runs: int, progress: Callable[[], None]
) -> dict[str, float]:
    """Milliseconds of each variant on a tile of noise; first runs, which prepare them, are left out."""
    generator = np.random.default_rng(0)
    tiles = {name: generator.random(engine.input_shape(name), np.float32) for name in variants}
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for counted in range(-1, runs):
        for name, tile in tiles.items():
            start = time.perf_counter()
            engine.run(name, tile)
            if counted >= 0:
                taken[name].append(1000 * (time.perf_counter() - start))
        progress()
    return {name: median(values) for name, values in taken.items()}


def _alone(
    program: bytes, graphs: Mapping[str, TypedGraph], threads: int, runs: int
) -> dict[str, tuple[Layer, ...]]:
    """Every op in a LiteRT program of its own."""
    delegation = delegated(program, threads).variants
    tile = _tile(program)
    found = {}
    for variant, graph in graphs.items():
        outside = {op.name for op in delegation[variant].outside}
        arranged = arrange(graph)
        sizes = shapes(arranged, tile, tile)
        found[variant] = tuple(
            layer(node, measure_op(node, arranged, sizes, threads), node.name not in outside)
            for node in arranged
            if not isinstance(node.op, ops.Input)
        )
    return found


def _inside(
    program: bytes, graphs: Mapping[str, TypedGraph], threads: int, runs: int
) -> dict[str, tuple[Layer, ...]]:
    from .etdump import op_times

    found = {}
    for variant, graph in graphs.items():
        times = op_times(program, variant, threads, runs)
        nodes = (node for node in graph if not isinstance(node.op, ops.Input))
        found[variant] = tuple(layer(node, times.get(node.name, 0.0), True) for node in nodes)
    return found


def layer(node: TypedNode, milliseconds: float, accelerated: bool) -> Layer:
    """What is shown of a node."""
    if isinstance(node.op, DynamicConv2d):
        container = "int8-dynamic"
    else:
        container = "f32" if node.qparams is None else "int8"
    return Layer(node.name, node.op.kind, container, milliseconds, accelerated)


def _tile(program: bytes) -> int:
    return read_info(program).tile
