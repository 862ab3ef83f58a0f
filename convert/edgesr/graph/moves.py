"""Elements of a graph node in another order: what views, permutations, slices, copies and flips make.

Such ops are not translated one by one. Each is applied to a tensor that holds, for every element, its place
in the graph node that it comes from; what the chain of them has done shows when its result is used. So a
pixel shuffle or a channel shuffle is found in whatever ops the user has spelled it.
"""

import operator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, fx

from . import ops
from .fx_nodes import UnsupportedOp, node_name
from .shapes import Shape

if TYPE_CHECKING:
    from .translation import Translation

MAX_RUNS = 5
"""Runs of channels that are sliced and concatenated; more of them are put in order by a convolution."""


@dataclass(frozen=True)
class Moved:
    """Elements of a graph node.

    Attributes:
        source: the graph node's name; `shape`: (channels, height, width) of its value.
        index: int64, of any shape: the place of each element in the flattened value.
    """

    source: str
    shape: Shape
    index: Tensor

    @classmethod
    def whole(cls, source: str, shape: Shape) -> "Moved":
        """The value as it is, as (1,channels,height,width)."""
        return cls(source, shape, torch.arange(prod(shape)).view(1, *shape))

    @property
    def is_complete(self) -> bool:
        """Whether every element occurs exactly once."""
        count = prod(self.shape)
        if self.index.numel() != count:
            return False
        return torch.equal(self.index.reshape(-1), torch.arange(count)) or len(self.index.unique()) == count

    def per_channel(self, value: np.ndarray) -> np.ndarray:
        """A constant that is broadcast against the elements, as one value per channel: float32 (channels,).

        Raises:
            UnsupportedOp: it is not the same all over each channel.
        """
        channels = self.shape[0]
        if value.size == 1:
            return np.full(channels, value.reshape(-1)[0], np.float32)
        refused = UnsupportedOp(f"arithmetic with a constant of shape {tuple(value.shape)}")
        try:
            spread = np.broadcast_to(value, tuple(self.index.shape))
        except ValueError as error:
            raise refused from error
        if not self.is_complete:
            raise refused
        placed = np.empty(prod(self.shape), np.float32)
        placed[self.index.numpy().reshape(-1)] = spread.reshape(-1)
        rows = placed.reshape(channels, -1)
        if np.any(rows != rows[:, :1]):
            raise refused
        return np.ascontiguousarray(rows[:, 0])


