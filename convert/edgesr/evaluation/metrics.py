"""How close two pictures are, by the protocol of the super-resolution literature.

PSNR and SSIM to the original are taken on luma without a border of `scale` pixels; distances between
two programs on all three channels. Pictures are (H,W,3) RGB; those scored against the original are
uint8, rounded before any metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
FloatPicture = NDArray[np.generic]

LUMA = np.array([65.738, 129.057, 25.064]) / 256
"""ITU-R BT.601 luma of RGB 0..255, without its offset of 16."""

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_C1 = (0.01 * 255) ** 2
SSIM_C2 = (0.03 * 255) ** 2


def luma(picture: Picture) -> NDArray[np.float64]:
    """(H,W,3) RGB -> (H,W) luma 16..235, not rounded."""
    return picture.astype(np.float64) @ LUMA + 16


def psnr(first: FloatPicture, second: FloatPicture, peak: float = 255.0) -> float:
    """Peak signal to noise ratio in dB over all values; infinite for equal arrays.

    Raises:
        ValueError: the shapes differ, or there are no values.
    """
    difference = _difference(first, second)
    mse = float(np.mean(difference * difference))
    return float(10 * np.log10(peak**2 / mse)) if mse else float("inf")


def psnr_y(sr: Picture, hr: Picture, border: int) -> float:
    """PSNR of the luma in dB, without `border` pixels (the scale, by convention) on each side.

    Raises:
        ValueError: the shapes differ, or nothing is left inside the border.
    """
    return psnr(_inner_luma(sr, border), _inner_luma(hr, border))


def ssim_y(sr: Picture, hr: Picture, border: int) -> float:
    """Mean structural similarity of the luma (Wang et al., 2004): 11x11 Gaussian window, valid region.

    Raises:
        ValueError: the shapes differ, or less than a window is left inside the border.
    """
    x, y = _inner_luma(sr, border), _inner_luma(hr, border)
    if x.shape != y.shape or min(x.shape) < SSIM_WINDOW:
        raise ValueError(f"no SSIM of {sr.shape} and {hr.shape} with a border of {border}")
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x = _blur(x * x) - mean_x * mean_x
    variance_y = _blur(y * y) - mean_y * mean_y
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + SSIM_C1) / (mean_x * mean_x + mean_y * mean_y + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variance_x + variance_y + SSIM_C2)
    return float(np.mean(luminance * structure))


def max_abs_error(first: FloatPicture, second: FloatPicture) -> float:
    """The largest difference of a single value.

    Raises:
        ValueError: the shapes differ, or there are no values.
    """
    return float(np.abs(_difference(first, second)).max())


def channel_mean_shift(picture: FloatPicture, reference: FloatPicture) -> tuple[float, float, float]:
    """Mean of `picture - reference` in red, green and blue: a colour cast that PSNR hides.

    Raises:
        ValueError: the shapes differ, or there are no pixels.
    """
    red, green, blue = _difference(picture, reference).reshape(-1, 3).mean(axis=0).tolist()
    return red, green, blue


@dataclass(frozen=True)
class Drop:
    """What a program loses against the float network, in dB of PSNR to the original.

    Attributes:
        mean: over the pictures.
        worst: of the picture that loses most.
        worst_index: which picture that is.
    """

    mean: float
    worst: float
    worst_index: int


def drop(reference: Sequence[float], program: Sequence[float]) -> Drop:
    """Compares the PSNRs of the float network and of a program, picture by picture.

    Raises:
        ValueError: the lengths differ, or are zero.
    """
    # Two perfect pictures are equally good, whatever inf - inf is.
    losses = [0.0 if a == b else a - b for a, b in zip(reference, program, strict=True)]
    if not losses:
        raise ValueError("no pictures to compare")
    worst = max(losses)
    return Drop(mean=sum(losses) / len(losses), worst=worst, worst_index=losses.index(worst))


def _difference(first: FloatPicture, second: FloatPicture) -> NDArray[np.float64]:
    if first.shape != second.shape or not first.size:
        raise ValueError(f"cannot compare {first.shape} with {second.shape}")
    return first.astype(np.float64) - second.astype(np.float64)


def _inner_luma(picture: Picture, border: int) -> NDArray[np.float64]:
    height, width = picture.shape[:2]
    return luma(picture[border : max(height - border, border), border : max(width - border, border)])


def _blur(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian of SSIM's window, separable, valid region only."""
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    kernel = np.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    kernel /= kernel.sum()
    for _ in range(2):  # rows, then columns
        size = plane.shape[0] - SSIM_WINDOW + 1
        blurred = np.zeros((size, plane.shape[1]))
        for offset, weight in enumerate(kernel):
            blurred += weight * plane[offset : offset + size]
        plane = blurred.T
    return plane
