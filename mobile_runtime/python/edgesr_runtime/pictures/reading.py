"""Opening picture files: what they are, what decoding them takes, and their pixels by the shortest way."""

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from edgesr_runtime.errors import PictureError, UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.pictures.formats import READABLE_FORMATS, registered
from edgesr_runtime.pictures.pillow_source import PillowSource, orientation
from edgesr_runtime.pictures.source import Source
from edgesr_runtime.pictures.spool import spooled
from edgesr_runtime.pictures.vips import VipsSource

_STRIP_FORMATS = ("JPEG", "MPO", "PNG", "TIFF")
_STRIP_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "I;16L")
_LIGHT_FORMATS = (*_STRIP_FORMATS, "BMP", "DIB", "PPM", "TGA", "PCX", "SGI")
_CACHED_ROWS = 640  # what libvips keeps of a picture that is read from top to bottom
_STRIP_BYTES = 279  # TIFF's number
_guard = threading.Lock()


@dataclass(frozen=True)
class Header:
    """What a picture file says before its pixels.

    Attributes:
        height, width: as stored, not turned.
        turn: EXIF orientation 1..8.
        alpha: whether it has any.
        deep: 16-bit colour, which Pillow would cut to 8 bits.
        strips: libvips reads it from top to bottom.
        scattered: rows are complete only after all has been read, as in a progressive JPEG.
        held: bytes that a decoder holds besides the rows at hand.
        pixel: bytes of a pixel in Pillow's hands.
    """

    path: str
    height: int
    width: int
    turn: int
    alpha: bool
    deep: bool
    strips: bool
    scattered: bool
    held: int
    pixel: int

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def upright(self) -> tuple[int, int]:
        """(height, width) as the picture is to be seen."""
        return (self.width, self.height) if self.turn >= 5 else (self.height, self.width)

    @property
    def whole_need(self) -> int:
        """Bytes that `whole` takes."""
        return self.pixels * self.pixel * (1 if self.turn == 1 else 2) + self.held

    @property
    def spools(self) -> bool:
        """Whether `in_strips` goes by way of the disk."""
        return self.turn != 1 or self.scattered

    @property
    def decoding_need(self) -> int:
        """Bytes that decoding in strips takes."""
        return _CACHED_ROWS * self.width * self.pixel * (2 if self.deep else 1) + self.held


def read_header(path: StrPath) -> Header:
    """What the file says of itself.

    Raises:
        UserError: missing, unreadable, not a picture, or without pixels.
    """
    with _explained(path), _opened(path) as image:
        if 0 in image.size:
            raise PictureError(f"{os.fspath(path)} holds no pixels; choose another picture")
        deep = image.mode in ("RGB", "RGBA", "LA") and _is_deep(image)
        turn = orientation(image)
        height, width = _stored(image, turn)
        return Header(
            os.fspath(path), height, width,
            turn if turn in range(1, 9) else 1,
            image.has_transparency_data, deep and image.format in ("PNG", "TIFF"),
            image.format in _STRIP_FORMATS and image.mode in _STRIP_MODES,
            bool(image.info.get("progressive") or image.info.get("interlace")),
            _held(image, path),
            {"1": 1, "L": 1, "P": 1}.get(image.mode, 4) + (0 if image.format in _LIGHT_FORMATS else 4),
        )  # fmt: skip


def whole(header: Header) -> Source:
    """All pixels decoded at once.

    Raises:
        UserError: the file is damaged, or no longer what it was.
    """
    with _explained(header.path), _opened(header.path) as image:
        return PillowSource(image, header.path)


@contextmanager
def in_strips(header: Header, folder: StrPath, why: str) -> Iterator[Source]:
    """Pixels decoded as they are asked for, or, where that is not possible, by way of a file in `folder`.

    Raises:
        UserError: as `whole`; pyvips is missing, which `why` says the need of; the disk is full.
    """
    source = VipsSource(header.path, header.alpha, why)
    if header.spools:
        with spooled(source, header.turn, folder) as spool:
            del source  # here as there
            yield spool
    else:
        yield source


@contextmanager
def _opened(path: StrPath) -> Iterator[Image.Image]:
    """Pillow's image; its pixels are not read yet."""
    registered()
    formats = [name for name in READABLE_FORMATS if name in Image.OPEN]
    if not stat.S_ISREG(mode := Path(path).stat().st_mode) and not stat.S_ISDIR(mode):
        raise PictureError(
            f"{os.fspath(path)} is no ordinary file; save the picture to one"
        )  # a pipe may wait
    # A stream, not a name: from a name Pillow maps plain TIFF files and mistakes the rows of turned ones.
    with Path(path).open("rb") as stream, warnings.catch_warnings():
        # Pillow warns of damaged side data, which is not in the user's way.
        warnings.simplefilter("ignore")
        with _guard:  # sizes are checked against the memory there is, not against Pillow's limit
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(stream, formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with image:
            yield image


@contextmanager
def _explained(path: StrPath) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # decoders meet damaged files with exceptions of every kind
        raise PictureError(
            f"{os.fspath(path)} cannot be read as a picture: {_reason(path, error)}"
        ) from error


def _stored(image: Image.Image, turn: int) -> tuple[int, int]:
    """(height, width) of the stored rows; Pillow tells those of TIFF as they are to be seen."""
    width, height = image.size
    return (width, height) if image.format == "TIFF" and turn >= 5 else (height, width)


def _is_deep(image: Image.Image) -> bool:
    return any("16" in str(argument) for tile in getattr(image, "tile", ()) for argument in _arguments(tile))


def _arguments(tile: object) -> tuple[object, ...]:
    arguments = getattr(tile, "args", None)
    return arguments if isinstance(arguments, tuple) else (arguments,)


def _held(image: Image.Image, path: StrPath) -> int:
    """Bytes that decoding in strips holds besides the rows at hand."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        mapped = Path(path).stat().st_size
        layers = getattr(image, "layer", [])
        if not image.info.get("progressive") or not layers:
            return mapped
        across, down = max(layer[1] for layer in layers), max(layer[2] for layer in layers)
        share = sum(layer[1] * layer[2] for layer in layers) / (across * down)
        return mapped + int(2.1 * pixels * share)  # all coefficients, in 16 bits
    if image.format == "PNG" and image.info.get("interlace"):
        return pixels * len(image.getbands()) * (2 if _is_deep(image) else 1)
    tags = getattr(image, "tag_v2", None)
    if tags is not None:
        return int(max(tags.get(_STRIP_BYTES) or (0,)))  # a strip is read at once
    return 0


def _reason(path: StrPath, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; give a file"
    if isinstance(error, PermissionError):
        return "no permission to read it; change its permissions"
    if isinstance(error, MemoryError):
        return "it does not fit into memory; cut it into parts"
    if isinstance(error, UnidentifiedImageError):
        empty = Path(path).stat().st_size == 0
        return "the file is empty" if empty else f"its format is none of {', '.join(READABLE_FORMATS)}"
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"the file is damaged or of an unsupported kind ({detail})"
