"""A picture laid down on disk, for those that cannot be read row by row or are to be turned."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.pictures.source import Source

_ROWS = 64  # of a block

# EXIF orientation -> whether rows become columns, and whether rows and columns of the upright picture run
# against those that are stored.
_TURNS: Mapping[int, tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@contextmanager
def spooled(source: Source, orientation: int, folder: StrPath) -> Iterator[Source]:
    """The pixels of `source`, upright, by way of an uncompressed file in `folder` that nobody sees.

    Raises:
        UserError: the disk is full, the folder cannot be written, or the source is damaged.
    """
    with ExitStack() as stack:
        try:
            spool = Spool(source, orientation, stack.enter_context(tempfile.TemporaryFile(dir=folder)))
            spool.fill(source)
        except OSError as error:
            raise _no_room(source, folder, error) from error
        del source  # a decoder may hold as much as the picture, which nobody needs any more
        yield spool


class Spool:
    """Blocks of `_ROWS` stored rows, one after the other; in a block, the columns are the rows where those
    become rows of the upright picture. So rows to be read lie together in every block."""

    def __init__(self, source: Source, orientation: int, file: BinaryIO) -> None:
        self._turned, self._rows_reversed, self._columns_reversed = _TURNS[orientation]
        self._stored = source.height, source.width
        self._file, self._next = file, 0
        self.height, self.width = self._stored[::-1] if self._turned else self._stored
        self.channels, self.profile = source.channels, source.profile

    def fill(self, source: Source) -> None:
        """Write all rows of `source` to the file."""
        height, width = self._stored
        block = np.empty((_ROWS, width, self.channels), np.uint8)
        for top in range(0, height, _ROWS):
            rows = block[: min(_ROWS, height - top)]
            source.read(rows)
            # Each block's rows lie together as they will be asked for.
            self._file.write(np.ascontiguousarray(rows.swapaxes(0, 1) if self._turned else rows).data)
        self._file.flush()

    def read(self, out: NDArray[np.uint8]) -> None:
        first = self.height - self._next - len(out) if self._rows_reversed else self._next
        self._next += len(out)
        upright = out[::-1] if self._rows_reversed else out
        upright = upright[:, ::-1] if self._columns_reversed else upright
        if self._turned:
            self._read_columns(first, upright)
        else:
            upright[...] = self._load(first * self.width, (len(out), self.width))

    def rewind(self) -> None:
        self._next = 0

    def _read_columns(self, first: int, out: NDArray[np.uint8]) -> None:
        """Stored columns first, first + 1, ... as rows."""
        height, width = self._stored
        for top in range(0, height, _ROWS):
            rows = min(_ROWS, height - top)
            out[:, top : top + rows] = self._load(top * width + first * rows, (len(out), rows))

    def _load(self, pixel: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        self._file.seek(pixel * self.channels)
        count = shape[0] * shape[1] * self.channels
        return np.frombuffer(self._file.read(count), np.uint8).reshape(*shape, self.channels)


def _no_room(source: Source, folder: StrPath, error: OSError) -> UserError:
    megabytes = source.height * source.width * source.channels // 10**6 + 1
    return UserError(
        f"{os.fspath(folder)}: no temporary file of {megabytes} MB for the picture there"
        f" ({error.strerror or error}); free some space"
    )
