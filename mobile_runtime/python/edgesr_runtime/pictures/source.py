"""Where pixels come from: pictures that hand out their rows from top to bottom, each once."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.pictures.formats import Picture


class Source(Protocol):
    """A picture, upright, in 8 bits, as RGB (3 channels) or RGB with alpha (4).

    `profile` is its ICC profile of RGB colours, or None.
    """

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def profile(self) -> bytes | None: ...

    def read(self, out: NDArray[np.uint8]) -> None:
        """Fill uint8 (rows, width, channels) with the next rows.

        Raises:
            UserError: the file is damaged.
        """

    def rewind(self) -> None:
        """Begin at the first row again."""


class ArraySource:
    """The rows of an array."""

    profile = None

    def __init__(self, picture: Picture) -> None:
        self._picture, self._next = picture, 0
        self.height, self.width, self.channels = picture.shape

    def read(self, out: NDArray[np.uint8]) -> None:
        out[...] = self._picture[self._next : self._next + len(out)]
        self._next += len(out)

    def rewind(self) -> None:
        self._next = 0


def rgb_profile(profile: object) -> bytes | None:
    """An ICC profile that speaks of RGB colours; one of CMYK or grey says nothing about RGB pixels."""
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None
