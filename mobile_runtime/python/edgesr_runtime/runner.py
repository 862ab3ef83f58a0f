"""Running single tiles: a square of pixels in, the square of its enlarged pixels out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.bicubic import enlarge
from edgesr_runtime.pictures import RgbPicture
from edgesr_runtime.pixels import to_pixels, to_program_range
from edgesr_runtime.program import Program
from edgesr_runtime.routing import SKIP


class Runner:
    """Sends squares of pixels through the variants of a program, or past them."""

    def __init__(self, program: Program) -> None:
        self._engine, self._info = program.engine, program.info
        self._batch = np.empty((1, self._info.tile, self._info.tile, 3), np.float32)

    def run(self, route: str, square: RgbPicture) -> NDArray[Any]:
        """uint8 (tile, tile, 3) to whole numbers 0..255, uint8 or float32, (tile*scale, tile*scale, 3).

        Raises:
            UserError: the engine fails.
        """
        if route == SKIP:
            return enlarge(square, self._info.scale)
        self._batch[0] = square
        to_program_range(self._batch, self._info.pixel_range)
        answer = self._engine.run(route, self._batch)
        to_pixels(answer, self._info.pixel_range)
        return answer[0]
