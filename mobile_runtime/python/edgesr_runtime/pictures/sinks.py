"""Where pixels go: a picture file that takes rows from top to bottom, and is there only once it is whole.

Each sink is a block that hands out a function for rows, uint8 (rows, width, channels); the file appears when
the block ends, and nothing of it remains when the block fails.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath, replacing
from edgesr_runtime.pictures.formats import Format

Write = Callable[[NDArray[np.uint8]], None]


@contextmanager
def pillow_sink(
    path: StrPath, kind: Format, size: tuple[int, int], channels: int, profile: bytes | None
) -> Iterator[Write]:
    """Holds the whole picture of `size` (height, width) in memory and has Pillow encode it."""
    height, width = size
    image = Image.new("RGBA" if channels == 4 else "RGB", (width, height))
    done = 0

    def write(rows: NDArray[np.uint8]) -> None:
        nonlocal done
        image.paste(Image.fromarray(rows), (0, done))
        done += len(rows)

    yield write
    options = {**kind.options, **({"icc_profile": profile} if profile and kind.profile else {})}
    try:
        with replacing(path) as stream:
            image.save(stream, kind.name, **options)
    except (ValueError, RuntimeError) as error:  # the encoder's own refusals
        raise UserError(f"{os.fspath(path)} cannot be written ({error}); use .png") from error
