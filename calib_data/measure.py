"""Measures pictures the way calibration sees them, to compare the shipped set with photographs.

python calib_data/measure.py calib_data
python calib_data/measure.py $EDGESR_DATA/train/bsds400 $EDGESR_DATA/train/general100_t91
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesr_runtime.complexity import complexity

Pixels = NDArray[np.uint8]

SIDE = 384
SMALLEST = 256
GRAY = np.array([0.299, 0.587, 0.114])
PERCENTILES = (5, 25, 50, 75, 95)


def luminance(picture: Pixels) -> NDArray[np.float64]:
    return picture @ GRAY


def reduced(picture: Pixels, times: int) -> Pixels:
    return np.asarray(Image.fromarray(picture).reduce(times))


def spectral_slope(picture: Pixels) -> float:
    """Exponent of power over spatial frequency; near -2 for sharp photographs."""
    side = min(picture.shape[:2])
    square = luminance(picture)[:side, :side]
    window = np.hanning(side)
    power = abs(np.fft.fft2((square - square.mean()) * np.outer(window, window))) ** 2
    index = np.fft.fftfreq(side, 1 / side)
    radius = np.hypot(*np.meshgrid(index, index)).astype(int)
    radial = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    band = np.arange(4, 3 * side // 8)
    return float(np.polyfit(np.log(band), np.log(radial[band] + 1e-9), 1)[0])


def kurtosis(picture: Pixels) -> float:
    """Of horizontal luminance differences: 3 for Gaussian noise, far more where edges part smooth areas."""
    steps = np.diff(luminance(picture), axis=1)
    variance = float(np.mean(steps**2))
    return float(np.mean(steps**4)) / max(variance, 1e-9) ** 2


def channel_gradient(channel: int) -> Callable[[Pixels], float]:
    return lambda picture: float(abs(np.diff(picture[..., channel].astype(int), axis=1)).mean())


MEASURES: dict[str, Callable[[Pixels], float]] = {
    "complexity c": complexity,
    "c, reduced 2x": lambda picture: complexity(reduced(picture, 2)),
    "c, reduced 4x": lambda picture: complexity(reduced(picture, 4)),
    "luminance, mean": lambda picture: float(luminance(picture).mean()),
    "luminance, deviation": lambda picture: float(luminance(picture).std()),
    "red, mean": lambda picture: float(picture[..., 0].mean()),
    "green, mean": lambda picture: float(picture[..., 1].mean()),
    "blue, mean": lambda picture: float(picture[..., 2].mean()),
    "red gradient": channel_gradient(0),
    "green gradient": channel_gradient(1),
    "blue gradient": channel_gradient(2),
    "chroma (max - min)": lambda picture: float(np.ptp(picture.astype(int), axis=2).mean()),
    "% of samples <= 4": lambda picture: float(100 * (picture <= 4).mean()),
    "% of samples >= 251": lambda picture: float(100 * (picture >= 251).mean()),
    "spectral slope": spectral_slope,
    "kurtosis of gradient": kurtosis,
}


def pictures(folders: list[Path]) -> Iterator[Pixels]:
    """The middle of every picture that is large enough, at most as large as those of the set."""
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        if path.suffix in {".png", ".jpg"}:
            picture = np.asarray(Image.open(path).convert("RGB"))
            if min(picture.shape[:2]) >= SMALLEST:
                top, left = (max(0, (side - SIDE) // 2) for side in picture.shape[:2])
                yield picture[top : top + SIDE, left : left + SIDE]


def table(samples: list[Pixels]) -> str:
    heads = ["mean", *(f"p{percentile}" for percentile in PERCENTILES)]
    rows = [f"| {len(samples)} pictures | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for name, measure in MEASURES.items():
        values = np.array([measure(picture) for picture in samples])
        figures = [values.mean(), *np.percentile(values, PERCENTILES)]
        rows.append(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(list(pictures([Path(folder) for folder in sys.argv[1:]]))))
