"""Translations of what looks at a whole picture: means and standard deviations, in all their spellings."""

import math
from typing import Any

import torch
from torch import fx

from . import ops
from .fx_nodes import UnsupportedOp, argument, node_name
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
        raise UnsupportedOp("a reduction of other axes than height and width, or without keepdim")
    return axes


def _whole_picture(node: fx.Node, index: int, keepdim: int) -> None:
    if _axes(node, index, keepdim) != PICTURE:
        raise UnsupportedOp("a reduction of height or width alone")


def emit_mean(c: Translation, node: fx.Node, source: Any) -> None:
    """A mean of a tensor, once for each tensor."""
    inputs = (c.value(source),)
    known = [made.name for made in c.nodes if isinstance(made.op, ops.Mean) and made.inputs == inputs]
    if known:
        c.names[node] = known[0]
    else:
        c.emit(node, ops.Mean(), *inputs, name=node_name(node, "mean"))


@handles(aten.mean.dim)
def _mean(c: Translation, node: fx.Node) -> None:
    _whole_picture(node, 1, 2)
    emit_mean(c, node, node.args[0])


@handles(aten.adaptive_avg_pool2d.default)
def _global_pool(c: Translation, node: fx.Node) -> None:
    if list(node.args[1]) != [1, 1]:  # type: ignore[arg-type]
        raise UnsupportedOp("an adaptive pooling to something else than 1x1")
    emit_mean(c, node, node.args[0])


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
