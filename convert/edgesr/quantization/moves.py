"""The ranking behind `--bits auto`: which containers to change first.

A move changes containers that belong together. It removes noise at the output, as calibration predicts it,
and costs milliseconds, as measured on the runtime; what removes most noise for each millisecond comes first.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

from ..graph import ops
from ..graph.graph import Graph, Node
from .plan import Container, Plan
from .typed import is_depthwise

INEXACT = (ops.Sigmoid, ops.Tanh, ops.ResizeBilinear)
"""Ops whose float32 form differs between executors in the last bit; in int8 they are exact, and cheap."""
FLOOR = 0.005  # of the program's time, so that nothing counts as free


@dataclass(frozen=True)
class Move:
    """Containers that change together.

    Attributes:
        containers: node -> its new container; the convolution that it is about comes last.
        noise: mean square at the output, in grey levels squared, that leaves.
        milliseconds: of one tile that come if the moves before it were made, conversions included.
    """

    containers: Mapping[str, Container]
    noise: float
    milliseconds: float

    @property
    def layer(self) -> str:
        """The convolution that the move is about."""
        return list(self.containers)[-1]

    @property
    def container(self) -> Container:
        """What becomes of it."""
        return self.containers[self.layer]


def ranked_moves(graph: Graph, plan: Plan, milliseconds: Callable[[Plan], float]) -> tuple[Move, ...]:
    """The moves of all convolutions, best first; ties are broken by position in the network.

    Args:
        milliseconds: what one tile takes under a plan.
    """
    ranking = _Ranking(graph, plan, milliseconds)
    moves = [move for conv in graph.convs for move in ranking.moves(conv)]
    return tuple(sorted(moves, key=lambda move: -ranking.worth(move)))


class _Ranking:
    def __init__(self, graph: Graph, plan: Plan, milliseconds: Callable[[Plan], float]) -> None:
        self.graph, self.plan, self.milliseconds = graph, plan, milliseconds
        self.exact = _feeding_inexact(graph)
        self.now = milliseconds(plan)

    def worth(self, move: Move) -> float:
        """Noise removed for each millisecond."""
        return move.noise / (max(0.0, move.milliseconds) + FLOOR * self.now)

    def moves(self, conv: Node) -> Iterator[Move]:
        """From int8 to a dynamic grid and on to float: two moves, or one where the second is worth more.

        A convolution saves little while its input is still rounded, so the elementwise ops between the
        convolutions before it and itself become float with it.
        """
        assert isinstance(conv.op, ops.Conv2d)
        if conv.name in self.exact:
            return
        before = _elementwise_before(self.graph, conv, self.exact)
        noise = sum(self.plan.sensitivity.get(name, 0.0) for name in (*before, conv.name))
        whole = self._move({**dict.fromkeys(before, "f32"), conv.name: "f32"}, noise)
        if is_depthwise(conv.op) or conv.inputs[0] == self.graph.input.name:  # no such kernel; already exact
            yield whole
            return
        left = self.plan.dynamic_sensitivity.get(conv.name, noise)
        first = self._move({**whole.containers, conv.name: "w8a8-dynamic"}, noise - left)
        second = Move(whole.containers, left, whole.milliseconds - first.milliseconds)
        yield from (first, second) if self.worth(first) > self.worth(second) else (whole,)

    def _move(self, containers: Mapping[str, Container], noise: float) -> Move:
        return Move(containers, noise, self.milliseconds(self.plan.with_containers(containers)) - self.now)


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
