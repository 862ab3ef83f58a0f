"""Translations of ATen arithmetic between tensors, of ops that only move channels, or change nothing."""

import operator
from typing import Any

import torch
from torch import fx

from . import ops
from .aten_reductions import emit_mean, is_mean
from .fx_nodes import UnsupportedOp, argument, check_shapes, node_name
from .translation import Handlers, Translation, registrar, unsupported

aten = torch.ops.aten
ARITHMETIC: Handlers = {}
handles = registrar(ARITHMETIC)


@handles(aten.add.Tensor, aten.sub.Tensor, aten.rsub.Scalar)
def _add_or_sub(c: Translation, node: fx.Node) -> None:
    first, second = node.args[:2]
    if argument(node, 2, "alpha", 1) != 1:
        raise UnsupportedOp("an addition with alpha")
    if node.target is aten.rsub.Scalar:
        first, second = second, first
    negative = node.target is not aten.add.Tensor
    a, b = c.constant(first), c.constant(second)
    if b is not None:
        c.affine(node, first, 1.0, -b if negative else b)
    elif a is not None:
        c.affine(node, second, -1.0 if negative else 1.0, a)
    else:
        check_shapes(first, second)
        c.emit(node, ops.Sub() if negative else ops.Add(), c.value(first), c.value(second))


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
        check_shapes(first, second)
        c.emit(node, ops.Mul(), c.value(first), c.value(second))


@handles(aten.neg.default)
def _neg(c: Translation, node: fx.Node) -> None:
    c.affine(node, node.args[0], -1.0, 0.0)


@handles(aten.cat.default)
def _cat(c: Translation, node: fx.Node) -> None:
    if argument(node, 1, "dim", 0) not in (1, -3):
        raise UnsupportedOp("a concatenation along another axis than the channels")
    c.emit(node, ops.Concat(), *(c.value(item) for item in node.args[0]))  # type: ignore[union-attr]


@handles(aten.slice.Tensor)
def _slice(c: Translation, node: fx.Node) -> None:
    source: Any = node.args[0]
    shapes = [tuple(n.meta["val"].shape) for n in (source, node)]
    start, step = argument(node, 2, "start", None) or 0, argument(node, 4, "step", 1)
    if shapes[0] == shapes[1]:
        c.names[node] = c.value(source)
    elif argument(node, 1, "dim", 0) not in (1, -3) or step != 1:
        raise UnsupportedOp("a slice that is not one run of channels")
    else:
        start += shapes[0][1] if start < 0 else 0
        c.emit(node, ops.Slice(start, start + shapes[1][1]), c.value(source))


_SPLITS = (aten.split.Tensor, aten.split_with_sizes.default)


@handles(*_SPLITS)
def _split(c: Translation, node: fx.Node) -> None:
    """Emits nothing: each part is an item of the result."""
    if argument(node, 2, "dim", 0) not in (1, -3):
        raise UnsupportedOp("a split along another axis than the channels")


def _part(c: Translation, node: fx.Node, split: fx.Node, index: int) -> None:
    sizes = [part.shape[1] for part in split.meta["val"]]
    start = sum(sizes[:index])
    c.emit(node, ops.Slice(start, start + sizes[index]), c.value(split.args[0]), name=node_name(split))


@handles(
    aten.clone.default, aten.alias.default, aten.detach.default, aten.contiguous.default,
    aten.dropout.default, aten._to_copy.default, aten.to.dtype, aten.lift_fresh_copy.default,
)  # fmt: skip
def _alias(c: Translation, node: fx.Node) -> None:
    constant = c.constant(node.args[0])
    if constant is not None:
        c.constants[node] = constant
    else:
        c.names[node] = c.value(node.args[0])


@handles(operator.getitem)
def _getitem(c: Translation, node: fx.Node) -> None:
    source, index = node.args
    if getattr(source, "target", None) is aten._native_batch_norm_legit_no_training.default and index == 0:
        c.names[node] = c.value(source)
    elif getattr(source, "target", None) in _SPLITS:
        _part(c, node, source, index)  # type: ignore[arg-type]
    else:
        unsupported(c, node)
