"""How much detail a tile holds: the one number that decides which variant of a program it is sent to.

The measure is AdaBM's: the mean absolute response of normalised Sobel filters on the grey picture, times
1000. It is computed in integers up to one last division, so that every language gets the same value.
"""

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.pictures import RgbPicture

# Rows taken at a time: bounds the working memory for whole pictures.
_BLOCK = 256
_GREY = np.array([299, 587, 114], np.float32)


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
    total = sum(_gradient_sum(_grey(rgb, top)) for top in range(0, height, _BLOCK))
    return total / (4080 * height * width)


def _grey(rgb: RgbPicture, top: int) -> NDArray[np.float32]:
    """g of the block of rows from `top`, with the neighbours all around it.

    In float32, which is quicker than integers and exact, for nothing exceeds 2^24 but the sums.
    """
    height, width = rgb.shape[:2]
    bottom = min(top + _BLOCK, height)
    first, last = max(top - 1, 0), min(bottom + 1, height)
    grey = np.empty((bottom - top + 2, width + 2), np.float32)
    inner = grey[first - top + 1 : last - top + 1]
    np.matmul(rgb[first:last].astype(np.float32), _GREY, out=inner[:, 1:-1])
    grey[0], grey[-1] = inner[0], inner[-1]
    grey[:, 0], grey[:, -1] = grey[:, 1], grey[:, -2]
    return grey


def _gradient_sum(grey: NDArray[np.float32]) -> int:
    """Sum of |gx| + |gy| over the inner pixels; 1 2 1 is 1 1 after 1 1."""
    down = grey[:-1] + grey[1:]
    down = down[:-1] + down[1:]
    across = grey[:, :-1] + grey[:, 1:]
    across = across[:, :-1] + across[:, 1:]
    gx, gy = down[:, 2:] - down[:, :-2], across[2:] - across[:-2]
    np.abs(gx, out=gx)
    gx += np.abs(gy, out=gy)
    return int(gx.sum(dtype=np.float64))
