"""How much detail a tile holds: the one number that decides which variant of a program it is sent to.

The measure is AdaBM's: the mean absolute response of normalised Sobel filters on the grey picture, times
1000. It is computed in integers up to one last division, so that every language gets the same value.
"""

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.pictures import RgbPicture

# Rows taken at a time: bounds the working memory for whole pictures.
_BLOCK = 256


def complexity(rgb: RgbPicture) -> float:
    """The complexity c of a uint8 (height, width, 3) picture of any size from 1x1; 0 for a flat one.

    With integers per pixel

        g  = 299 R + 587 G + 114 B                            (grey, 0..255000)
        gx = (g[y-1,x+1] + 2 g[y,x+1] + g[y+1,x+1]) - (g[y-1,x-1] + 2 g[y,x-1] + g[y+1,x-1])
        gy = (g[y+1,x-1] + 2 g[y+1,x] + g[y+1,x+1]) - (g[y-1,x-1] + 2 g[y-1,x] + g[y-1,x+1])

    where a neighbour outside the picture takes the value of the nearest pixel inside it, and S the sum of
    |gx| + |gy| over all pixels, an exact 64-bit integer,

        c = S / (4080 * height * width)                       (one float64 division)

    which is 1000 * mean(|gx|, |gy|) over both maps for grey on 0..1 and kernels divided by 8, for
    1000 / (255000 * 8 * 2) = 1 / 4080. Source: AdaBM's image-to-bit map.
    """
    height, width = rgb.shape[:2]
    total = 0
    for top in range(0, height, _BLOCK):
        rows = np.arange(top - 1, min(top + _BLOCK, height) + 1).clip(0, height - 1)
        total += _gradient_sum(rgb[rows])
    return total / (4080 * height * width)


def _gradient_sum(rgb: RgbPicture) -> int:
    """Sum of |gx| + |gy| over the inner rows of uint8 (rows + 2, width, 3)."""
    grey = rgb @ np.array([299, 587, 114], np.int32)
    grey = np.pad(grey, ((0, 0), (1, 1)), mode="edge")
    down = grey[:-2] + 2 * grey[1:-1] + grey[2:]
    across = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    return _absolute_sum(down[:, 2:] - down[:, :-2]) + _absolute_sum(across[2:] - across[:-2])


def _absolute_sum(values: NDArray[np.int32]) -> int:
    return int(np.abs(values).sum(dtype=np.int64))
