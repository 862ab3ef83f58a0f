"""Pictures decoded as a whole by Pillow, converted row by row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesr_runtime.errors import PictureError
from edgesr_runtime.files import StrPath
from edgesr_runtime.pictures.source import rgb_profile
from edgesr_runtime.pixels import from_16_bits

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_EXIF_ORIENTATION = 0x0112


class PillowSource:
    """The rows of an opened Pillow image, whose pixels are loaded here.

    16-bit grey is scaled, CMYK converted by Pillow's plain formula, alpha kept beside colours as they are
    stored under it.
    """

    def __init__(self, image: Image.Image, path: StrPath) -> None:
        self.profile = rgb_profile(image.info.get("icc_profile"))
        self.channels = 4 if image.has_transparency_data else 3
        self._path, self._next = path, 0
        self._transparent = image.info.get("transparency")
        image.load()
        # Asked only now: some decoders turn the pixels themselves while loading and clear the tag.
        turn = _UPRIGHT.get(orientation(image))
        self._image = image if turn is None else image.transpose(turn)
        self.width, self.height = self._image.size
        self._convert(self._image.crop((0, 0, 1, 1)))  # finds out now whether it can be done

    def read(self, out: NDArray[np.uint8]) -> None:
        rows = self._image.crop((0, self._next, self.width, self._next + len(out)))
        self._next += len(out)
        out[...] = self._convert(rows)

    def rewind(self) -> None:
        self._next = 0

    def _convert(self, rows: Image.Image) -> NDArray[np.uint8]:
        if rows.mode == "I" or rows.mode.startswith("I;"):
            return self._scale_grey(rows)
        if rows.mode == "F":
            raise PictureError(
                f"{self._path} has float samples, whose white is unknown; save it as 8 or 16 bit"
            )
        if rows.mode == "La":
            rows = rows.convert("LA")
        wanted = "RGBA" if self.channels == 4 else "RGB"
        return np.asarray(rows if rows.mode == wanted else rows.convert(wanted))

    def _scale_grey(self, rows: Image.Image) -> NDArray[np.uint8]:
        """Scale 0..65535 to 0..255; Pillow's own conversion would clip everything above 255 to white."""
        samples: NDArray[Any] = np.asarray(rows).astype(np.int64)
        if samples.min() < 0 or samples.max() > 65535:
            raise PictureError(f"{self._path} has samples beyond 16 bits; save it as 8 or 16 bit")
        grey = from_16_bits(samples)
        if self.channels == 3:
            return np.stack([grey] * 3, axis=-1)
        alpha = np.where(samples == self._transparent, 0, 255).astype(np.uint8)
        return np.stack([grey, grey, grey, alpha], axis=-1)


def orientation(image: Image.Image) -> int:
    """How the picture was held, by EXIF's number 1..8; 1 is upright."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block says nothing against the pixels
        return 1
