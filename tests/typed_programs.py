"""Small typed graphs, written as programs and run in LiteRT, for the tests of several rooms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import from_numpy

from edgesr.devices.host import delegated
from edgesr.devices.litert import Runner
from edgesr.graph import ops
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.reference import run
from edgesr.quantization.typed import Dequantize, QConv2d, Quantize, TypedGraph, TypedNode

Nodes = Sequence[TypedNode]


@dataclass(frozen=True)
class Outcome:
    """What LiteRT gave against the reference: values that differ, of how many, and what stayed outside."""

    mismatches: int
    values: int
    distinct: int
    outside: tuple[str, ...]


def graph_of(nodes: Nodes, channels: int) -> TypedGraph:
    """A picture, the nodes, and the last one's value as float32."""
    end = (TypedNode("sr", Dequantize(), (nodes[-1].name,)),) if nodes[-1].qparams else ()
    return TypedGraph(
        (TypedNode("image", ops.Input(channels)), *nodes, *end), end[0].name if end else nodes[-1].name
    )


def picture(q: QParams, side: int, channels: int, seed: int = 0) -> NDArray[np.float32]:
    """NHWC values over the whole grid and a little beyond."""
    margin = 0.02 * (q.high - q.low)
    generator = np.random.default_rng(seed)
    return generator.uniform(q.low - margin, q.high + margin, (1, side, side, channels)).astype(np.float32)


def run_both(nodes: Nodes, side: int, channels: int, pack_int4: bool = False) -> Outcome:
    """Runs a program of these nodes in LiteRT and in the reference on the same random picture."""
    graph = graph_of(nodes, channels)
    program = write({"s": graph}, side, b"{}", pack_int4)
    grid = next(node.qparams for node in nodes if isinstance(node.op, Quantize))
    assert grid is not None
    image = picture(grid, side, channels)
    got = Runner(program, "s")(image)["sr"].transpose(0, 3, 1, 2)
    nchw = from_numpy(image.transpose(0, 3, 1, 2).copy())
    expected = run(graph, nchw)[graph.output].numpy()
    assert np.array_equal(expected, run(read(program)["s"], nchw)[graph.output].numpy())
    assert got.shape == expected.shape
    outside = tuple(op.kind for op in delegated(program).variants["s"].outside)
    return Outcome(int((got != expected).sum()), got.size, len(np.unique(expected)), outside)


def one_input(op: ops.Op, source: QParams, out: QParams) -> list[TypedNode]:
    """picture -> int8 -> op."""
    return [
        TypedNode("q", Quantize(), ("image",), source),
        TypedNode("op", op, ("q",), out),
    ]


def two_inputs(op: ops.Op, a: QParams, b: QParams, out: QParams, channels: int) -> list[TypedNode]:
    """The picture in two formats, the second with its channels reversed, so that the values differ."""
    flip = QConv2d(
        (127 * np.eye(channels)[::-1]).reshape(channels, channels, 1, 1).astype(np.int8),
        np.full(channels, 1 / 127, np.float32),
        np.zeros(channels, np.int32),
    )
    return [
        TypedNode("q", Quantize(), ("image",), a),
        TypedNode("r", Quantize(), ("image",), b),
        TypedNode("flip", flip, ("r",), b),
        TypedNode("op", op, ("q", "flip"), out),
    ]


def random_conv(
    generator: np.random.Generator, inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3),
    bits: int = 8, groups: int = 1, **geometry: object,
) -> QConv2d:  # fmt: skip
    """int8 weights over the whole grid, per-channel scales that differ by up to 8 times."""
    limit = 2 ** (bits - 1) - 1
    weight = generator.integers(-limit, limit + 1, (outputs, inputs // groups, *kernel)).astype(np.int8)
    scales = np.exp2(generator.uniform(-9, -6, outputs)).astype(np.float32)
    bias = generator.integers(-5000, 5000, outputs).astype(np.int32)
    return QConv2d(weight, scales, bias, bits, groups=groups, **geometry)  # type: ignore[arg-type]
