"""Which ratios of scales the int8 kernels take.

Beyond them LiteRT runs an op with another kernel, whose rounding is not the reference's, or refuses the
whole program (a convolution at 256 and above). All limits but the convolution's lower one, which is what
XNNPACK states, were measured at their edges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import ops
from .affine import QParams
from .reference import requantization_scales
from .typed import QConv2d, Requantize

Ratios = np.ndarray


@dataclass(frozen=True)
class Limit:
    """The magnitudes that an op's ratios may have.

    Attributes:
        ratios: float32 ratios of an op from its input scales and its output scale.
        low: the smallest magnitude allowed.
        high: the bound above, itself allowed where `closed`.
    """

    ratios: Callable[[ops.Op, Sequence[QParams], QParams], Ratios]
    low: float
    high: float
    closed: bool = False


def fits(op: ops.Op, inputs: Sequence[QParams], out: QParams) -> bool:
    """Whether int8 kernels compute an op with these formats; always true for ops without a limit."""
    limit = LIMITS.get(type(op))
    if limit is None:
        return True
    ratios = limit.ratios(op, inputs, out)
    size = np.abs(ratios)
    below = size <= limit.high if limit.closed else size < limit.high
    return bool((size >= limit.low).all() and below.all() and ratios.min() >= LOWEST)


def _each(op: ops.Op, inputs: Sequence[QParams], out: QParams) -> Ratios:
    return np.array([np.float32(q.scale) / np.float32(out.scale) for q in inputs])


def _both_slopes(op: ops.Op, inputs: Sequence[QParams], out: QParams) -> Ratios:
    assert isinstance(op, ops.LeakyRelu)
    return _each(op, inputs, out) * np.array([1.0, op.slope], np.float32)


def _product(op: ops.Op, inputs: Sequence[QParams], out: QParams) -> Ratios:
    scales = [np.float32(q.scale) for q in inputs]
    return np.array([scales[0] * scales[1] / np.float32(out.scale)])


def _channels(op: ops.Op, inputs: Sequence[QParams], out: QParams) -> Ratios:
    assert isinstance(op, QConv2d)
    return requantization_scales(op, inputs[0], out)


LOWEST = -127.99609375  # of a ratio with a sign: only a leaky ReLU of negative slope has one
LIMITS: dict[type[ops.Op], Limit] = {
    Requantize: Limit(_each, 2**-8, 2**7, closed=True),
    ops.LeakyRelu: Limit(_both_slopes, 2**-8, 2**7, closed=True),
    ops.Add: Limit(_each, 2**-10, 2**8),
    ops.Sub: Limit(_each, 2**-10, 2**8),
    ops.Mul: Limit(_product, 2**-16, 2**8),
    QConv2d: Limit(_channels, 2**-32, 2**8),
}
