"""Which formats are read and written, by which names, and what each can hold."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesr_runtime.errors import PictureError, UserError
from edgesr_runtime.files import StrPath, check_writable

RgbPicture = NDArray[np.uint8]
"""uint8 (height, width, 3)."""

Picture = NDArray[np.uint8]
"""uint8 (height, width, 3 or 4): RGB, with alpha or without."""

# Named one by one because Pillow would also hand an EPS file to an external PostScript interpreter.
READABLE_FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "AVIF", "JPEG2000", "GIF"),
    *("BMP", "DIB", "TIFF", "PPM", "TGA", "ICO", "PCX", "SGI", "DDS", "QOI"),
)


@dataclass(frozen=True)
class Format:
    """A format that pictures are written in.

    Attributes:
        name: Pillow's.
        options: for Pillow.
        strips: options for libvips, which writes strip by strip; None where the whole picture is needed.
        alpha, profile: whether it holds them.
        longest: pixels of a side.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    strips: Mapping[str, Any] | None = None
    alpha: bool = False
    profile: bool = False
    longest: int = 2**31 - 1


# Nothing is lost but in JPEG, which is written with little loss.
_PNG = Format(
    "PNG",
    {"compress_level": 4},
    {"compression": 6, "filter": "all"},
    alpha=True,
    profile=True,
)
_JPEG = Format(
    "JPEG",
    {"quality": 95, "subsampling": 0},
    {"Q": 95, "subsample_mode": "off"},
    profile=True,
    longest=65500,
)
_TIFF = Format(
    "TIFF",
    {"compression": "tiff_deflate"},
    {"compression": "deflate", "predictor": "horizontal"},
    alpha=True,
    profile=True,
)
_WEBP = Format("WEBP", {"lossless": True, "exact": True}, alpha=True, profile=True, longest=16383)

_WRITTEN: Mapping[str, Format] = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".bmp": Format("BMP"),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".ppm": Format("PPM"),
}


def format_of(path: StrPath) -> Format:
    """The format that the extension of `path` asks for.

    Raises:
        UserError: none does.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITTEN:
        known = " ".join(sorted(_WRITTEN))
        raise UserError(f"{os.fspath(path)}: no picture format for extension {suffix!r}; use one of {known}")
    return _WRITTEN[suffix]


def check_target(path: StrPath) -> None:
    """Find out before long work whether a picture can be written to `path`.

    Raises:
        UserError: unknown extension or unwritable target.
    """
    format_of(path)
    check_writable(path)


def check_holds(path: StrPath, height: int, width: int) -> None:
    """Find out whether the format of `path` holds a picture of that size.

    Raises:
        UserError: it does not.
    """
    kind = format_of(path)
    if max(height, width) > kind.longest:
        raise PictureError(
            f"{os.fspath(path)}: {kind.name} cannot hold {width}x{height} pixels"
            f" (at most {kind.longest} a side); use .png"
        )


def is_picture_name(path: StrPath) -> bool:
    """True where the extension of `path` is one that some format of `READABLE_FORMATS` uses."""
    return registered().get(Path(path).suffix.lower()) in READABLE_FORMATS


def registered() -> dict[str, str]:
    """Extension -> format, of all that Pillow knows."""
    Image.init()  # registers all plugins, once
    return Image.EXTENSION
