"""The graph: a flat list of nodes in execution order, from one picture to one picture.

Small on purpose. It is captured from the user's network, made edge-shaped by rewrites, calibrated,
and lowered; nodes are addressed by name and names are the module paths of the user's network.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import sha256
from typing import Generic, TypeVar

import numpy as np

from .ops import Conv2d, Input, Op

OpT = TypeVar("OpT", bound=Op, covariant=True)


@dataclass(frozen=True)
class Node(Generic[OpT]):
    """One op of the network.

    Attributes:
        name: module path in the user's network; `path#2` for the second application of a module.
        op: what it computes.
        inputs: names of the nodes it reads, in the op's order.
        source: file and line in the user's code that it came from, "" if unknown.
    """

    name: str
    op: OpT
    inputs: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes in execution order; the first is the `Input`, `output` names the result.

    Raises:
        ValueError: on construction, if a name is used twice or read before it is made.
    """

    nodes: tuple[Node, ...]
    output: str

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise ValueError(f"two nodes are named {node.name!r}")
            if missing := [name for name in node.inputs if name not in seen]:
                raise ValueError(f"{node.name!r} reads {missing} before they are computed")
            seen.add(node.name)
        if self.output not in seen:
            raise ValueError(f"the output {self.output!r} is not a node")

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def users(self) -> Mapping[str, tuple[Node, ...]]:
        """Name -> the nodes that read it, in order (a node that reads it twice appears twice)."""
        users: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                users[name].append(node)
        return {node.name: tuple(users[node.name]) for node in self.nodes}

    @property
    def input(self) -> Node:
        return self.nodes[0]

    @property
    def convs(self) -> tuple[Node[Conv2d], ...]:
        return tuple(node for node in self.nodes if isinstance(node.op, Conv2d))

    def only_user(self, name: str) -> Node | None:
        """The single reader of a node's value, or None if there are several or it is the output."""
        users = self.users[name]
        return users[0] if len(users) == 1 and name != self.output else None

    def replaced(
        self, changes: Mapping[str, Node | Sequence[Node] | None], output: str | None = None
    ) -> "Graph":
        """A graph with some nodes replaced by others (or by several, or dropped with None).

        Unreachable nodes are removed; readers of a dropped node must be among the changes.
        """
        nodes: list[Node] = []
        for node in self.nodes:
            change = changes.get(node.name, node)
            nodes.extend([] if change is None else [change] if isinstance(change, Node) else change)
        return Graph(tuple(nodes), output or self.output).pruned()

    def pruned(self) -> "Graph":
        """Without the nodes that the output does not depend on (the input always stays)."""
        needed = {self.output, self.input.name}
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        return Graph(tuple(node for node in self.nodes if node.name in needed), self.output)

    def renamed_inputs(self, old: str, new: str) -> "Graph":
        """The same nodes, with every reader of `old` reading `new`."""
        nodes = tuple(
            replace(node, inputs=tuple(new if name == old else name for name in node.inputs))
            if old in node.inputs
            else node
            for node in self.nodes
        )
        return Graph(nodes, new if self.output == old else self.output)


def single_input(channels: int = 3, name: str = "image") -> Node[Input]:
    """The picture that every graph starts with."""
    return Node(name, Input(channels))


def fingerprint(graph: Graph) -> bytes:
    """SHA-256 over names, kinds, attributes and weights: equal for graphs that compute the same alike."""
    digest = sha256(repr([(n.name, n.op.kind, n.inputs) for n in graph] + [graph.output]).encode())
    for node in graph:
        for item in fields(node.op):
            value = getattr(node.op, item.name)
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return digest.digest()
