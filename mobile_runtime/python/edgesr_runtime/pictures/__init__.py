"""Pictures in files: read as 8-bit RGB with or without alpha, by fixed rules, and written.

The same file gives the same pixels everywhere: grey is repeated over the three channels, nothing is blended
with alpha, 16-bit samples are scaled to 0..255, an EXIF rotation is applied, an animation gives its first
frame, and colour profiles change nothing.
"""

import os
import tempfile

import numpy as np
from PIL import Image

from edgesr_runtime.errors import PictureError
from edgesr_runtime.files import StrPath
from edgesr_runtime.pictures.formats import (
    READABLE_FORMATS,
    Picture,
    RgbPicture,
    check_holds,
    check_target,
    format_of,
    is_picture_name,
)
from edgesr_runtime.pictures.reading import in_strips, read_header, whole
from edgesr_runtime.pictures.sinks import pillow_sink
from edgesr_runtime.pictures.source import Source

__all__ = [
    "READABLE_FORMATS", "Picture", "RgbPicture", "check_holds", "check_target", "is_picture_name",
    "load_picture", "load_rgb", "save_picture", "save_rgb",
]  # fmt: skip


def load_picture(path: StrPath) -> Picture:
    """Read the picture file at `path` as uint8 (height, width, 3), or 4 where it has alpha.

    16-bit `v` becomes `round(v * 255 / 65535)`; 16-bit colour in PNG and TIFF needs pyvips for that, for
    Pillow cuts it to 8 bits, as it does in other formats. CMYK is converted by a plain formula.

    Raises:
        UserError: missing, unreadable, truncated, not a picture, larger than Pillow's guard against
            decompression bombs, without pixels, or with samples of more than 16 bits or of float type.
    """
    header = read_header(path)
    limit = 2 * (Image.MAX_IMAGE_PIXELS or header.pixels)
    if header.pixels > limit:
        raise PictureError(f"{os.fspath(path)}: it has more than {limit} pixels; cut it into parts")
    if header.deep:
        with in_strips(header, tempfile.gettempdir(), f"{os.fspath(path)}: 16-bit colour") as source:
            return _all(source)
    return _all(whole(header))


def load_rgb(path: StrPath) -> RgbPicture:
    """The colours of `load_picture`, uint8 (height, width, 3)."""
    return np.ascontiguousarray(load_picture(path)[..., :3])


def _all(source: Source) -> Picture:
    pixels = np.empty((source.height, source.width, source.channels), np.uint8)
    source.read(pixels)
    return pixels


def save_picture(path: StrPath, picture: Picture) -> None:
    """Write uint8 (height, width, 3 or 4) to `path` in the format of its extension, by one rename at the end.

    Alpha is left out where the format has none.

    Raises:
        UserError: unknown extension, unwritable target, or a picture too large for the format.
        ValueError: `picture` is not uint8 (height, width, 3 or 4) with at least one pixel.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.size == 0:
        raise ValueError(f"expected uint8 (height, width, 3 or 4), got {picture.dtype} {picture.shape}")
    kind = format_of(path)
    check_holds(path, *picture.shape[:2])
    channels = picture.shape[2] if kind.alpha else 3
    with pillow_sink(path, kind, picture.shape[:2], channels, None) as write:
        write(np.ascontiguousarray(picture[..., :channels]))


def save_rgb(path: StrPath, rgb: RgbPicture) -> None:
    """As `save_picture`, of colours alone."""
    if rgb.ndim == 3 and rgb.shape[2] == 4:
        raise ValueError(f"expected uint8 (height, width, 3), got {rgb.dtype} {rgb.shape}")
    save_picture(path, rgb)
