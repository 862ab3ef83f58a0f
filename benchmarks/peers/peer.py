"""What a peer is: how it makes its program of a network and tiles, and how it runs it on one thread."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.metadata import DEFAULT_VARIANT

Floats = NDArray[np.float32]
Run = Callable[[Floats], Floats]
"""One float32 tile in, one out, both in the program's own layout."""

NCHW, NHWC = "NCHW", "NHWC"
PROGRAM = "program"
"""Stem of the files that an app would have to carry; whatever else a peer writes is not counted."""


@dataclass(frozen=True)
class Subject:
    """What every peer is given.

    Attributes:
        model, scale: as `edgesr convert` takes them.
        calib: the folder that the tiles are from.
        tiles: .npy of what edgesr calibrates on, float32 (N,3,tile,tile), white as the network has it.
        litert_torch: the Python of the environment that has litert-torch; None where there is none.
    """

    model: str
    scale: int | None
    calib: Path
    tiles: Path
    litert_torch: Path | None

    @cached_property
    def module(self) -> Any:
        """The float network, a `torch.nn.Module` from (N,3,H,W) to (N,3,H*scale,W*scale)."""
        from edgesr.networks.source import load_network

        return load_network(self.model, None, self.scale).module

    @cached_property
    def pixels(self) -> Floats:
        loaded: Floats = np.load(self.tiles)
        return loaded

    @cached_property
    def example(self) -> Any:
        """One tile as a tensor, for tools that trace."""
        import torch

        return torch.from_numpy(self.pixels[:1].copy())


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes:
        tool, form: its name and the number format; `float32` is what its other forms are compared with.
        make: writes `program.*` into a folder.
        load: reads it back, to run on one thread.
        packages: whose versions are told.
    """

    tool: str
    form: str
    make: Callable[[Subject, Path], None]
    load: Callable[[Path], Run]
    packages: tuple[str, ...]
    layout: str = NCHW

    @property
    def slug(self) -> str:
        return f"{self.tool} {self.form}".lower().translate(str.maketrans(" ,+", "---"))


class PeerEngine:
    """A peer's program behind the interface of edgesr's runtime, which cuts and stitches for all alike."""

    variants = (DEFAULT_VARIANT,)

    def __init__(self, run: Run, layout: str, tile: int) -> None:
        self._run, self._layout, self._tile = run, layout, tile

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return 1, self._tile, self._tile, 3

    def run(self, variant: str, batch: Floats) -> Floats:
        if self._layout == NHWC:
            return np.array(self._run(batch), np.float32)
        answer = self._run(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
        return np.array(answer.transpose(0, 2, 3, 1), np.float32, order="C")