def settle(c: "Translation", node: fx.Node, moved: Moved) -> str:
    """The graph node that holds the elements as a picture, made from the one that they come from.

    Raises:
        UnsupportedOp: no graph op puts them into that order.
    """
    index = moved.index
    if index.ndim != 4 or len(index) != 1:
        raise UnsupportedOp(f"a tensor of shape {tuple(index.shape)} in place of a picture", node)
    if tuple(index.shape[1:]) == moved.shape and torch.equal(index, Moved.whole("", moved.shape).index):
        return moved.source
    (_, height, width), (_, rows, columns) = moved.shape, index.shape[1:]
    place = np.stack(
        np.unravel_index(index[0].numpy(), moved.shape)
    )  # (channel, row, column) of each element
    if rows % height == 0 and columns == width * (rows // height):
        made = _enlarged(c, node, moved, place, rows // height)
    elif height % rows == 0 and width == columns * (height // rows):
        made = _unshuffled(c, node, moved, place, height // rows)
    else:
        made = _cropped(c, node, moved, place)
    if made is None:
        raise UnsupportedOp("pixels in another order, or a picture that is put together of parts", node)
    return made


def _enlarged(c: "Translation", node: fx.Node, moved: Moved, place: np.ndarray, factor: int) -> str | None:
    """Channels in another order, and for a factor above 1 a pixel shuffle."""
    count, rows, columns = place.shape[1:]
    blocks = place.reshape(3, count, rows // factor, factor, columns // factor, factor)
    table = blocks[0, :, :1, :, :1]
    y, x = np.ogrid[: rows // factor, : columns // factor]
    if not (
        np.all(blocks[0] == table)
        and np.all(blocks[1] == y[:, None, :, None])
        and np.all(blocks[2] == x[:, None, :, None])
    ):
        return None
    name = _channels(c, node, moved.source, moved.shape[0], table.reshape(-1))
    return name if factor == 1 else c.make(node, ops.PixelShuffle(factor), name, name=_label(node))


def _unshuffled(c: "Translation", node: fx.Node, moved: Moved, place: np.ndarray, factor: int) -> str | None:
    """Space to depth: a convolution with a stride, whose kernels each pick one pixel of a block."""
    rows, columns = place.shape[2:]
    offset = place - _grid(rows, columns, factor)
    if np.any(offset != offset[:, :, :1, :1]) or np.any(offset[1:] < 0) or np.any(offset[1:] >= factor):
        return None
    channels, area = moved.shape[0], factor**2
    weight = np.tile(np.eye(area, dtype=np.float32).reshape(area, 1, factor, factor), (channels, 1, 1, 1))
    zeros = np.zeros(channels * area, np.float32)
    op = ops.Conv2d(weight, zeros, stride=(factor, factor), groups=channels)
    name = c.make(node, op, moved.source, name=f"{_label(node)}.unshuffle")
    channel, row, column = offset[:, :, 0, 0]
    return _channels(c, node, name, channels * area, channel * area + row * factor + column)


def _cropped(c: "Translation", node: fx.Node, moved: Moved, place: np.ndarray) -> str | None:
    """A border cut off: a convolution without padding, whose kernel picks one pixel."""
    (channels, height, width), (rows, columns) = moved.shape, place.shape[2:]
    offset = place - _grid(rows, columns)
    if rows > height or columns > width or np.any(offset != offset[:, :, :1, :1]):
        return None
    if np.any(offset[1:] != offset[1:, :1]):
        return None
    kernel = np.zeros((height - rows + 1, width - columns + 1), np.float32)
    kernel[offset[1, 0, 0, 0], offset[2, 0, 0, 0]] = 1
    weight = np.tile(kernel, (channels, 1, 1, 1))
    op = ops.Conv2d(weight, np.zeros(channels, np.float32), groups=channels)
    name = c.make(node, op, moved.source, name=f"{_label(node)}.crop")
    return _channels(c, node, name, channels, offset[0, :, 0, 0])


def _grid(rows: int, columns: int, step: int = 1) -> np.ndarray:
    """(channel 0, row, column) of every step-th pixel, to compare places with: (3, 1, rows, columns)."""
    y, x = np.mgrid[: rows * step : step, : columns * step : step]
    return np.stack([np.zeros_like(y), y, x])[:, None]


def _channels(c: "Translation", node: fx.Node, source: str, count: int, order: np.ndarray) -> str:
    """The channels of a node in another order, some of them several times or not at all."""
    own, times = np.arange(count), len(order) // count
    cuts = np.flatnonzero(np.diff(order) != 1) + 1
    runs = np.split(order, cuts)
    if np.array_equal(order, own):
        return source
    if count > 1 and np.array_equal(order, np.repeat(own, times)):
        return c.make(node, ops.Repeat(times), source, name=_label(node))
    if 1 < len(runs) <= MAX_RUNS and all(len(run) == count for run in runs):
        return c.make(node, ops.Concat(), *[source] * len(runs), name=_label(node))
    if len(runs) == 1:
        return c.make(node, _slice(runs[0]), source, name=_label(node))
    select = np.eye(count, dtype=np.float32)[order].reshape(len(order), count, 1, 1)
    return c.make(node, ops.Conv2d(select, np.zeros(len(order), np.float32)), source, name=_label(node))


def _slice(run: np.ndarray) -> ops.Slice:
    return ops.Slice(int(run[0]), int(run[-1]) + 1)


def _label(node: fx.Node) -> str:
    """A part of a split goes by the split's name."""
    split = node.args[0] if node.target is operator.getitem else node
    assert isinstance(split, fx.Node)
    return node_name(split)
