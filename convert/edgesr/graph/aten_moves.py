"""Translations of ATen ops that only move elements (`moves`), and of linear layers on elements so moved."""

import operator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from . import ops
from .fx_nodes import UnsupportedOp, argument
from .moves import Moved
from .translation import Handlers, Translation, registrar, unsupported

aten = torch.ops.aten
MOVES: Handlers = {}
handles = registrar(MOVES)

MOST_INPUTS = 4096
"""Channels of a linear layer on one value per channel; its matrix is found by trying every one of them."""


_KEEPING = (
    aten.clone.default, aten.alias.default, aten.detach.default, aten.contiguous.default,
    aten._to_copy.default, aten.to.dtype, aten.lift_fresh_copy.default, aten.dropout.default,
)  # fmt: skip
"""Ops that change nothing at all, in evaluation."""


@handles(
    *_KEEPING, aten.view.default, aten._unsafe_view.default, aten.permute.default, aten.expand.default,
    aten.slice.Tensor, aten.select.int, aten.squeeze.dims, aten.squeeze.dim, aten.squeeze.default,
    aten.unsqueeze.default, aten.index.Tensor, aten.index_select.default, aten.flip.default,
    aten.repeat.default,
)  # fmt: skip
def _move(c: Translation, node: fx.Node) -> None:
    source: Any = node.args[0]
    value = node.meta["val"]
    if not (value.is_floating_point() or value.is_complex()):  # what follows complex ones says more
        raise UnsupportedOp("a conversion to whole numbers")
    if any(other not in c.known for other in node.all_input_nodes if other is not source):
        raise UnsupportedOp("elements chosen by something computed")
    if source in c.names and _shape(source) == _shape(node) and node.target in _NEVER_REORDERING:
        c.bind(node, c.names[source])
        return
    moved = c.arrangement(source)
    c.moved[node] = replace(moved, index=_applied(c, node, {source: moved.index}))


@handles(aten._assert_tensor_metadata.default)
def _assertion(c: Translation, node: fx.Node) -> None:
    """What torch.export notes about a type that is converted."""


_NEVER_REORDERING = (*_KEEPING, aten.view.default, aten.slice.Tensor, aten.expand.default)
"""Ops that change nothing where they leave the shape as it is."""


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _applied(c: Translation, node: fx.Node, indices: dict[fx.Node, Tensor]) -> Any:
    """What the op makes of places instead of values."""
    if node.target in _KEEPING:
        return next(iter(indices.values()))
    args, kwargs = fx.map_arg((node.args, node.kwargs), lambda n: indices[n] if n in indices else c.known[n])
    try:
        made = node.target(*args, **kwargs)  # type: ignore[operator]
    except RuntimeError as error:
        raise UnsupportedOp(f"an op that fails ({str(error).splitlines()[0]})") from error
    return made.contiguous() if isinstance(made, Tensor) else [part.contiguous() for part in made]


@handles(aten.cat.default)
def _cat(c: Translation, node: fx.Node) -> None:
    items: Any = node.args[0]
    if any(item in c.known for item in items):
        raise UnsupportedOp("a concatenation with something that is not computed from the picture")
    parts = {item: c.arrangement(item) for item in items}
    sources = {part.source: part for part in parts.values()}
    if argument(node, 1, "dim", 0) in (1, -3) and node.meta["val"].ndim == 4 and len(sources) > 1:
        c.emit(node, ops.Concat(), *(c.value(item) for item in items))
        return
    joined, offsets = _joined(c, node, list(sources.values()))
    indices = {item: part.index + offsets[part.source] for item, part in parts.items()}
    c.moved[node] = replace(joined, index=_applied(c, node, indices))


def _joined(c: Translation, node: fx.Node, sources: list[Moved]) -> tuple[Moved, dict[str, int]]:
    """One graph node that holds several, and where in it each begins."""
    if len(sources) == 1:
        return sources[0], {sources[0].source: 0}
    if len({source.shape[1:] for source in sources}) > 1:
        raise UnsupportedOp("a concatenation of pictures of unequal sizes")
    name = c.make(node, ops.Concat(), *(source.source for source in sources))
    ends = np.cumsum([np.prod(source.shape) for source in sources]).tolist()
    starts = dict(zip((source.source for source in sources), [0, *ends], strict=False))
    return Moved.whole(name, c.shapes[name]), starts


_SPLITS = (aten.split.Tensor, aten.split_with_sizes.default, aten.unbind.int)


@handles(*_SPLITS)
def _split(c: Translation, node: fx.Node) -> None:
    """Emits nothing: each part is an item of the result."""


@handles(operator.getitem)
def _getitem(c: Translation, node: fx.Node) -> None:
    made: Any
    made, index = node.args
    if made.target in _SPLITS:
        source = made.args[0]
        moved = c.arrangement(source)
        c.moved[node] = replace(moved, index=_applied(c, made, {source: moved.index})[index])
    elif made in c.names and index == 0:  # an output, and what only training needs
        c.bind(node, c.names[made])
    else:
        unsupported(c, node)


@handles(aten.linear.default, aten.conv1d.default)
def _linear(c: Translation, node: fx.Node) -> None:
    """A 1x1 convolution: of one value per channel, or of every pixel where channels come last."""
    source: Any = node.args[0]
    moved = c.arrangement(source)
    if moved.shape[1:] == (1, 1) and moved.is_complete:
        _of_one_pixel(c, node, moved)
        return
    given = (node.args[1], argument(node, 2, "bias", None))
    weight, bias = (None if value is None else c.constant(value) for value in given)
    pixels = moved.index.movedim(-1, 0).reshape(moved.index.shape[-1], -1)
    whole = torch.arange(moved.index.numel()).view(moved.shape[0], -1)
    if node.target is not aten.linear.default or weight is None or not torch.equal(pixels, whole):
        raise UnsupportedOp("a linear layer along something else than the channels")
    op = ops.Conv2d(weight[:, :, None, None], np.zeros(len(weight), np.float32) if bias is None else bias)
    name = c.make(node, op, moved.source)
    index = (
        torch.arange(len(weight) * pixels.shape[1]).view(len(weight), *moved.index.shape[:-1]).movedim(0, -1)
    )
    c.moved[node] = Moved(name, c.shapes[name], index)


def _of_one_pixel(c: Translation, node: fx.Node, moved: Moved) -> None:
    """Its matrix is what it makes of each unit vector."""
    source: Any = node.args[0]
    channels = moved.shape[0]
    if len(moved.index) != 1 or channels > MOST_INPUTS:
        raise UnsupportedOp("a linear layer on more than one vector")
    vectors = torch.cat([torch.zeros(1, channels), torch.eye(channels)]).view(-1, channels)
    made: Tensor = _applied(c, node, {source: vectors[:, moved.index[0]]})
    shift = made[:1].reshape(1, -1)
    matrix = (made[1:].reshape(channels, -1) - shift).T.contiguous()
    op = ops.Conv2d(matrix[:, :, None, None].numpy(), shift.reshape(-1).numpy())
    name = c.make(node, op, moved.source)
    c.moved[node] = Moved(name, c.shapes[name], torch.arange(matrix.shape[0]).view(1, *made.shape[1:]))
