"""What each convolution of a network is to the quantization papers: head, body, tail, and what lies between.

The papers name layers of EDSR, SRResNet and RDN (METHODS A.3); here the same roles are read off the graph,
so that every network has them. For those three the result is the papers' own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ...graph import ops
from ...graph.graph import Graph, Node
from ...graph.rewrites import is_affine
from ...graph.shapes import ANY_SIDE, shapes
from ..containers import body

COLOURS = 3
_BENT = (ops.Relu, ops.LeakyRelu, ops.PRelu, ops.Sigmoid, ops.Tanh, ops.Clamp, ops.Mul, ops.Std, ops.MaxPool)
"""Kinds that are not linear."""
_ACTIVATIONS = (ops.Relu, ops.LeakyRelu, ops.PRelu, ops.Clamp)


@dataclass(frozen=True)
class Roles:
    """Names of convolutions by what they are, in the order of execution.

    Attributes:
        head: those that read the picture, and a linear one that alone follows them (RDN has two).
        body: those between; the ones that methods of adaptive width widen and narrow.
        fusion: 1x1 convolutions that end a residual block by fusing a concatenation: base width, always.
        last: the convolution after the last block, whose result is added to the head's; none where two of
            them fuse all blocks (RDN), for these belong to the body.
        tail: up-sampler and output.
        blocks: nodes whose values are the outputs of residual blocks: the sums of the body in which one
            term is made of the other, or, where there are none, the body's convolutions.
    """

    head: tuple[str, ...]
    body: tuple[str, ...]
    fusion: tuple[str, ...]
    last: tuple[str, ...]
    tail: tuple[str, ...]
    blocks: tuple[str, ...]


def roles(graph: Graph) -> Roles:
    """The roles of a network's convolutions.

    Left out, and always float: mean shifts and colour transforms, and interpolation, that is convolutions on
    a path from picture to output that no activation lies on (the chroma of a Y-only network).
    """
    return _Reading(graph).roles


class _Reading:
    """One graph, and what follows from it step by step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def roles(self) -> Roles:
        head, tail, last = self.head, self.tail, self.last
        between = [k.name for k in self.kernels if k.name not in head | tail | last]
        fusion = {name for name in between if self._is_fusion(self.graph[name])}
        blocks = tuple(node.name for node in self.graph if self._ends_block(node))
        return Roles(
            head=self._ordered(head),
            body=tuple(name for name in between if name not in fusion),
            fusion=self._ordered(fusion),
            last=self._ordered(last),
            tail=self._ordered(tail),
            blocks=blocks or tuple(between),
        )

    def _ordered(self, names: set[str]) -> tuple[str, ...]:
        return tuple(node.name for node in self.graph if node.name in names)

    @cached_property
    def ancestors(self) -> dict[str, frozenset[str]]:
        """Name -> the nodes that its value depends on."""
        known: dict[str, frozenset[str]] = {}
        for node in self.graph:
            known[node.name] = frozenset(node.inputs).union(*(known[name] for name in node.inputs))
        return known

    def _above(self, names: Iterable[str]) -> set[str]:
        """The nodes that depend on one of these."""
        wanted = set(names)
        return {name for name, below in self.ancestors.items() if below & wanted}

    @cached_property
    def kernels(self) -> tuple[Node[ops.Conv2d], ...]:
        """The convolutions that have a role."""
        aside = self._colour_transforms() | self._interpolation()
        return tuple(c for c in self.graph.convs if not is_affine(c) and c.name not in aside)

    @cached_property
    def _kernel_names(self) -> frozenset[str]:
        return frozenset(node.name for node in self.kernels)

    def _colour_transforms(self) -> set[str]:
        """1x1 convolutions from the picture's colours to colours."""
        found: set[str] = set()
        convs = {conv.name for conv in self.graph.convs if not is_affine(conv)}
        for conv in self.graph.convs:
            pointwise = conv.op.weight.shape[2:] == (1, 1) and len(conv.op.weight) <= COLOURS
            if pointwise and self.ancestors[conv.name] & convs <= found:
                found.add(conv.name)
        return found

    def _interpolation(self) -> set[str]:
        convs = {conv.name for conv in self.graph.convs}
        bent = {n.name for n in self.graph if isinstance(n.op, _BENT) or getattr(n.op, "relu", False)}
        below_convs = set().union(*(self.ancestors[name] for name in convs))
        inner = bent & below_convs
        if not inner:
            return set()
        before = set().union(*(self.ancestors[name] for name in inner))
        return convs - inner - before - self._above(inner)

    @cached_property
    def head(self) -> set[str]:
        first = {k.name for k in self.kernels if not self.ancestors[k.name] & self._kernel_names}
        return first | {k.name for k in self.kernels if self._continues(k, first)}

    def _continues(self, conv: Node[ops.Conv2d], first: set[str]) -> bool:
        """Whether a convolution alone follows the first one, linear as that is, the long skip aside."""
        source = conv.inputs[0]
        others = [user for user in self.graph.users[source] if user.name != conv.name]
        linear = not (
            conv.op.relu or any(isinstance(u.op, _ACTIVATIONS) for u in self.graph.users[conv.name])
        )
        skips = all(isinstance(user.op, ops.Add) and not self._precedes_body(user) for user in others)
        return source in first and linear and bool(others) and skips

    @cached_property
    def tail(self) -> set[str]:
        """What no convolution follows before the resolution changes, and what reads larger pictures."""
        sizes = shapes(self.graph, ANY_SIDE, ANY_SIDE)
        large = {k.name for k in self.kernels if sizes[k.inputs[0]][1] > ANY_SIDE}
        inner = {node.name for node in body(self.graph)}
        first = {k.name for k in self.kernels if not self.ancestors[k.name] & self._kernel_names}
        return large | (self._kernel_names - inner - first)

    @cached_property
    def last(self) -> set[str]:
        found = set()
        for node in self.graph:
            if not isinstance(node.op, ops.Add) or self._precedes_body(node):
                continue
            inner = [name for name in node.inputs if name in self._kernel_names - self.head - self.tail]
            shallow = [name for name in node.inputs if self._is_shallow(name)]
            if inner and shallow and not self._follows_a_convolution(inner[0]):
                found.add(inner[0])
        return found

    def _is_shallow(self, name: str) -> bool:
        """Whether a value is the head's, perhaps through an activation."""
        made_by = self.ancestors[name] | {name}
        return bool(made_by & self.head) and not made_by & (self._kernel_names - self.head)

    def _follows_a_convolution(self, name: str) -> bool:
        source = self.graph[self.graph[name].inputs[0]]
        while isinstance(source.op, _ACTIVATIONS):
            source = self.graph[source.inputs[0]]
        return isinstance(source.op, ops.Conv2d)

    def _precedes_body(self, node: Node) -> bool:
        """Whether a convolution that is not the tail's depends on a node."""
        return any(node.name in self.ancestors[name] for name in self._kernel_names - self.tail)

    def _is_fusion(self, conv: Node) -> bool:
        user = self.graph.only_user(conv.name)
        pointwise = isinstance(conv.op, ops.Conv2d) and conv.op.weight.shape[2:] == (1, 1)
        fuses = isinstance(self.graph[conv.inputs[0]].op, ops.Concat)
        return pointwise and fuses and user is not None and self._ends_block(user)

    def _ends_block(self, node: Node) -> bool:
        """A sum inside the body in which one term is made of the other."""
        if not isinstance(node.op, ops.Add) or not self._precedes_body(node):
            return False
        a, b = node.inputs
        return a in self.ancestors[b] or b in self.ancestors[a]
