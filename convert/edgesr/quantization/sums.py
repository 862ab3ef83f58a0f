"""Sums that one convolution reads, without rounding them.

conv(a + b) is one convolution of a and b side by side, its kernel repeated. int8 then rounds the two
terms, not their sum as well; and a term that nothing else reads gets channel scales of its own, with
which equalization stretches it over the grid of the other. At least one term must be of that kind;
shallow features, which are cheap to make, become so by being made a second time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, count

import numpy as np

from ..graph.graph import Graph, Node
from ..graph.ops import Add, Concat, Conv2d
from ..graph.shapes import multiplications, shapes

BUDGET = 0.1  # of the network's multiplications: what may be added
PROBE = 512  # height and width at which they are counted: no network needs more


@dataclass(frozen=True)
class _Place:
    """A convolution that reads a sum, and the shallow features among its terms that others read too."""

    conv: Node[Conv2d]
    total: Node
    copied: tuple[Node, ...]


def cheap_sums(graph: Graph) -> tuple[str, ...]:
    """Convolutions that read such sums, the cheapest first, as far as the budget goes."""
    costs = multiplications(graph, PROBE)
    places = [place for conv in graph.convs if (place := _place(graph, conv))]
    places.sort(key=lambda place: _cost(place, costs))
    spent = accumulate(_cost(place, costs) for place in places)
    budget = BUDGET * sum(costs.values())
    return tuple(p.conv.name for p, total in zip(places, spent, strict=True) if total <= budget)


def terms_apart(graph: Graph, convs: Iterable[str]) -> Graph:
    """The graph with the sums that these convolutions read replaced; outputs stay equal up to rounding.

    Raises:
        ValueError: if one of them does not read such a sum, or is none of the graph's.
    """
    for name in convs:
        conv = next((node for node in graph.convs if node.name == name), None)
        place = _place(graph, conv) if conv else None
        if place is None:
            raise ValueError(f"{name!r} is no convolution that reads a sum")
        graph = _apart(graph, place)
    return graph


def _place(graph: Graph, conv: Node[Conv2d]) -> _Place | None:
    total = graph[conv.inputs[0]]
    if conv.op.groups != 1 or not _is_plain_sum(graph, total):
        return None
    terms = [graph[name] for name in total.inputs]
    alone = [term for term in terms if graph.only_user(term.name) is total]
    copied = [term for term in terms if term not in alone and _is_shallow(graph, term)]
    return _Place(conv, total, tuple(copied)) if alone or copied else None


def _is_plain_sum(graph: Graph, node: Node) -> bool:
    """Of two different tensors of one size, for one reader."""
    if not isinstance(node.op, Add) or node.op.relu or graph.only_user(node.name) is None:
        return False
    sizes = shapes(graph, PROBE, PROBE)
    a, b = node.inputs
    return a != b and sizes[a] == sizes[b]


def _is_shallow(graph: Graph, node: Node) -> bool:
    return isinstance(node.op, Conv2d) and node.inputs[0] == graph.input.name


def _cost(place: _Place, costs: dict[str, int]) -> int:
    return sum(costs[node.name] for node in (place.conv, *place.copied))


def _apart(graph: Graph, place: _Place) -> Graph:
    conv, total = place.conv, place.total
    copies = {node.name: replace(node, name=_free_name(graph, node.name)) for node in place.copied}
    terms = tuple(copies[name].name if name in copies else name for name in total.inputs)
    beside = Node(_free_name(graph, f"{total.name}.terms", 1), Concat(), terms, total.source)
    op = replace(place.conv.op, weight=np.tile(place.conv.op.weight, (1, 2, 1, 1)))
    wider = replace(conv, op=op, inputs=(beside.name,))
    return graph.replaced({total.name: (*copies.values(), beside), conv.name: wider})


def _free_name(graph: Graph, path: str, first: int = 2) -> str:
    """As for one more application of the module, counted from `first`."""
    taken = {node.name for node in graph}
    names = (path if i == 1 else f"{path}#{i}" for i in count(first))
    return next(name for name in names if name not in taken)
