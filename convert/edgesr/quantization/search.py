"""`--bits auto`: as much precision as holds the gate, bought where it costs least.

Ranking and measuring are apart. The ranking is the calibration's: moves are ordered by the noise they
remove at the output per cost they add. The measurement is what the deployed program loses on held-back
pictures, on average and at worst; both fall along the ranking, so the shortest prefix that is enough is
found by doubling and bisection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import prod
from typing import Protocol

from ..graph import ops
from ..graph.graph import Graph, Node
from ..graph.shapes import multiplications, shapes
from .plan import Container, Plan
from .typed import is_depthwise

MULTIPLICATION = {"w8a8": 1.0, "w4a8": 1.0, "w8a8-dynamic": 1.2, "f32": 4.0}
"""Cost of one in each container, as measured for whole networks."""
CACHED = 2**20  # elements of a float tensor that the nearer caches hold
ELEMENT_COST = {True: 16, False: 256}
"""int8 multiplications that making one float element is worth, in the caches and beyond: memory bounds it."""
INEXACT = (ops.Sigmoid, ops.Tanh, ops.ResizeBilinear)
"""Ops whose float32 form differs between executors in the last bit; in int8 they are exact, and cheap."""
COMFORT = 0.5  # of the int8 network, as costs are counted: what may be spent on the worst picture alone
FLOOR = 0.005  # of the network's cost, so that nothing counts as free


class Foreseen(Protocol):
    """What a program is expected to lose, in dB: on average, and on a picture that loses much."""

    @property
    def mean(self) -> float: ...
    @property
    def worst(self) -> float: ...


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


def ranked_moves(graph: Graph, plan: Plan, tile: int) -> tuple[Move, ...]:
    """The moves of all convolutions, best first; ties are broken by position in the network.

    Args:
        tile: height and width of the program's input, for which costs are counted.
    """
    costs = _Costs.of(graph, tile)
    exact = _feeding_inexact(graph)
    moves = [
        move for conv in graph.convs if conv.name not in exact
        for move in _moves(graph, plan, conv, _elementwise_before(graph, conv, exact), costs)
    ]  # fmt: skip
    return tuple(sorted(moves, key=lambda move: -move.worth))


def _moves(graph: Graph, plan: Plan, conv: Node, before: list[str], costs: "_Costs") -> Iterator[Move]:
    """From int8 to a dynamic grid and from there to float: two moves, or one where the second is worth more.

    A convolution saves little while its input is still rounded, so the elementwise ops between the
    convolutions before it and itself become float with it.
    """
    assert isinstance(conv.op, ops.Conv2d)
    now = plan.containers.get(conv.name, "w8a8")
    noise = sum(plan.sensitivity.get(name, 0.0) for name in (*before, conv.name))
    elements = sum(costs.elements[name] for name in (*before, conv.name))

    def move(goal: Container, start: Container, removed: float, more: float = 0.0) -> Move:
        added = costs.multiplications[conv.name] * (MULTIPLICATION[goal] - MULTIPLICATION[start])
        return Move({conv.name: goal}, removed, (added + more) / costs.total)

    floats = Move(dict.fromkeys(before, "f32"), 0.0, 0.0)
    if is_depthwise(conv.op) or conv.inputs[0] == graph.input.name:  # no such kernel; already exact
        yield floats.then(move("f32", now, noise, elements))
        return
    left = plan.dynamic_sensitivity.get(conv.name, noise)
    first = floats.then(move("w8a8-dynamic", now, noise - left, elements))
    second = move("f32", "w8a8-dynamic", left)
    if first.worth > second.worth:
        yield from (first, second)
    else:
        yield first.then(second)


@dataclass(frozen=True)
class _Costs:
    """All in int8 multiplications: of each convolution, of making each node's elements in float."""

    multiplications: Mapping[str, int]
    elements: Mapping[str, int]
    total: int

    @classmethod
    def of(cls, graph: Graph, tile: int) -> "_Costs":
        counts = {name: prod(shape) for name, shape in shapes(graph, tile, tile).items()}
        elements = {name: count * ELEMENT_COST[count <= CACHED] for name, count in counts.items()}
        macs = multiplications(graph, tile)
        others = sum(ELEMENT_COST[True] * count for name, count in counts.items() if name not in macs)
        return cls(macs, elements, sum(macs.values()) + others)


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
    foreseen: Callable[[Plan], Foreseen],
    max_drop: float,
    progress: Callable[[], None] = lambda: None,
) -> Plan:
    """The plan after the shortest prefix of ranked moves that keeps even the worst picture within the limit.

    Where that would take more than `COMFORT`, all that can be had for so much, if the mean is within the
    limit; else the shortest prefix that brings it there; else every move.

    Args:
        moves: ranked, best first.
        foreseen: what the program that a plan gives is expected to lose, measured on pictures.
        max_drop: dB.
        progress: called after each measurement.
    """

    @cache
    def after(count: int) -> Foreseen:
        measured = foreseen(moved(count))
        progress()
        return measured

    def moved(count: int) -> Plan:
        return plan.with_containers({k: v for move in moves[:count] for k, v in move.containers.items()})

    spent = accumulate(move.cost for move in moves)
    comfortable = sum(cost <= COMFORT for cost in spent)
    found = _least(0, comfortable, lambda count: after(count).worst <= max_drop)
    if found is None:
        found = _least(comfortable, len(moves), lambda count: after(count).mean <= max_drop)
    return moved(len(moves) if found is None else found)


def _least(first: int, last: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest of first..last for which a condition holds that stays true, by doubling and bisection."""
    failing, count = first - 1, first
    while not holds(count):
        if count == last:
            return None
        failing, count = count, min(last, first + max(1, 2 * (count - first)))
    while count - failing > 1:
        middle = (count + failing) // 2
        if holds(middle):
            count = middle
        else:
            failing = middle
    return count
