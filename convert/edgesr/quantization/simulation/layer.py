"""A quantized convolution on the grids of METHODS A.2: three numbers, and one more where its width adapts."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .forward import Rounded, Rounding
from .maps import layer_shift, width
from .observation import Range, opened
from .quantizers import quantize_activation, quantize_weight
from .sites import Site


@dataclass(frozen=True)
class Layer:
    """The tensors hold one number each, and are clipped and trained in place.

    Attributes:
        bound: u_w of the weights.
        low, high: l and u of the input.
        shift: m_k of the layer map; None where the width is fixed.
    """

    site: Site
    bound: Tensor
    low: Tensor
    high: Tensor
    shift: Tensor | None = None

    @classmethod
    def of(cls, site: Site, bound: float, bounds: Range, shift: float | None = None) -> "Layer":
        low, high = opened(bounds)
        moved = None if shift is None else torch.tensor(float(shift))
        return cls(site, torch.tensor(bound), torch.tensor(low), torch.tensor(high), moved)

    def bits(self, image: Tensor) -> Tensor:
        """Width of the input for each picture, (N,), given their b_I."""
        if self.shift is None:
            return torch.full_like(image, self.site.bits)
        return width(self.site.bits, layer_shift(self.shift), image)

    def rounding(self, image: Tensor) -> Rounding:
        """How a batch of pictures is rounded, given their b_I, (N,)."""
        site = self.site
        weight = quantize_weight(site.weight, self.bound, site.weight_bits)
        return Rounding((partial(self._quantize, bits=self.bits(image)),), weight, site.weight_bits)

    def _quantize(self, x: Tensor, bits: Tensor) -> Rounded:
        return Rounded(quantize_activation(x, self.low, self.high, bits), bits)
