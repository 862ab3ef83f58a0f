"""Translations of ATen arithmetic: with constants, and between values that are computed from the picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx

from . import ops
from .aten_reductions import emit_mean, is_mean
from .fx_nodes import UnsupportedOp, argument, node_name
from .moves import Moved, settle
from .translation import Handlers, Translation, registrar

aten = torch.ops.aten
ARITHMETIC: Handlers = {}
handles = registrar(ARITHMETIC)


@handles(aten.add.Tensor, aten.sub.Tensor, aten.rsub.Scalar)
def _add_or_sub(c: Translation, node: fx.Node) -> None:
    first, second = node.args[:2]
    factor = float(argument(node, 2, "alpha", 1))
    if node.target is aten.rsub.Scalar:
        first, second = second, first
    sign = 1.0 if node.target is aten.add.Tensor else -1.0
    a, b = c.constant(first), c.constant(second)
    if b is not None:
        c.affine(node, first, 1.0, sign * factor * b)
    elif a is not None:
        c.affine(node, second, sign * factor, a)
    else:
        one, other = operands(c, node, first, second)
        if factor != 1:
            other = times(c, node, other, factor)
        between(c, node, ops.Add() if sign > 0 else ops.Sub(), one, other)


@handles(aten.mul.Tensor, aten.div.Tensor)
def _mul_or_div(c: Translation, node: fx.Node) -> None:
    first, second = node.args[:2]
    a, b = c.constant(first), c.constant(second)
    if is_mean(c, node):
        emit_mean(c, node, c.sums[first][0])  # type: ignore[index]
        return
    if node.target is aten.div.Tensor and b is None:
        raise UnsupportedOp("a division by something computed")
    if b is not None:
        c.affine(node, first, 1.0 / b if node.target is aten.div.Tensor else b, 0.0)
    elif a is not None:
        c.affine(node, second, a, 0.0)
    else:
        between(c, node, ops.Mul(), *operands(c, node, first, second))


@handles(aten.full_like.default)
def _filled(c: Translation, node: fx.Node) -> None:
    c.known[node] = torch.full(node.meta["val"].shape, float(node.args[1]))  # type: ignore[arg-type]


@handles(aten.neg.default)
def _neg(c: Translation, node: fx.Node) -> None:
    c.affine(node, node.args[0], -1.0, 0.0)


@handles(aten.abs.default)
def _abs(c: Translation, node: fx.Node) -> None:
    """relu(x) + relu(-x)"""
    moved = c.arrangement(node.args[0])  # type: ignore[arg-type]
    negative = times(c, node, moved, -1.0)
    both = (c.make(node, ops.Relu(), part.source) for part in (moved, negative))
    c.moved[node] = replace(moved, source=c.make(node, ops.Add(), *both))


@handles(aten.maximum.default, aten.minimum.default)
def _extreme(c: Translation, node: fx.Node) -> None:
    """max(a, b) is a + relu(b - a), min(a, b) is a - relu(a - b)."""
    first, second = node.args[:2]
    if c.constant(first) is not None or c.constant(second) is not None:
        raise UnsupportedOp("a maximum or minimum with a constant that is not a number")
    one, other = operands(c, node, first, second)
    largest = node.target is aten.maximum.default
    sources = (other.source, one.source) if largest else (one.source, other.source)
    excess = c.make(node, ops.Relu(), c.make(node, ops.Sub(), *sources))
    between(c, node, ops.Add() if largest else ops.Sub(), one, replace(one, source=excess))


def times(c: Translation, node: fx.Node, moved: Moved, factor: float) -> Moved:
    """All elements times a number."""
    channels = moved.shape[0]
    weight = np.full((channels, 1, 1, 1), factor, np.float32)
    op = ops.Conv2d(weight, np.zeros(channels, np.float32), groups=channels)
    return replace(moved, source=c.make(node, op, moved.source))


def between(c: Translation, node: fx.Node, op: ops.Op, first: Moved, second: Moved) -> None:
    """Emits the arithmetic of two operands."""
    name = c.make(node, op, first.source, second.source)
    if c.shapes[name] == first.shape:
        c.moved[node] = replace(first, source=name)
    else:
        c.moved[node] = replace(second, source=name)


def operands(c: Translation, node: fx.Node, first: Any, second: Any) -> tuple[Moved, Moved]:
    """Two values whose graph nodes can be added or multiplied, either of them being one for each channel.

    Elements that are moved alike need not be put in place.
    """
    a, b = c.arrangement(first), c.arrangement(second)
    if a.shape == b.shape and a.index.shape == b.index.shape and torch.equal(a.index, b.index):
        return a, b
    shape = tuple(node.meta["val"].shape)
    pair = [_settled(c, value, shape) for value in (first, second)]
    channels = max(c.shapes[name][0] for name in pair)
    names = [_widened(c, node, name, channels) for name in pair]
    shapes = [c.shapes[name] for name in names]
    if shapes[0] != shapes[1] and (1, 1) not in [s[1:] for s in shapes]:
        raise UnsupportedOp(f"arithmetic between shapes {a.index.shape} and {b.index.shape}")
    whole = [Moved.whole(name, c.shapes[name]) for name in names]
    return whole[0], whole[1]


def _settled(c: Translation, value: Any, shape: tuple[int, ...]) -> str:
    """A picture, or one value for each channel, in place."""
    moved = c.moved.get(value)
    if moved is None:
        return c.value(value)
    index = moved.index
    index = index.reshape((1,) * (len(shape) - index.ndim) + tuple(index.shape))
    if (
        index.ndim == 4
        and moved.shape[1:] == (1, 1)
        and torch.equal(index, index[:, :, :1, :1].expand_as(index))
    ):
        index = index[:, :, :1, :1]
    elif index.shape == moved.index.shape:
        return c.value(value)
    return settle(c, value, replace(moved, index=index))


def _widened(c: Translation, node: fx.Node, name: str, channels: int) -> str:
    """One channel as several alike."""
    if channels == 1 or c.shapes[name][0] != 1:
        return name
    ones, zeros = np.ones((channels, 1, 1, 1), np.float32), np.zeros(channels, np.float32)
    return c.make(node, ops.Conv2d(ones, zeros), name, name=node_name(node, "widened"))
