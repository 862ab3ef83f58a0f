"""Drawing calibration pictures and the tiles that the deployed program will see.

Everything follows from the folder's contents and the seed. A quarter of the pictures is held back: no
range is estimated on them, so that search and gate are fair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from edgesr_runtime.complexity import complexity
from edgesr_runtime.tiles import extract, plan_tiles

from ..errors import UserError
from ..evaluation.folder import Picture, list_pictures, nothing_usable, skip_warnings, usable_pictures
from ..evaluation.judge import Rgb
from ..evaluation.resize import downscale
from ..quantization.statistics import CalibrationTiles

HELD_BACK = 4  # one picture of so many
LEAST_SIDE = 8  # low-resolution pixels that a picture needs to be judged at all
PIXEL_BUDGET = 1_200_000  # low-resolution pixels to calibrate on: bounds the time


@dataclass(frozen=True)
class Drawn:
    """The pictures of one conversion; `warnings` name what was skipped or is missing."""

    calibrate: tuple[Picture, ...]
    held_back: tuple[Picture, ...]
    warnings: tuple[str, ...]


def shipped_folder() -> Path:
    """The calibration pictures that come with edgesr."""
    return Path(str(files("edgesr_calib_data")))


def draw(directory: Path, count: int, seed: int, min_side: int) -> Drawn:
    """Draws `count` usable pictures of a folder by the seed; fewer if it has fewer.

    Args:
        min_side: pixels that a picture's shorter side must have.

    Raises:
        UserError: no such folder, or no picture in it can be used.
    """
    paths = list_pictures(directory)
    order = np.random.default_rng(seed).permutation(len(paths))
    skipped: list[tuple[str, str]] = []
    usable = usable_pictures((paths[i] for i in order), skipped, min_side, flat=False)
    pictures = tuple(islice(usable, count))
    if not pictures:
        raise UserError(f"{directory}: {nothing_usable(skipped)}")
    warnings = skip_warnings(directory, skipped)
    if len(pictures) < count:
        warnings += (f"{directory}: {len(pictures)} usable pictures, {count} were asked for",)
    if len(pictures) == 1:
        warnings += (f"{directory}: one picture both calibrates and judges: the drop is too optimistic",)
        return Drawn(pictures, pictures, warnings)
    held = max(1, len(pictures) // HELD_BACK)
    return Drawn(pictures[:-held], pictures[-held:], warnings)


def tiles_of(lr: Rgb, tile: int, halo: int) -> Rgb:
    """Every tile of a low-resolution picture as it is deployed: uint8 (N,tile,tile,3)."""
    plan = plan_tiles(lr.shape[0], lr.shape[1], tile, halo)
    tiles = np.empty((len(plan.tiles), tile, tile, 3), np.uint8)
    for place, out in zip(plan.tiles, tiles, strict=True):
        extract(lr, plan, place, out)
    return tiles


def calibration_tiles(
    pictures: Sequence[Picture], scale: int, tile: int, halo: int, pixel_range: int, seed: int
) -> CalibrationTiles:
    """The pictures' tiles in an order drawn by the seed, up to the pixel budget."""
    tiles = np.concatenate([tiles_of(downscale(p.rgb, scale), tile, halo) for p in pictures])
    order = np.random.default_rng(seed).permutation(len(tiles))
    chosen = tiles[order[: max(1, PIXEL_BUDGET // tile**2)]]
    pixels = torch.from_numpy(chosen.transpose(0, 3, 1, 2).astype(np.float32))
    return CalibrationTiles(pixels * (pixel_range / 255), pixel_range, seed)


def most_complex(tiles: Rgb, count: int) -> Rgb:
    """The `count` tiles with most detail, most complex first."""
    scores = np.array([complexity(tile) for tile in tiles])
    return tiles[np.argsort(-scores, kind="stable")[:count]]
