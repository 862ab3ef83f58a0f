"""LR/HR picture pairs in memory, and random batches of aligned crops from them.

Pictures stay uint8 until a batch is drawn. A batch is a function of (seed, step) alone, so a resumed
run draws exactly what the uninterrupted one would have drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgesr.evaluation.folder import read_folder
from edgesr.evaluation.resize import crop_to_multiple, downscale

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """One picture: `hr` is (H*scale, W*scale, 3), `lr` is (H, W, 3)."""

    name: str
    lr: Pixels
    hr: Pixels


def read_pairs(folders: Iterable[Path], scale: int, crop: int) -> list[Pair]:
    """Every picture of `folders` whose LR has room for a crop, sorted by name within a folder."""
    pictures = (picture for folder in folders for picture in read_folder(folder, scale * crop).pictures)
    return [
        Pair(picture.name, downscale(picture.rgb, scale), crop_to_multiple(picture.rgb, scale))
        for picture in pictures
    ]


def hold_out(pairs: Sequence[Pair], count: int) -> tuple[list[Pair], list[Pair]]:
    """(training, held out): evenly spaced pictures are kept from training."""
    held = set(np.linspace(0, len(pairs) - 1, count + 2).round().astype(int)[1:-1].tolist())
    return [p for i, p in enumerate(pairs) if i not in held], [pairs[i] for i in sorted(held)]


def to_batch(pictures: Sequence[Pixels]) -> Tensor:
    """(N, 3, H, W) in 0..1."""
    stacked = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
    return torch.from_numpy(stacked).float() / 255


def from_batch(batch: Tensor) -> Pixels:
    """The first picture of a batch in 0..1, clipped and rounded: (H, W, 3)."""
    return (batch[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def draw_batch(
    pairs: Sequence[Pair], scale: int, crop: int, size: int, seed: int, step: int
) -> tuple[Tensor, Tensor]:
    """(LR, HR) crops of step `step`, each under one of the eight symmetries of the square."""
    rng = np.random.default_rng((seed, step))
    areas = np.array([pair.lr.shape[0] * pair.lr.shape[1] for pair in pairs], float)
    crops = [
        random_crop(pairs[index], scale, crop, rng)
        for index in rng.choice(len(pairs), size, p=areas / areas.sum())
    ]
    return to_batch([lr for lr, _ in crops]), to_batch([hr for _, hr in crops])


def random_crop(pair: Pair, scale: int, crop: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    top, left = (int(rng.integers(side - crop + 1)) for side in pair.lr.shape[:2])
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))

    def cut(picture: Pixels, zoom: int) -> Pixels:
        window = picture[top * zoom : (top + crop) * zoom, left * zoom : (left + crop) * zoom]
        window = window[:, ::-1] if mirror else window
        return np.rot90(window, turns)

    return cut(pair.lr, 1), cut(pair.hr, scale)
