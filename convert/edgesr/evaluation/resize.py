"""The bicubic resampling that super-resolution papers agree on (that of MATLAB's imresize).

Low-resolution pictures must come from here: other bicubics differ by up to several grey levels, and every
PSNR with them. Cubic convolution kernel with a = -0.5 (Keys, 1981), widened by the factor of reduction so
that it does not alias; symmetric border; both directions in float64, one rounding at the end.
"""

import numpy as np
from numpy.typing import NDArray

KERNEL_WIDTH = 4
"""Support of the cubic kernel, in source pixels."""


def resize(
    image: NDArray[np.generic], height: int, width: int, antialias: bool = True
) -> NDArray[np.float64]:
    """Resamples (H,W) or (H,W,C) to (height,width[,C]); neither rounded nor clipped.

    Args:
        antialias: widen the kernel where the picture shrinks.

    Raises:
        ValueError: the picture or the wanted size has no pixels.
    """
    if min(height, width, *image.shape[:2]) < 1:
        raise ValueError(f"cannot resize {image.shape[:2]} to {(height, width)}")
    rows = _resample(image.astype(np.float64), height, antialias)
    return np.ascontiguousarray(_resample(rows.swapaxes(0, 1), width, antialias).swapaxes(0, 1))


def crop_to_multiple(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The top left part whose sides are multiples of `scale`."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


def downscale(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The low-resolution picture of (H,W[,C]): (H//scale,W//scale[,C]), from the cropped original.

    Raises:
        ValueError: a side is shorter than `scale`.
    """
    height, width = hr.shape[:2]
    return to_uint8(resize(crop_to_multiple(hr, scale), height // scale, width // scale))


def upscale_bicubic(lr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """What a network has to beat: (H,W[,C]) -> (H*scale,W*scale[,C])."""
    return to_uint8(resize(lr, lr.shape[0] * scale, lr.shape[1] * scale))


def to_uint8(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Clips to 0..255 and rounds, halves upwards."""
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)


def _resample(image: NDArray[np.float64], size: int, antialias: bool) -> NDArray[np.float64]:
    """Resamples axis 0 tap by tap, which needs no more memory than the result."""
    weights, indices = _taps(image.shape[0], size, antialias)
    trailing = (1,) * (image.ndim - 1)
    result = np.zeros((size, *image.shape[1:]))
    for weight, index in zip(weights, indices, strict=True):
        result += weight.reshape(-1, *trailing) * image[index]
    return result


def _taps(source: int, target: int, antialias: bool) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Weights and source indices, (taps,target) each."""
    factor = source / target
    stretch = max(factor, 1.0) if antialias else 1.0
    support = KERNEL_WIDTH * stretch
    centre = (np.arange(target) + 0.5) * factor - 0.5
    first = np.floor(centre - support / 2).astype(np.intp)
    indices = first + np.arange(int(np.ceil(support)) + 2)[:, np.newaxis]
    weights = _cubic((centre - indices) / stretch)
    weights /= weights.sum(axis=0)
    used = weights.any(axis=1)
    mirrored = indices[used] % (2 * source)
    return weights[used], np.minimum(mirrored, 2 * source - 1 - mirrored)


def _cubic(offset: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(offset)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
