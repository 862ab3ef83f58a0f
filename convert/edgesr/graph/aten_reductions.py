"""Translations of what looks at a whole picture: means and standard deviations, in all their spellings."""

import math
from math import prod
from typing import Any

import numpy as np
import torch
from torch import fx

from . import ops
from .fx_nodes import UnsupportedOp, argument, node_name
from .moves import Moved
from .translation import Handlers, Translation, registrar

aten = torch.ops.aten
REDUCTIONS: Handlers = {}
handles = registrar(REDUCTIONS)

PICTURE = frozenset({2, 3})
"""The axes of height and width."""


def _axes(node: fx.Node, index: int, keepdim: int) -> frozenset[int]:
    """The axes that a node reduces; UnsupportedOp where they vanish or are not height and width."""
    axes = frozenset(axis % 4 for axis in argument(node, index, "dim", None) or range(4))
    if not axes <= PICTURE or not argument(node, keepdim, "keepdim", False):
        raise UnsupportedOp("a sum or deviation of other axes than height and width, or without keepdim")
    return axes


def _whole_picture(node: fx.Node, index: int, keepdim: int) -> None:
    if _axes(node, index, keepdim) != PICTURE:
        raise UnsupportedOp("a reduction of height or width alone")


def emit_mean(c: Translation, node: fx.Node, source: Any) -> None:
    """A mean of a tensor over the picture."""
    c.bind(node, _mean_of(c, node, c.value(source)))


def _mean_of(c: Translation, node: fx.Node, source: str) -> str:
    """The mean of a graph node, made once for each."""
    known = [made.name for made in c.nodes if isinstance(made.op, ops.Mean) and made.inputs == (source,)]
    return known[0] if known else c.make(node, ops.Mean(), source, name=node_name(node, "mean"))


@handles(aten.mean.dim)
def _mean(c: Translation, node: fx.Node) -> None:
    """Of each channel over the picture, or of each pixel over its channels, in whatever order they are."""
    moved = c.arrangement(node.args[0])  # type: ignore[arg-type]
    rank = moved.index.ndim
    axes = sorted(axis % rank for axis in argument(node, 1, "dim", None) or range(rank))
    rest = [axis for axis in range(rank) if axis not in axes]
    kept = [1 if axis in axes else size for axis, size in enumerate(moved.index.shape)]
    after = kept if argument(node, 2, "keepdim", False) else [moved.index.shape[axis] for axis in rest]
    members = moved.index.permute(*rest, *axes).reshape(prod(after), -1).sort().values
    channels, height, width = moved.shape
    places = torch.arange(channels * height * width)
    if torch.equal(members, places.view(channels, -1)):
        name = _mean_of(c, node, moved.source)
        c.moved[node] = Moved(name, c.shapes[name], torch.arange(channels).view(after))
    elif torch.equal(members[:, 0].sort().values, places[: height * width]) and torch.equal(
        members - members[:, :1], places[:: height * width].expand(len(members), -1)
    ):
        op = ops.Conv2d(np.full((1, channels, 1, 1), 1 / channels, np.float32), np.zeros(1, np.float32))
        name = c.make(node, op, moved.source)
        c.moved[node] = Moved(name, c.shapes[name], members[:, 0].view(after))
    else:
        raise UnsupportedOp("a mean of something else than a whole channel, or all channels of a pixel")


@handles(aten.sum.dim_IntList)
def _sum(c: Translation, node: fx.Node) -> None:
    """Emits nothing: the division by height times width, which makes it a mean, is yet to come."""
    source: Any = node.args[0]
    root, done = c.sums.get(source, (source, frozenset()))
    c.value(root)
    c.sums[node] = root, done | _axes(node, 1, 2)


@handles(aten.std.correction, aten.std.dim)
def _std(c: Translation, node: fx.Node) -> None:
    by_correction = node.target is aten.std.correction
    _whole_picture(node, 1, 3)
    if argument(node, 2, "correction", 1) if by_correction else argument(node, 2, "unbiased", True):
        raise UnsupportedOp("an unbiased standard deviation, which depends on the picture's size")
    c.emit(node, ops.Std(), c.value(node.args[0]))


_POWERS: dict[Any, float] = {aten.square.default: 2, aten.sqrt.default: 0.5}


@handles(aten.pow.Tensor_Scalar, aten.square.default, aten.sqrt.default)
def _power(c: Translation, node: fx.Node) -> None:
    exponent = _POWERS.get(node.target) or node.args[1]
    source = c.value(node.args[0])
    if exponent == 2:
        c.emit(node, ops.Mul(), source, source)
    elif exponent == 0.5 and (deviating := _deviating(c, source)) is not None:
        c.emit(node, ops.Std(), deviating, name=node_name(node, "std"))
    else:
        raise UnsupportedOp("a power other than a square, or the root of a variance")


def _deviating(c: Translation, name: str) -> str | None:
    """x where a node is the mean of (x - mean(x))^2."""
    chain = (ops.Mean, ops.Mul, ops.Sub)
    for kind in chain:
        node = c.made(name)
        if not isinstance(node.op, kind) or (kind is ops.Mul and len(set(node.inputs)) != 1):
            return None
        name = node.inputs[0]
    mean = c.made(node.inputs[1])
    return name if isinstance(mean.op, ops.Mean) and mean.inputs == (name,) else None


def is_mean(c: Translation, node: fx.Node) -> bool:
    """Whether a division, or a product with a number, makes a mean of a sum over the picture."""
    source: Any
    source, number = node.args[:2]
    if source not in c.sums or not isinstance(number, int | float):
        return False
    root, axes = c.sums[source]
    height, width = root.meta["val"].shape[2:]
    divisor = number if node.target is aten.div.Tensor else 1 / number
    return axes == PICTURE and math.isclose(divisor, height * width, rel_tol=1e-6)
