"""Small exact rewrites from the network as written to the network as a phone should run it.

Each takes a graph and returns it with one more place rewritten, or None when there is none left;
`rewrite` applies the table until nothing changes. Float outputs stay equal up to rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np

from .graph import Graph, Node
from .ops import (
    Add,
    Clamp,
    Conv2d,
    LeakyRelu,
    Mul,
    Op,
    Pad,
    Padding,
    PixelShuffle,
    PRelu,
    Relu,
    Repeat,
    ResizeNearest,
    Sigmoid,
    Slice,
    Sub,
    Tanh,
)  # fmt: skip
from .shapes import channels

ELEMENTWISE = (Add, Sub, Mul, Relu, LeakyRelu, PRelu, Sigmoid, Tanh, Clamp)

Rewrite = Callable[[Graph], Graph | None]


def rewrite(graph: Graph) -> Graph:
    """The edge-shaped graph: every rewrite applied as often as it fits, the final ones to what remains."""
    before = None
    while graph is not before:
        before = graph
        for apply in REWRITES:
            graph = _as_often_as_it_fits(apply, graph)
        if graph is before:
            for apply in FINAL:
                graph = _as_often_as_it_fits(apply, graph)
    return graph


def _as_often_as_it_fits(apply: Rewrite, graph: Graph) -> Graph:
    while (after := apply(graph)) is not None:
        graph = after
    return graph


def is_affine(node: Node) -> bool:
    """A depthwise 1x1 convolution: per-channel scale and shift, for instance a folded batch norm."""
    op = node.op
    return (
        isinstance(op, Conv2d)
        and op.weight.shape[1:] == (1, 1, 1)
        and op.groups == op.weight.shape[0]
        and op.stride == (1, 1)
        and not op.padding
        and not op.relu
    )


def diagonal_to_affine(graph: Graph) -> Graph | None:
    """A 1x1 conv that only scales and shifts each channel (a mean shift) becomes depthwise."""
    for node in graph.convs:
        op = node.op
        if (
            not isinstance(op, Conv2d)
            or op.groups != 1
            or op.weight.shape[2:] != (1, 1)
            or len(op.weight) == 1
        ):
            continue
        matrix = op.weight[:, :, 0, 0]
        scale = np.diagonal(matrix)
        if matrix.shape[0] != matrix.shape[1] or np.any(matrix != np.diag(scale)):
            continue
        depthwise = replace(op, weight=scale.reshape(-1, 1, 1, 1).copy(), groups=len(scale))
        return graph.replaced({node.name: replace(node, op=depthwise)})
    return None


def fold_affine_into_conv_before(graph: Graph) -> Graph | None:
    """conv -> scale and shift becomes one conv (batch norm, residual scaling)."""
    for node in graph:
        if not is_affine(node):
            continue
        before = graph[node.inputs[0]]
        if not isinstance(before.op, Conv2d) or before.op.relu or graph.only_user(before.name) is not node:
            continue
        scale, shift = node.op.weight.reshape(-1), node.op.bias
        weight = before.op.weight * scale[:, None, None, None]
        merged = replace(before, op=replace(before.op, weight=weight, bias=before.op.bias * scale + shift))
        return graph.replaced({before.name: merged}).renamed_inputs(node.name, before.name).pruned()
    return None


def fold_affine_into_conv_after(graph: Graph) -> Graph | None:
    """Scale and shift -> conv becomes one conv; with zero padding only a pure scale is exact."""
    for node in graph:
        if not is_affine(node):
            continue
        after = graph.only_user(node.name)
        if after is None or not isinstance(after.op, Conv2d):
            continue
        scale, shift = node.op.weight.reshape(-1), node.op.bias
        if after.op.padding and np.any(shift):
            continue
        weight = after.op.weight * scale[after.op.reads][:, :, None, None]
        bias = after.op.bias + np.einsum("oihw,oi->o", after.op.weight, shift[after.op.reads])
        merged = replace(after, op=replace(after.op, weight=weight, bias=bias), inputs=node.inputs)
        return graph.replaced({node.name: None, after.name: merged})
    return None


def fuse_relu(graph: Graph) -> Graph | None:
    """conv -> ReLU and add -> ReLU become one op."""
    for node in graph:
        if not isinstance(node.op, Relu):
            continue
        before = graph[node.inputs[0]]
        if isinstance(before.op, Conv2d | Add) and graph.only_user(before.name) is node:
            fused = replace(before, op=replace(before.op, relu=True))
            return graph.replaced({before.name: fused}).renamed_inputs(node.name, before.name).pruned()
    return None


def collapse_pointwise_after_conv(graph: Graph) -> Graph | None:
    """k x k conv -> 1x1 conv without an activation between becomes one conv where that costs less."""
    for node in graph.convs:
        before = graph[node.inputs[0]]
        if not isinstance(node.op, Conv2d) or not isinstance(before.op, Conv2d) or is_affine(node):
            continue
        second, first = node.op, before.op
        pointwise = second.weight.shape[2:] == (1, 1) and second.stride == (1, 1) and not second.padding
        if not pointwise or second.groups != 1 or first.groups != 1 or first.relu:
            continue
        if graph.only_user(before.name) is not node or _macs(first, second) < _collapsed_macs(first, second):
            continue
        matrix = second.weight[:, :, 0, 0].astype(np.float64)
        weight = np.einsum("om,mihw->oihw", matrix, first.weight).astype(np.float32)
        bias = (matrix @ first.bias + second.bias).astype(np.float32)
        merged = replace(
            node, op=replace(first, weight=weight, bias=bias, relu=second.relu), inputs=before.inputs
        )
        return graph.replaced({before.name: None, node.name: merged})
    return None


def collapse_pointwise_before_conv(graph: Graph) -> Graph | None:
    """1x1 conv -> k x k conv without an activation between becomes one conv where that costs less.

    Around a padded picture the first one's bias would be missing, so it must have none there.
    """
    for node in graph.convs:
        before = graph[node.inputs[0]]
        second, first = node.op, before.op
        if not isinstance(first, Conv2d) or graph.only_user(before.name) is not node or first.relu:
            continue
        pointwise = first.weight.shape[2:] == (1, 1) and first.stride == (1, 1) and not first.padding
        if not pointwise or first.groups != 1 or second.groups != 1:
            continue
        if second.padding and first.bias.any():
            continue
        matrix = first.weight[:, :, 0, 0].astype(np.float64)
        weight = np.einsum("omhw,mi->oihw", second.weight, matrix).astype(np.float32)
        if first.weight.size + second.weight.size < weight.size:
            continue
        bias = (np.einsum("omhw,m->o", second.weight, first.bias) + second.bias).astype(np.float32)
        merged = replace(node, op=replace(second, weight=weight, bias=bias), inputs=before.inputs)
        return graph.replaced({before.name: None, node.name: merged})
    return None


def fold_pad_into_conv(graph: Graph) -> Graph | None:
    """Zeros around the picture -> conv becomes the padding of the conv."""
    for node in graph.convs:
        before = graph[node.inputs[0]]
        if not isinstance(before.op, Pad) or graph.only_user(before.name) is not node:
            continue
        own, more = node.op.padding, before.op.padding
        padding = Padding(*(a + b for a, b in zip(astuple(own), astuple(more), strict=True)))
        merged = replace(node, op=replace(node.op, padding=padding), inputs=before.inputs)
        return graph.replaced({before.name: None, node.name: merged})
    return None


def _macs(first: Conv2d, second: Conv2d) -> int:
    return first.weight.size + second.weight.size


def _collapsed_macs(first: Conv2d, second: Conv2d) -> int:
    return int(second.weight.shape[0] * np.prod(first.weight.shape[1:]))


def merge_parallel_convs(graph: Graph) -> Graph | None:
    """conv(x) + conv(x) becomes one conv with the sum of the kernels, the smaller one centred."""
    for node in graph:
        if not isinstance(node.op, Add):
            continue
        wide, small = sorted((graph[name] for name in node.inputs), key=_kernel_size, reverse=True)
        if not (isinstance(wide.op, Conv2d) and isinstance(small.op, Conv2d)) or wide.inputs != small.inputs:
            continue
        kernel = _centred(small.op, wide.op)
        if kernel is None or any(graph.only_user(n.name) is not node or n.op.relu for n in (wide, small)):
            continue
        op = replace(
            wide.op, weight=wide.op.weight + kernel, bias=wide.op.bias + small.op.bias, relu=node.op.relu
        )
        merged = replace(node, op=op, inputs=wide.inputs)
        return graph.replaced({wide.name: None, small.name: None, node.name: merged})
    return None


def _kernel_size(node: Node) -> int:
    return int(np.prod(node.op.weight.shape[2:])) if isinstance(node.op, Conv2d) else 0


def _centred(small: Conv2d, wide: Conv2d) -> np.ndarray | None:
    """The small kernel zero-padded to the wide one's size, or None if their geometries do not match."""
    same = (small.stride, small.dilation, small.groups) == (wide.stride, wide.dilation, wide.groups)
    a, b = small.padding, wide.padding
    before, after = (b.top - a.top, b.left - a.left), (b.bottom - a.bottom, b.right - a.right)
    fits = [w - s for w, s in zip(wide.weight.shape[2:], small.weight.shape[2:], strict=True)]
    if not same or small.dilation != (1, 1) or min(*before, *after) < 0:
        return None
    if [x + y for x, y in zip(before, after, strict=True)] != fits:
        return None
    return np.pad(small.weight, ((0, 0), (0, 0), (before[0], after[0]), (before[1], after[1])))


