"""`--bits auto`: as few float layers as hold the gate.

Ranking and measuring are apart. The ranking is the calibration's: moves are ordered by the noise they
remove at the output per cost they add. The measurement is the deployed program's drop on held-back
pictures; it falls along the ranking, so the shortest sufficient prefix is found by doubling and bisection.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass

from ..graph import ops
from ..graph.graph import Graph, Node
from ..graph.shapes import shapes
from .plan import Plan

PROBE = 64  # height and width at which costs are counted
ELEMENT_COST = 16  # multiplications that one float element of a cheap op is worth: it is bound by memory
INEXACT = (ops.Sigmoid, ops.ResizeBilinear)
"""Ops whose float32 form differs between executors in the last bit; in int8 they are exact, and cheap."""
FLOOR = 0.005  # of the network's cost, so that nothing counts as free


@dataclass(frozen=True)
class Move:
    """Nodes that become float together, the noise that leaves and the cost that comes (share of all)."""

    nodes: tuple[str, ...]
    noise: float
    cost: float

    @property
    def worth(self) -> float:
        return self.noise / (self.cost + FLOOR)


def ranked_moves(graph: Graph, plan: Plan) -> tuple[Move, ...]:
    """Each convolution with the cheap ops that make its input, best first.

    A convolution in float saves nothing while its input is still rounded, so the elementwise ops between
    the convolutions before it and itself move along; ties are broken by position in the network.
    """
    costs = _costs(graph)
    total = sum(costs.values())
    exact = _feeding_inexact(graph)
    moves = []
    for conv in graph.convs:
        if conv.name in exact:
            continue
        nodes = (*_elementwise_before(graph, conv, exact), conv.name)
        noise = sum(plan.sensitivity.get(name, 0.0) for name in nodes)
        moves.append(Move(nodes, noise, sum(costs[name] for name in nodes) / total))
    return tuple(sorted(moves, key=lambda move: -move.worth))


def _costs(graph: Graph) -> dict[str, float]:
    """Multiplications of each node at the probe size; other ops count their elements."""
    sizes = shapes(graph, PROBE, PROBE)

    def cost(node: Node) -> float:
        channels, height, width = sizes[node.name]
        if isinstance(node.op, ops.Conv2d):
            return float(node.op.weight[0].size * channels * height * width)
        return float(ELEMENT_COST * channels * height * width)

    return {node.name: cost(node) for node in graph}


def _feeding_inexact(graph: Graph) -> set[str]:
    """Nodes whose float value would reach an inexact op, other than through a convolution."""
    found: set[str] = set()
    for node in reversed(graph.nodes):
        for user in graph.users[node.name]:
            if isinstance(user.op, INEXACT) or (user.name in found and not isinstance(user.op, ops.Conv2d)):
                found.add(node.name)
    return found


def _elementwise_before(graph: Graph, conv: Node, exact: Set[str]) -> list[str]:
    """Ops other than convolutions through which a convolution's input was made, in network order."""
    found: set[str] = set()
    waiting = [conv.inputs[0]]
    while waiting:
        node = graph[waiting.pop()]
        if isinstance(node.op, (ops.Conv2d, ops.Input, *INEXACT)) or node.name in found | exact:
            continue
        found.add(node.name)
        waiting.extend(node.inputs)
    return [node.name for node in graph if node.name in found]


def search(
    graph: Graph,
    plan: Plan,
    drop_of: Callable[[Plan], float],
    max_drop: float,
    progress: Callable[[], None] = lambda: None,
) -> Plan:
    """The plan with the shortest prefix of ranked moves in float whose drop is within the limit.

    Args:
        drop_of: the measured drop in dB of the program that a plan gives.
        progress: called after each measurement.

    Returns the plan with every move made if nothing less is enough.
    """
    moves = ranked_moves(graph, plan)

    def floated(count: int) -> Plan:
        return plan.with_containers({name: "f32" for move in moves[:count] for name in move.nodes})

    def holds(count: int) -> bool:
        held = drop_of(floated(count)) <= max_drop
        progress()
        return held

    failing, count = -1, 0
    while count < len(moves) and not holds(count):
        failing, count = count, max(1, 2 * count)
    enough = min(count, len(moves))
    while enough - failing > 1:
        middle = (enough + failing) // 2
        if holds(middle):
            enough = middle
        else:
            failing = middle
    return floated(enough)
