"""What white is at the input of a network that nobody described: found on calibration pictures.

A network fed with the wrong range makes worse pictures than bicubic does; with the right one it beats
bicubic, or it is of no use to anybody.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import UserError
from ..evaluation.folder import Picture
from ..evaluation.metrics import psnr_y
from ..evaluation.resize import crop_to_multiple, downscale, upscale_bicubic
from ..networks.source import PIXEL_RANGES
from .deployment import Network, whole_picture

PICTURES = 4
SIDE = 96  # low-resolution pixels of each that are looked at


def find_pixel_range(graph: Network, scale: int, pictures: Sequence[Picture], model: str) -> int:
    """1 or 255, whichever gives the better PSNR-Y to the originals.

    Raises:
        UserError: neither is better than bicubic.
    """
    crops = [crop_to_multiple(p.rgb[: SIDE * scale, : SIDE * scale], scale) for p in pictures[:PICTURES]]

    def mean_psnr(pixel_range: int | None) -> float:
        up = whole_picture(graph, pixel_range) if pixel_range else lambda lr: upscale_bicubic(lr, scale)
        return float(np.mean([psnr_y(up(downscale(hr, scale)), hr, scale) for hr in crops]))

    found = {pixel_range: mean_psnr(pixel_range) for pixel_range in PIXEL_RANGES}
    best, bicubic = max(found, key=lambda r: found[r]), mean_psnr(None)
    if not found[best] > bicubic:
        raise UserError(
            f"{model}: with white as 1 ({found[1]:.2f} dB) or 255 ({found[255]:.2f} dB) it does not beat "
            f"bicubic ({bicubic:.2f} dB): give --pixel-range 1 or 255, and check its weights"
        )
    return best
