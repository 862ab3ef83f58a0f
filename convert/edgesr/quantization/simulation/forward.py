"""Runs a float graph with some inputs and weights rounded, differentiably, and notes their widths.

There is no second executor: a rounded node is one more op kind of the float one, which rounds what it reads
and leaves the rest to the op that it stands for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from ...graph import ops
from ...graph.execute import conv2d, evaluate, run, tensor
from ...graph.graph import Graph

FLOAT_BITS = 32


@dataclass(frozen=True)
class Rounded:
    """A rounded tensor (N,C,H,W), and the width that each of the N pictures was given, (N,)."""

    values: Tensor
    bits: Tensor


Quantizer = Callable[[Tensor], Rounded]


@dataclass(frozen=True)
class Rounding:
    """What a node does differently from the float one.

    Attributes:
        inputs: one quantizer for each input.
        weight: rounded weights of a convolution, None for other nodes.
        weight_bits: their width.
    """

    inputs: tuple[Quantizer, ...]
    weight: Tensor | None = None
    weight_bits: int = FLOAT_BITS


@dataclass(frozen=True)
class Forward:
    """What came out of a batch.

    Attributes:
        output: (N,3,H*scale,W*scale).
        kept: the values that were asked for, by node.
        bits: activation widths of the rounded nodes' first inputs, (N,).
        weight_bits: of the rounded nodes.
    """

    output: Tensor
    kept: Mapping[str, Tensor]
    bits: Mapping[str, Tensor]
    weight_bits: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class RoundedOp(ops.Op):
    """An op whose inputs, and weights if it is a convolution, are rounded first."""

    op: ops.Op
    rounding: Rounding
    note: Callable[[Tensor], None]


@evaluate.register
def _(op: RoundedOp, inputs: list[Tensor]) -> Tensor:
    rounded = [quantizer(x) for quantizer, x in zip(op.rounding.inputs, inputs, strict=True)]
    op.note(rounded[0].bits)
    if not isinstance(op.op, ops.Conv2d) or op.rounding.weight is None:
        return evaluate(op.op, [part.values for part in rounded])
    y = conv2d(rounded[0].values, op.rounding.weight, tensor(op.op.bias), op.op)
    return y.relu() if op.op.relu else y


def forward(
    graph: Graph, roundings: Mapping[str, Rounding], pixels: Tensor, keep: Collection[str] = ()
) -> Forward:
    """Runs a batch (N,3,H,W) in the network's pixel range through the graph with these nodes rounded."""
    bits: dict[str, Tensor] = {}
    nodes = tuple(
        replace(node, op=RoundedOp(node.op, roundings[node.name], partial(bits.__setitem__, node.name)))
        if node.name in roundings
        else node
        for node in graph
    )
    values = run(Graph(nodes, graph.output), pixels, keep=keep)
    return Forward(
        output=values[graph.output],
        kept={name: values[name] for name in keep},
        bits=bits,
        weight_bits={name: rounding.weight_bits for name, rounding in roundings.items()},
    )
