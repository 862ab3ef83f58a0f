"""`--bits auto`: as much precision as holds the gate, bought where it costs least.

Ranking and measuring are apart. The ranking is the calibration's: moves are ordered by the noise they
remove at the output per cost they add. The measurement is the deployed program's drop on held-back
pictures; it falls along the ranking, so the shortest sufficient prefix is found by doubling and bisection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from math import prod

from ..graph import ops
from ..graph.graph import Graph, Node
from ..graph.shapes import multiplications, shapes
from .plan import Container, Plan
from .typed import is_depthwise

PROBE = 64  # height and width at which costs are counted
MULTIPLICATION = {"w8a8": 1.0, "w4a8": 1.0, "w8a8-dynamic": 1.2, "f32": 4.0}
"""Cost of one in each container, as measured for whole networks."""
ELEMENT_COST = 16  # int8 multiplications that one float element of a cheap op is worth: it is bound by memory
INEXACT = (ops.Sigmoid, ops.Tanh, ops.ResizeBilinear)
"""Ops whose float32 form differs between executors in the last bit; in int8 they are exact, and cheap."""
FLOOR = 0.005  # of the network's cost, so that nothing counts as free


@dataclass(frozen=True)
class Move:
    """Containers that change together, the noise that leaves and the cost that comes (share of all)."""

    containers: Mapping[str, Container]
    noise: float
    cost: float

    @property
    def worth(self) -> float:
        return self.noise / (self.cost + FLOOR)

    def then(self, other: "Move") -> "Move":
        """Both as one."""
        containers = {**self.containers, **other.containers}
        return Move(containers, self.noise + other.noise, self.cost + other.cost)


def ranked_moves(graph: Graph, plan: Plan) -> tuple[Move, ...]:
    """The moves of all convolutions, best first; ties are broken by position in the network."""
    costs = _costs(graph)
    total = sum(costs.values())
    exact = _feeding_inexact(graph)
    moves = [
        move for conv in graph.convs if conv.name not in exact
        for move in _moves(graph, plan, conv, _elementwise_before(graph, conv, exact), costs, total)
    ]  # fmt: skip
    return tuple(sorted(moves, key=lambda move: -move.worth))


def _moves(
    graph: Graph, plan: Plan, conv: Node, before: list[str], costs: Mapping[str, float], total: float
) -> Iterator[Move]:
    """From int8 to a dynamic grid and from there to float: two moves, or one where the second is worth more.

    A convolution saves little while its input is still rounded, so the elementwise ops between the
    convolutions before it and itself become float with it.
    """
    assert isinstance(conv.op, ops.Conv2d)
    now = plan.containers.get(conv.name, "w8a8")
    noise = sum(plan.sensitivity.get(name, 0.0) for name in (*before, conv.name))
    cheap = sum(costs[name] for name in before)

    def move(goal: Container, start: Container, removed: float, more: float = 0.0) -> Move:
        added = costs[conv.name] * (MULTIPLICATION[goal] - MULTIPLICATION[start])
        return Move({conv.name: goal}, removed, (added + more) / total)

    floats = Move(dict.fromkeys(before, "f32"), 0.0, 0.0)
    if is_depthwise(conv.op) or conv.inputs[0] == graph.input.name:  # no such kernel; already exact
        yield floats.then(move("f32", now, noise, cheap))
        return
    left = plan.dynamic_sensitivity.get(conv.name, noise)
    first = floats.then(move("w8a8-dynamic", now, noise - left, cheap))
    second = move("f32", "w8a8-dynamic", left)
    if first.worth > second.worth:
        yield from (first, second)
    else:
        yield first.then(second)


def _costs(graph: Graph) -> dict[str, float]:
    """Multiplications of each convolution at the probe size, and what the elements of others count for."""
    elements = {name: prod(shape) for name, shape in shapes(graph, PROBE, PROBE).items()}
    others = {name: float(ELEMENT_COST * count) for name, count in elements.items()}
    return others | multiplications(graph, PROBE)


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
    plan: Plan,
    moves: Sequence[Move],
    drop_of: Callable[[Plan], float],
    max_drop: float,
    progress: Callable[[], None] = lambda: None,
) -> Plan:
    """The plan after the shortest prefix of ranked moves whose drop is within the limit.

    Args:
        moves: ranked, best first.
        drop_of: the measured drop in dB of the program that a plan gives.
        progress: called after each measurement.

    Returns the plan with every move made if nothing less is enough.
    """

    def moved(count: int) -> Plan:
        return plan.with_containers({k: v for move in moves[:count] for k, v in move.containers.items()})

    def holds(count: int) -> bool:
        held = drop_of(moved(count)) <= max_drop
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
    return moved(enough)
