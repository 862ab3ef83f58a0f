"""Rounding that lets gradients through: the grids of `affine`, as functions that can be learned through.

Forward, values are what the deployed grid makes of them, nudged zero point included (METHODS A.9.1).
Backward, rounding counts as the identity, and the ends of a range get the gradients of METHODS A.2: rounding
errors stretch the grid, clipped values pull at the end that cut them off.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..affine import QParams, fake_quantize, qparams, weight_levels


@dataclass(frozen=True)
class Grid:
    """A grid and the ends of the range that it was made of, float64 scalars that may need gradients."""

    qparams: QParams
    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, low: Tensor, high: Tensor) -> "Grid":
        return cls(qparams(low.item(), high.item()), low, high)

    @classmethod
    def fixed(cls, grid: QParams) -> "Grid":
        return cls(grid, torch.tensor(grid.low), torch.tensor(grid.high))


def round_to_grid(x: Tensor, grid: Grid) -> Tensor:
    """float32 x of any shape on a grid, as `fake_quantize` gives it; where it is clipped gradients stop."""
    rounded: Tensor = _RoundToGrid.apply(x, grid.low, grid.high, grid.qparams)
    return rounded


class _RoundToGrid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Tensor, high: Tensor, grid: QParams) -> Tensor:
        rounded = fake_quantize(x, grid)
        ctx.save_for_backward(x, rounded)
        ctx.grid = grid
        return rounded

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        (gradient,) = gradients
        x, rounded = ctx.saved_tensors
        low, high = ctx.grid.low, ctx.grid.high
        # Named kernels that read memory once: these lines run for every activation of every step.
        inside = torch.ops.aten.hardtanh_backward(gradient, x, low, high)
        if not (ctx.needs_input_grad[1] or ctx.needs_input_grad[2]):
            return inside, None, None, None
        moved = (rounded - x).mul_(inside).sum() / (high - low)
        above = torch.ops.aten.threshold_backward(gradient, x, high).sum()
        below = gradient.sum() - inside.sum() - above
        return inside, below - moved, above + moved, None


def round_levels(latent: Tensor, bits: int) -> Tensor:
    """Weight levels of latent weights in units of a level; beyond the outermost level gradients stop."""
    limit = weight_levels(bits)
    inside = latent.clamp(-limit, limit)
    return inside + (inside.round() - inside).detach()
