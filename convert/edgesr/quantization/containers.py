"""Which container each node runs in: by the plan, by default, and before any search."""

from ..graph.graph import Graph, Node
from ..graph.ops import Conv2d
from ..graph.rewrites import is_affine
from .plan import Container, Plan

WEIGHT_BITS: dict[Container, int] = {"w8a8": 8, "w4a8": 4, "w8a8-dynamic": 8}

STATIC = ("w8a8", "w4a8")
"""Containers whose input and output are int8, on grids that the plan fixes."""


def container_of(node: Node, plan: Plan) -> Container:
    """The container that the plan, or its default, gives a node."""
    return plan.containers.get(node.name, "w8a8" if isinstance(node.op, Conv2d) else "a8")


def body(graph: Graph) -> tuple[Node, ...]:
    """The convolutions between head and tail: the only ones that 4-bit weights are offered to.

    The head is the first convolution on the way of the picture, mean shifts aside; the tail is every
    convolution that is not followed by another one before the output or a change of resolution
    (up-sampler, output).
    """
    convs = graph.convs
    tail: set[str] = set()
    last_shuffle = {n.name for n in graph if n.op.kind == "PixelShuffle"}
    reaches: dict[str, bool] = {}  # whether a later convolution lies between this node and the shuffle
    for node in reversed(graph.nodes):
        users = graph.users[node.name]
        ends = node.name == graph.output or any(u.name in last_shuffle for u in users)
        reaches[node.name] = not ends and all(u in convs or reaches[u.name] for u in users)
        if node in convs and not reaches[node.name]:
            tail.add(node.name)
    kernels = [node for node in convs if not is_affine(node)]
    return tuple(node for node in kernels[1:] if node.name not in tail)


def containers(graph: Graph, body_bits: int) -> dict[str, Container]:
    """w8a8 for every convolution, w4a8 for those of the body where 4 bits are asked for."""
    narrow = {node.name for node in body(graph)} if body_bits == 4 else set()
    return {node.name: "w4a8" if node.name in narrow else "w8a8" for node in graph.convs}
