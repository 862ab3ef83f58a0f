"""Which convolutions a method quantizes, and at which base widths; the same for all (METHODS A.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ...graph import ops
from ...graph.execute import tensor
from ...graph.graph import Graph
from .observation import Observed
from .roles import Roles
from .simulated import Settings

FIXED_BITS = 8  # of head and tail where everything is quantized


@dataclass(frozen=True)
class Site:
    """A convolution that is quantized.

    Attributes:
        name, source: of the node, and of the node that it reads.
        weight: its float weights.
        weight_bits, bits: base widths of weights and input.
        adaptive: whether a method of adaptive width may change the input's.
        counted: whether it counts for the average width; all but head and tail do.
    """

    name: str
    source: str
    weight: Tensor
    weight_bits: int
    bits: int
    adaptive: bool
    counted: bool


def sites(graph: Graph, roles: Roles, settings: Settings) -> tuple[Site, ...]:
    """In the order of execution: the body; where everything is quantized, also what lies around it."""
    adaptive = {*roles.body, *(roles.last if settings.fully_quantized else ())}
    counted = {*adaptive, *roles.fusion}
    fixed = {*roles.head, *roles.tail} if settings.fully_quantized else set()
    found = []
    for node in graph:
        if not isinstance(node.op, ops.Conv2d) or node.name not in counted | fixed:
            continue
        base = (settings.weight_bits, settings.activation_bits)
        weight_bits, bits = base if node.name in counted else (FIXED_BITS, FIXED_BITS)
        found.append(
            Site(
                name=node.name,
                source=node.inputs[0],
                weight=tensor(node.op.weight),
                weight_bits=weight_bits,
                bits=bits,
                adaptive=node.name in adaptive,
                counted=node.name in counted,
            )
        )
    return tuple(found)


def counted(sites: Sequence[Site]) -> tuple[str, ...]:
    """Names of those that count for the average width."""
    return tuple(site.name for site in sites if site.counted)


def constant_inputs(sites: Sequence[Site], seen: Mapping[str, Observed]) -> tuple[str, ...]:
    """A warning for each dead layer (METHODS A.11)."""
    return tuple(
        f"{site.name}: its input is constant on the calibration pictures"
        for site in sites
        if seen[site.source].extremes[0] == seen[site.source].extremes[1]
    )