def nearest_to_shuffle(graph: Graph) -> Graph | None:
    """Nearest-neighbour resizing by r becomes r*r copies of each channel and a pixel shuffle."""
    for node in graph:
        if isinstance(node.op, ResizeNearest):
            copies = Node(f"{node.name}.repeat", Repeat(node.op.factor**2), node.inputs, node.source)
            shuffle = replace(node, op=PixelShuffle(node.op.factor), inputs=(copies.name,))
            return graph.replaced({node.name: (copies, shuffle)})
    return None


def add_before_shuffle(graph: Graph) -> Graph | None:
    """shuffle(a) + shuffle(b) becomes shuffle(a + b): one add on the small picture, one shuffle."""
    for node in graph:
        if not isinstance(node.op, Add):
            continue
        a, b = (graph[name] for name in node.inputs)
        if not (isinstance(a.op, PixelShuffle) and isinstance(b.op, PixelShuffle)):
            continue
        if a.op.factor != b.op.factor or any(graph.only_user(n.name) is not node for n in (a, b)):
            continue
        total = Node(f"{node.name}.before_shuffle", node.op, (a.inputs[0], b.inputs[0]), node.source)
        shuffle = replace(node, op=a.op, inputs=(total.name,))
        return graph.replaced({a.name: None, b.name: None, node.name: (total, shuffle)})
    return None


