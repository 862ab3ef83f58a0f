"""What a report shows beside the figures of `--json`, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evaluation.judge import Rgb, Score


@dataclass(frozen=True)
class Box:
    """A rectangle of a picture, in its own pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Compared:
    """A part of one picture, enlarged in three ways.

    Attributes:
        role: why it is shown, in a word or two.
        size: (width, height) of the whole enlarged picture, of which `box` is shown.
        plain: the float network's result, (H,W,3); `program` and `bicubic` likewise.
    """

    role: str
    score: Score
    size: tuple[int, int]
    box: Box
    plain: Rgb
    program: Rgb
    bicubic: Rgb


@dataclass(frozen=True)
class RoutedTile:
    """One tile of a low-resolution picture: the part that it owns, its complexity, the variant it runs in."""

    box: Box
    complexity: float
    variant: str


@dataclass(frozen=True)
class TileMap:
    """How a low-resolution picture is cut and routed.

    Attributes:
        name: of the picture; size: (width, height) in low-resolution pixels.
    """

    name: str
    size: tuple[int, int]
    tiles: tuple[RoutedTile, ...]


@dataclass(frozen=True)
class Times:
    """Milliseconds of several runs: their median, the least and the most."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one tile on one thread of this machine, in interleaved runs.

    Attributes:
        plain: of the same network as a float32 program of the same format.
        variants: variant -> its own.
        plain_bytes: of the float32 program's file; `plain_bytes_compressed` of the same through gzip.
    """

    plain: Times
    variants: Mapping[str, Times]
    rounds: int
    plain_bytes: int
    plain_bytes_compressed: int


@dataclass(frozen=True)
class Histogram:
    """The values of one tensor on calibration tiles.

    Attributes:
        counts: of bins of equal width from `low` to `high`.
        clip: the range that the int8 grid covers.
        below, above: shares of the values that it cuts off.
        sensitivity: predicted mean square error at the output, in grey levels squared; None if unknown.
    """

    name: str
    kind: str
    counts: NDArray[np.int64]
    low: float
    high: float
    clip: tuple[float, float]
    below: float
    above: float
    sensitivity: float | None


@dataclass(frozen=True)
class Material:
    """See the module's docstring.

    Attributes:
        pictures: which pictures were judged, in words.
        calibration: method, tiles and seed, in words; `method` is its name alone.
        threads: on which they were judged.
        bytes_unpacked: of the program, whose file may be compressed.
        bytes_compressed: of the program through gzip.
        routes: variant -> tiles of all judged pictures that go there.
        tile_map: of the picture on which there is most to see; `tile_picture` are its pixels.
        histograms: most sensitive tensor first; empty where there was no calibration.
        machine: what the figures were measured with: name -> value.
    """

    pictures: str
    method: str
    calibration: str
    threads: int
    bytes_unpacked: int
    bytes_compressed: int
    scores: tuple[Score, ...]
    compared: tuple[Compared, ...]
    timing: Timing
    routes: Mapping[str, int]
    tile_map: TileMap
    tile_picture: Rgb
    machine: Mapping[str, str]
    histograms: tuple[Histogram, ...]

    @property
    def milliseconds(self) -> float:
        """Of one tile as it is deployed: the mean over the routes of the judged pictures."""
        # Tiles that are sent to no variant are enlarged without the network, in no time to speak of.
        return sum(times.median * self.share(name) for name, times in self.timing.variants.items())

    def share(self, route: str) -> float:
        """Of the tiles of all judged pictures."""
        return self.routes.get(route, 0) / sum(self.routes.values())
