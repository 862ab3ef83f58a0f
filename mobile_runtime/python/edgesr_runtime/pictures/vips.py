"""libvips, which decodes and encodes pictures strip by strip, so that their size does not matter."""

import ctypes
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.errors import PictureError, UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.pictures.source import rgb_profile
from edgesr_runtime.pixels import from_16_bits

_PROFILE = "icc-profile-data"
_ROWS = 16  # fetched at a time
_MMAP_THRESHOLD = -3  # glibc's name for it, from malloc.h

_COLOURS: Mapping[str, int] = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "cmyk": 4}
_DEPTHS: Mapping[str, Any] = {"uchar": np.uint8, "ushort": np.uint16}


def import_vips(why: str) -> Any:
    """pyvips, set up to hold no more than the strips at hand; `why` says what needs it.

    Raises:
        UserError: it is not installed.
    """
    try:
        import pyvips
    except (ImportError, OSError) as error:  # OSError: the library behind it is missing
        raise UserError(f"{why} needs pyvips ({error}); pip install 'edgesr-runtime[vips]'") from error
    pyvips.cache_set_max(0)
    _return_freed_memory()
    return pyvips


@cache
def _return_freed_memory() -> None:
    """Keep glibc from holding on to freed strips, which would add up to several times what is in use.

    Its limit from which memory goes straight back to the system grows with what is freed, until it is set.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 128 * 1024)


class VipsSource:
    """The rows of a picture file as they are stored, not turned; JPEG, PNG or TIFF."""

    def __init__(self, path: StrPath, alpha: bool, why: str) -> None:
        """Open the file; `alpha` says whether a channel beyond the colours is alpha."""
        self._vips, self._path, self._next = import_vips(why), os.fspath(path), 0
        try:
            image = self._open()
            profile = bytes(image.get(_PROFILE)) if image.get_typeof(_PROFILE) else None
        except self._vips.Error as error:
            raise self._damaged(error) from error
        self.height, self.width, self._bands = image.height, image.width, image.bands
        if image.interpretation not in _COLOURS or image.format not in _DEPTHS:
            kind = f"{image.interpretation}, {image.format}"
            raise PictureError(
                f"{self._path} has pixels of an unsupported kind ({kind}); save it as 8-bit RGB"
            )
        self._colours, self._depth = _COLOURS[image.interpretation], _DEPTHS[image.format]
        self.channels = 4 if alpha and self._bands > self._colours else 3
        self.profile = rgb_profile(profile)
        self._region = self._vips.Region.new(image)

    def _open(self) -> Any:
        # "unlimited": of memory in one piece; what it takes was counted before.
        return self._vips.Image.new_from_file(
            self._path, access="sequential", fail_on="error", unlimited=True
        )

    def rewind(self) -> None:
        try:
            self._region, self._next = self._vips.Region.new(self._open()), 0
        except self._vips.Error as error:
            raise self._damaged(error) from error

    def read(self, out: NDArray[np.uint8]) -> None:
        for top in range(0, len(out), _ROWS):
            self._read(out[top : top + _ROWS])

    def _read(self, out: NDArray[np.uint8]) -> None:
        try:
            data = self._region.fetch(0, self._next, self.width, len(out))
        except self._vips.Error as error:
            raise self._damaged(error) from error
        self._next += len(out)
        samples = np.frombuffer(data, self._depth).reshape(len(out), self.width, self._bands)
        if self._depth is np.uint16:
            samples = from_16_bits(samples)
        colours = samples[..., : self._colours]
        out[..., :3] = _cmyk_to_rgb(colours) if self._colours == 4 else colours
        if self.channels == 4:
            out[..., 3] = samples[..., self._colours]

    def _damaged(self, error: Exception) -> PictureError:
        detail = " ".join(str(getattr(error, "detail", error)).split())
        return PictureError(
            f"{self._path} cannot be read as a picture:"
            f" the file is damaged or of an unsupported kind ({detail})"
        )


def _cmyk_to_rgb(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As Pillow converts it: colours times light, where light is what black leaves."""
    light = 255 - samples[..., 3:].astype(np.int32)
    product = samples[..., :3] * light + 128
    product = ((product >> 8) + product) >> 8
    return np.clip(light - product, 0, 255).astype(np.uint8)
