"""Reading any picture as 8-bit RGB and writing 8-bit RGB to a picture file.

Reading follows fixed rules, so that the same file gives the same pixels everywhere: grey is repeated over
the three channels, alpha is dropped (not blended), 16-bit samples are scaled to 0..255, an EXIF rotation is
applied, an animation gives its first frame, and colour profiles are ignored.
"""

import io
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath, check_writable, write_atomically

RgbPicture = NDArray[np.uint8]

# Named one by one because Pillow would also hand an EPS file to an external PostScript interpreter.
READABLE_FORMATS = (
    *("PNG", "JPEG", "MPO", "WEBP", "AVIF", "JPEG2000", "GIF"),
    *("BMP", "DIB", "TIFF", "PPM", "TGA", "ICO", "PCX", "SGI", "DDS", "QOI"),
)

# Extension -> Pillow's format name and its options. Nothing is lost but in JPEG, at its best setting.
_WRITERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True}),
    ".bmp": ("BMP", {}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
    ".ppm": ("PPM", {}),
}

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_rgb(path: StrPath) -> RgbPicture:
    """Read the picture file at `path` as uint8 (height, width, 3), by the rules of this module.

    16-bit grey `v` becomes `round(v * 255 / 65535)`. Pillow itself reads 16-bit RGB as 8-bit, by the high
    byte. CMYK is converted by Pillow's plain formula.

    Raises:
        UserError: missing, unreadable, truncated, not a picture, larger than Pillow's guard against
            decompression bombs, without pixels, or with samples of more than 16 bits or of float type.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns at half its size limit and of damaged side data: neither is in the user's way.
            warnings.simplefilter("ignore")
            return _decode(path)
    except UserError:
        raise
    except Exception as error:  # decoders meet damaged files with exceptions of every kind
        raise UserError(f"{os.fspath(path)} cannot be read as a picture: {_reason(path, error)}") from error


def save_rgb(path: StrPath, rgb: RgbPicture) -> None:
    """Write uint8 (height, width, 3) to `path` in the format of its extension, by one rename at the end.

    Raises:
        UserError: unknown extension, unwritable target, or a picture too large for the format.
        ValueError: `rgb` is not uint8 (height, width, 3) with at least one pixel.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"expected uint8 (height, width, 3), got {rgb.dtype} {rgb.shape}")
    name, options = _writer(path)
    encoded = io.BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(rgb)).save(encoded, name, **options)
    except (OSError, ValueError) as error:  # for instance WebP ends at 16383 pixels a side
        size = f"{rgb.shape[1]}x{rgb.shape[0]}"
        raise UserError(f"{os.fspath(path)}: {name} cannot hold {size} pixels ({error}); use .png") from error
    write_atomically(path, encoded.getvalue())


def check_target(path: StrPath) -> None:
    """Find out before long work whether `save_rgb(path, ...)` can do its job.

    Raises:
        UserError: unknown extension or unwritable target.
    """
    _writer(path)
    check_writable(path)


def is_picture_name(path: StrPath) -> bool:
    """True where the extension of `path` is one that some format of `READABLE_FORMATS` uses."""
    return _registered_extensions().get(Path(path).suffix.lower()) in READABLE_FORMATS


def _registered_extensions() -> dict[str, str]:
    Image.init()  # registers all plugins, once
    return Image.EXTENSION


def _decode(path: StrPath) -> RgbPicture:
    _registered_extensions()
    formats = [name for name in READABLE_FORMATS if name in Image.OPEN]
    # A stream, not a name: from a name Pillow maps plain TIFF files and mistakes the rows of turned ones.
    with Path(path).open("rb") as stream, Image.open(stream, formats=formats) as image:
        if 0 in image.size:
            raise UserError(f"{os.fspath(path)} holds no pixels; choose another picture")
        image.load()
        # Asked only now: some decoders turn the pixels themselves while loading and clear the tag.
        turn = _UPRIGHT.get(_orientation(image))
        return np.array(_to_rgb(image if turn is None else image.transpose(turn), path))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block says nothing against the pixels
        return 1


def _to_rgb(image: Image.Image, path: StrPath) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "I" or image.mode.startswith("I;"):
        return Image.fromarray(_grey16_to_8(np.asarray(image), path)).convert("RGB")
    if image.mode == "F":
        raise UserError(
            f"{os.fspath(path)} has float samples, whose white is unknown; save it as 8 or 16 bit"
        )
    if image.mode in ("P", "PA", "RGBa"):  # the way over RGBA keeps the colours under transparent pixels
        image = image.convert("RGBA")
    if image.mode == "La":
        image = image.convert("LA")
    return image.convert("RGB")


def _grey16_to_8(samples: NDArray[Any], path: StrPath) -> NDArray[np.uint8]:
    """Scale 0..65535 to 0..255; Pillow's own conversion would clip everything above 255 to white."""
    values = samples.astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise UserError(f"{os.fspath(path)} has samples beyond 16 bits; save it as 8 or 16 bit")
    return ((values * 255 + 32767) // 65535).astype(np.uint8)


def _reason(path: StrPath, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; give a file"
    if isinstance(error, PermissionError):
        return "no permission to read it; change its permissions"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels; cut it into parts"
    if isinstance(error, MemoryError):
        return "it does not fit into memory; cut it into parts"
    if isinstance(error, UnidentifiedImageError):
        empty = Path(path).stat().st_size == 0
        return "the file is empty" if empty else f"its format is none of {', '.join(READABLE_FORMATS)}"
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"the file is damaged or of an unsupported kind ({detail})"


def _writer(path: StrPath) -> tuple[str, Mapping[str, Any]]:
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        known = " ".join(sorted(_WRITERS))
        raise UserError(f"{os.fspath(path)}: no picture format for extension {suffix!r}; use one of {known}")
    return _WRITERS[suffix]