def split_where_sliced(graph: Graph) -> Graph | None:
    """What only slices read is made in slices: each then has a range of its own, and nothing is copied."""
    for node in graph:
        slices = graph.users[node.name]
        if node.name == graph.output or not _is_splittable(node.op) or not _are_apart(slices):
            continue
        names = {user.name: f"{node.name}{_mark(user.op)}" for user in slices}
        parts = [part for user in slices for part in _part(node, user.op)]
        rest = [n for n in graph if n.name not in names]
        nodes = (made for n in rest for made in (parts if n is node else [n]))
        renamed = (replace(n, inputs=tuple(names.get(name, name) for name in n.inputs)) for n in nodes)
        return Graph(tuple(renamed), names.get(graph.output, graph.output))
    return None


def _is_splittable(op: Op) -> bool:
    return isinstance(op, Relu | LeakyRelu | PRelu) or (isinstance(op, Conv2d) and op.groups == 1)


def _are_apart(nodes: Sequence[Node]) -> bool:
    """Whether these are slices, at least one, without a channel in common."""
    parts = [node.op for node in nodes if isinstance(node.op, Slice)]
    parts.sort(key=lambda op: op.start)
    return 0 < len(parts) == len(nodes) and all(a.stop <= b.start for a, b in pairwise(parts))


def _mark(op: Op) -> str:
    return f"[{op.start}:{op.stop}]" if isinstance(op, Slice) else ""


def _part(node: Node, part: Op) -> tuple[Node, ...]:
    """The nodes that make some channels of a node's value."""
    assert isinstance(part, Slice)
    rows, op, name = slice(part.start, part.stop), node.op, node.name + _mark(part)
    if isinstance(op, Conv2d):
        return (replace(node, name=name, op=replace(op, weight=op.weight[rows], bias=op.bias[rows])),)
    if isinstance(op, PRelu):
        op = replace(op, slope=op.slope[rows])
    source = Node(node.inputs[0] + _mark(part), part, node.inputs, node.source)
    return source, replace(node, name=name, op=op, inputs=(source.name,))


def copy_by_conv(graph: Graph) -> Graph | None:
    """Copies of channels that no pixel shuffle puts in place become a depthwise convolution of ones.

    Where the copies go to a shuffle alone, the targets read them in the shuffle's order without any op.
    """
    shuffled = {name for node in graph if isinstance(node.op, PixelShuffle) for name in _feeding(graph, node)}
    for node in graph:
        if isinstance(node.op, Repeat) and node.name not in shuffled:
            count = channels(graph)[node.name]
            ones, zeros = np.ones((count, 1, 1, 1), np.float32), np.zeros(count, np.float32)
            op = Conv2d(ones, zeros, groups=count // node.op.times)
            return graph.replaced({node.name: replace(node, op=op)})
    return None


def _feeding(graph: Graph, shuffle: Node) -> set[str]:
    """The nodes between convolutions or copies and a shuffle, if all of it is for the shuffle alone."""
    assert isinstance(shuffle.op, PixelShuffle)
    found: set[str] = set()
    left = [shuffle.inputs[0]]
    while left:
        node = graph[left.pop()]
        copies = isinstance(node.op, Repeat) and node.op.times == shuffle.op.factor**2
        ends = copies or (isinstance(node.op, Conv2d) and node.op.groups == 1)
        if graph.only_user(node.name) is None or not (ends or isinstance(node.op, ELEMENTWISE)):
            return set()
        found.add(node.name)
        left.extend(() if ends else node.inputs)
    return found


REWRITES: tuple[Rewrite, ...] = (
    diagonal_to_affine,
    fold_affine_into_conv_before,
    fold_affine_into_conv_after,
    collapse_pointwise_after_conv,
    collapse_pointwise_before_conv,
    fold_pad_into_conv,
    merge_parallel_convs,
    fuse_relu,
    nearest_to_shuffle,
    add_before_shuffle,
    split_where_sliced,
)

FINAL: tuple[Rewrite, ...] = (copy_by_conv,)
"""Rewrites that would be too early while others can still fire."""
