"""Folders of pictures, as `--calib` and `check --images` take them.

People keep more than pictures in a folder, and some pictures are broken: what cannot be used is skipped
and named, and only a folder without any usable picture is an error.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import UserError
from edgesr_runtime.pictures import load_rgb

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Picture:
    """A picture of a folder: its file name and its pixels, (H,W,3) RGB."""

    name: str
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFolder:
    """What a folder holds.

    Attributes:
        pictures: sorted by name, at least one.
        skipped: (name, reason) of the pictures that could not be used.
    """

    pictures: tuple[Picture, ...]
    skipped: tuple[tuple[str, str], ...]


def list_pictures(directory: Path | str) -> tuple[Path, ...]:
    """Paths of the files with a picture's extension, sorted by name; neither hidden files nor sub-folders.

    Raises:
        UserError: no such folder, it cannot be read, or there is no picture in it.
    """
    directory = Path(directory)
    if not directory.is_dir():
        kind = "not a folder" if directory.exists() else "no such folder"
        raise UserError(f"{directory}: {kind}: give a folder of pictures")
    try:
        entries = sorted(directory.iterdir(), key=lambda path: path.name)
        paths = tuple(path for path in entries if _is_picture(path))
    except OSError as error:
        raise UserError(f"{directory}: cannot be read ({error.strerror}): check its permissions") from error
    if not paths:
        raise UserError(f"{directory}: no pictures in it: give a folder with {_extensions()} files")
    return paths


def usable_pictures(
    paths: Iterable[Path], skipped: list[tuple[str, str]], min_side: int = 1, flat: bool = True
) -> Iterator[Picture]:
    """Reads one picture after the other; what cannot be used is left out and named in `skipped`.

    Args:
        skipped: takes (name, reason) of the pictures that are broken, too small or flat.
        min_side: pixels that a picture's shorter side must have.
        flat: whether pictures of one colour are welcome; they say nothing about ranges or PSNR.
    """
    for path in paths:
        try:
            rgb = load_rgb(path)
        except UserError as error:
            skipped.append((path.name, str(error)))
            continue
        height, width = rgb.shape[:2]
        if min(height, width) < min_side:
            skipped.append((path.name, f"{width}x{height} pixels, at least {min_side}x{min_side} are needed"))
        elif not flat and (rgb == rgb[0, 0]).all():
            skipped.append((path.name, "it has one colour only"))
        else:
            yield Picture(path.name, rgb)


def read_pictures(paths: Iterable[Path], min_side: int = 1) -> PictureFolder:
    """Reads pictures; those that are broken or have a side below `min_side` pixels are skipped.

    Raises:
        UserError: none of them can be used.
    """
    skipped: list[tuple[str, str]] = []
    pictures = tuple(usable_pictures(paths, skipped, min_side))
    if not pictures:
        raise nothing_usable(skipped)
    return PictureFolder(pictures, tuple(skipped))


def nothing_usable(skipped: Sequence[tuple[str, str]]) -> UserError:
    """The error for pictures that were all skipped."""
    first = f", first {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
    return UserError(f"no picture can be used ({len(skipped)} skipped{first}): give other pictures")


def read_folder(directory: Path | str, min_side: int = 1) -> PictureFolder:
    """Every usable picture of a folder, see `list_pictures` and `read_pictures`.

    Raises:
        UserError: no such folder, or no picture in it can be used.
    """
    try:
        return read_pictures(list_pictures(directory), min_side)
    except UserError as error:
        message = str(error)
        raise UserError(
            message if message.startswith(str(directory)) else f"{directory}: {message}"
        ) from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()


def _extensions() -> str:
    return ", ".join(sorted(EXTENSIONS))


def skip_warnings(directory: Path, skipped: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A line for each skipped picture, and one that counts them."""
    if not skipped:
        return ()
    lines = [reason if name in reason else f"{name}: {reason}" for name, reason in skipped]
    return (*(f"skipped {line}" for line in lines), f"{directory}: {len(skipped)} pictures skipped")
