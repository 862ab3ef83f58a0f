"""The op kinds of the graph: frozen dataclasses that hold everything an executor or a target needs.

Tensors are (N,C,H,W). Weights are NumPy arrays in PyTorch's layout. An op says what it computes, never
how: each executor and each target has one function registered for each class of this file.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Op:
    """Base of all op kinds; `kind` is the word that reports and plans use."""

    @property
    def kind(self) -> str:
        return type(self).__name__

    def same_as(self, other: "Op") -> bool:
        """Equal kind, attributes and weights (dataclass equality is ambiguous on arrays)."""
        return type(self) is type(other) and all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)
        )


@dataclass(frozen=True)
class Padding:
    """Zero padding in pixels on each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __bool__(self) -> bool:
        return any((self.top, self.bottom, self.left, self.right))


NO_PADDING = Padding()


@dataclass(frozen=True, eq=False)
class Input(Op):
    """The low-resolution picture."""

    channels: int


@dataclass(frozen=True, eq=False)
class Conv2d(Op):
    """Convolution, optionally followed by ReLU.

    Attributes:
        weight: float32 (out, in / groups, kernel height, kernel width).
        bias: float32 (out,).
        stride, dilation: (vertical, horizontal).
        padding: zeros added around the input.
        groups: 1, or a divisor of the channel counts (depthwise when it equals the input channels).
        relu: whether a ReLU follows.
    """

    weight: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    relu: bool = False

    @property
    def reads(self) -> Array:
        """(out, in / groups): the input channel that each slice of the weight multiplies."""
        outputs, per_group = self.weight.shape[:2]
        group = np.repeat(np.arange(self.groups), outputs // self.groups)
        return group[:, None] * per_group + np.arange(per_group)


@dataclass(frozen=True, eq=False)
class Add(Op):
    """Sum of two tensors, optionally followed by ReLU.

    In all arithmetic of two tensors one of them may be (C,1,1): one value for each whole channel.
    """

    relu: bool = False


@dataclass(frozen=True, eq=False)
class Sub(Op):
    """First input minus second."""


@dataclass(frozen=True, eq=False)
class Mul(Op):
    """Elementwise product."""


@dataclass(frozen=True, eq=False)
class Concat(Op):
    """Inputs side by side along the channels."""


@dataclass(frozen=True, eq=False)
class Slice(Op):
    """The channels from `start` up to but without `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Mean(Op):
    """Mean of each channel over the whole picture, as (C,1,1)."""


@dataclass(frozen=True, eq=False)
class Std(Op):
    """Standard deviation of each channel over the whole picture, as (C,1,1); divided by n, not n - 1."""


@dataclass(frozen=True, eq=False)
class SquaredDifference(Op):
    """(first input - second)^2, a part of `Std`."""


@dataclass(frozen=True, eq=False)
class Sqrt(Op):
    """Square root, a part of `Std`."""


@dataclass(frozen=True, eq=False)
class Relu(Op):
    """max(x, 0), where it could not be fused into the op before it."""


@dataclass(frozen=True, eq=False)
class LeakyRelu(Op):
    """x where positive, slope * x elsewhere; the slope is a float32 value."""

    slope: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", float(np.float32(self.slope)))


@dataclass(frozen=True, eq=False)
class PRelu(Op):
    """LeakyReLU with one slope per channel: float32 (C,)."""

    slope: Array


@dataclass(frozen=True, eq=False)
class Sigmoid(Op):
    """1 / (1 + exp(-x))."""


@dataclass(frozen=True, eq=False)
class Tanh(Op):
    """Hyperbolic tangent."""


@dataclass(frozen=True, eq=False)
class Clamp(Op):
    """Limits values to [low, high], two float32 values."""

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", float(np.float32(self.low)))
        object.__setattr__(self, "high", float(np.float32(self.high)))


@dataclass(frozen=True, eq=False)
class MaxPool(Op):
    """Maximum over windows without padding; sizes are (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True, eq=False)
class PixelShuffle(Op):
    """Depth to space in PyTorch's channel order: channel c*r*r + i*r + j goes to pixel (i, j)."""

    factor: int


@dataclass(frozen=True, eq=False)
class Repeat(Op):
    """Each channel `times` times in a row, so that PixelShuffle makes a nearest-neighbour picture."""

    times: int


@dataclass(frozen=True, eq=False)
class ResizeBilinear(Op):
    """Bilinear, half-pixel centres: by an integer factor, or (0) to the size of the second input."""

    factor: int = 0


@dataclass(frozen=True, eq=False)
class ResizeNearest(Op):
    """Nearest neighbour by an integer factor."""

    factor: int


@dataclass(frozen=True, eq=False)
class DepthToSpace(Op):
    """PixelShuffle in TFLite's channel order: channel (i*r + j)*C + c goes to pixel (i, j)."""

    factor: int


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """Zeros around the picture, where a convolution's own padding cannot say it."""

    padding: Padding


PASS_THROUGH = (Slice, MaxPool, PixelShuffle, DepthToSpace, Repeat, Pad, ResizeBilinear, ResizeNearest)
"""Ops whose output values are input values (or lie between them): they keep range and scale."""
