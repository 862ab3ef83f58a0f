"""Encoding a picture with libvips while its rows come in.

libvips asks for pixels, and we have rows to give. So it runs in a thread of its own and reads a PNG, not
compressed, from a pipe, at the other end of which the rows go in.
"""

import errno
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath, replacing
from edgesr_runtime.pictures.formats import Format
from edgesr_runtime.pictures.sinks import Write
from edgesr_runtime.pictures.vips import import_vips

_CHUNK = 1 << 20  # bytes of pixels that go into the pipe at a time
_COLOUR_TYPES = {3: 2, 4: 6}  # channels -> PNG's number for RGB, RGBA
_CLASSIC_TIFF = 4 * 10**9  # bytes, beyond which a TIFF file must be of the big kind


@contextmanager
def vips_sink(
    path: StrPath, kind: Format, size: tuple[int, int], channels: int, profile: bytes | None, why: str
) -> Iterator[Write]:
    """Encodes strip by strip, with Pillow's name for a format that `kind.strips` has options for."""
    vips = import_vips(why)
    options = {**(kind.strips or {}), "keep": "icc"}
    if kind.name == "TIFF":
        options["bigtiff"] = size[0] * size[1] * channels > _CLASSIC_TIFF
    if profile and kind.profile:
        options["icc"] = profile
    with replacing(path) as stream:
        encoder = _Encoder(vips, path, stream, Path(path).suffix.lower(), options)
        try:
            pixels = _PngStream(encoder.pipe, size, channels)
            yield pixels.write
            with suppress(BrokenPipeError):  # with all rows at hand, it need not wait for the end
                pixels.end()
        except BaseException as error:
            if not isinstance(error, BrokenPipeError):
                with suppress(OSError, UserError):
                    encoder.finish()
                raise
            encoder.finish()  # says why it does not read on
            raise
        encoder.finish()


class _Encoder:
    """libvips at work on what comes through a pipe."""

    def __init__(
        self, vips: Any, path: StrPath, stream: BinaryIO, suffix: str, options: dict[str, Any]
    ) -> None:
        self._vips, self._path, self._stream = vips, path, stream
        self._suffix, self._options = suffix, options
        self._error: Exception | None = None
        self._outlet, inlet = os.pipe()
        self.pipe = os.fdopen(inlet, "wb", buffering=0)
        self._thread = threading.Thread(target=self._encode, name="edgesr-encode", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything is written.

        Raises:
            OSError: the disk is full.
            UserError: anything else.
        """
        with suppress(BrokenPipeError):
            self.pipe.close()
        self._thread.join()
        if self._error is None:
            return
        detail = " ".join(str(getattr(self._error, "detail", self._error)).split())
        if os.strerror(errno.ENOSPC) in detail:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from self._error
        raise UserError(f"{os.fspath(self._path)} cannot be written ({detail}); use .png") from self._error

    def _encode(self) -> None:
        try:
            source = self._vips.Source.new_from_descriptor(self._outlet)
            image = self._vips.Image.pngload_source(source, access="sequential", fail_on="truncated")
            options = dict(self._options)
            profile = options.pop("icc", None)
            if profile:
                image = image.copy()
                image.set_type(self._vips.GValue.blob_type, "icc-profile-data", profile)
            target = self._vips.Target.new_to_descriptor(self._stream.fileno())
            image.write_to_target(target, self._suffix, **options)
        except Exception as error:  # told by `finish`, in the thread that waits
            self._error = error
        finally:
            os.close(self._outlet)


class _PngStream:
    """Writes rows as a PNG whose data is stored, not compressed."""

    def __init__(self, out: Any, size: tuple[int, int], channels: int) -> None:
        height, width = size
        self._out, self._packer = out, zlib.compressobj(0)
        rows = max(1, _CHUNK // (width * channels))
        self._lines = np.zeros((rows, 1 + width * channels), np.uint8)  # a 0 before each row: no filter
        self._put(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0))

    def write(self, rows: NDArray[np.uint8]) -> None:
        for top in range(0, len(rows), len(self._lines)):
            part = rows[top : top + len(self._lines)]
            lines = self._lines[: len(part)]
            lines[:, 1:] = part.reshape(len(part), -1)
            self._chunk(b"IDAT", self._packer.compress(lines.data))

    def end(self) -> None:
        self._chunk(b"IDAT", self._packer.flush())
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._put(struct.pack(">I", len(data)) + name)
        self._put(data)
        self._put(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._out.write(view) :]
