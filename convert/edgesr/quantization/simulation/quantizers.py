"""The quantizers of the papers, as differentiable functions of tensor, range and width.

Rounding is to the nearest level, ties to even, and passes gradients straight through. Weights leave the rest
to autograd; activations are large, and have the same gradients written out (METHODS A.2).
"""

from math import log
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BITS = range(2, 9)
"""Widths that can be simulated."""

Number = Tensor | float


def straight_through(value: Tensor, slope: Tensor) -> Tensor:
    """`value` exactly, with the gradient of `slope`."""
    return value.detach() + (slope - slope.detach())


def round_through(x: Tensor) -> Tensor:
    """Nearest whole number, ties to even; the gradient is one."""
    return straight_through(x.round(), x)


def quantize_activation(x: Tensor, low: Number, high: Number, bits: Number) -> Tensor:
    """x on the 2^bits levels from low to high, clipped to them; zero need not be one (METHODS A.2).

    Args:
        x: (N, ...).
        low, high: one number each, low < high.
        bits: one number, or one for each picture, (N,); has a gradient as if it need not be whole.
    """
    numbers = (torch.as_tensor(number, dtype=x.dtype) for number in (low, high, bits))
    result: Tensor = _QuantizeActivation.apply(x, *numbers)
    return result


class _QuantizeActivation(torch.autograd.Function):
    """With t = (clip(x) - low) / (high - low), N = 2^bits - 1 and k = round(N t): low + (high - low) k / N.

    In range the gradients are 1 for x, k/N - t for high, t - k/N for low; outside 1 for the bound that was
    met. That for bits is (high - low) (t - k/N) 2^bits ln 2 / N.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Tensor, high: Tensor, bits: Tensor) -> Tensor:
        span = high - low
        steps = (2.0**bits - 1).reshape(-1, *(1,) * (x.ndim - 1)) if bits.ndim else 2.0**bits - 1
        share = (x - low).div_(span)
        level = share.clamp(0, 1).mul_(steps).round_().div_(steps)
        ctx.save_for_backward(share, level, span, bits)
        return level * span + low

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        share, level, span, bits = ctx.saved_tensors
        clamped = share.clamp(0, 1)
        inside = gradient * (clamped == share)
        rounding = _sums(gradient * (level - clamped))  # k/N - t is 0 outside
        above = _sums((gradient - inside).mul_(level))  # k/N is 1 above, 0 below
        outside = _sums(gradient) - _sums(inside)
        per_bit = -rounding * span * 2.0**bits * log(2) / (2.0**bits - 1)
        return (
            inside,
            (outside - above - rounding).sum(),
            (above + rounding).sum(),
            per_bit if bits.ndim else per_bit.sum(),
        )


def _sums(values: Tensor) -> Tensor:
    """Of each picture, (N,)."""
    return values.sum(tuple(range(1, values.ndim)))


def quantize_weight(weight: Tensor, bound: Tensor, bits: int) -> Tensor:
    """Weights on the 2^bits odd multiples of bound / (2^bits - 1): zero is no level (METHODS A.2)."""
    steps = 2**bits - 1
    share = (weight.clamp(-bound, bound) + bound) / (2 * bound)
    return 2 * bound * (round_through(share * steps) / steps) - bound


def quantize_signed(x: Tensor, bound: Number, bits: int) -> Tensor:
    """x on the 2^bits - 1 multiples of bound / (2^(bits - 1) - 1), zero among them (METHODS B.1, PAMS)."""
    steps = 2 ** (bits - 1) - 1
    inside = (x / bound).clamp(-1, 1)
    return round_through(inside * steps) * (bound / steps)
