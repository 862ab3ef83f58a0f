"""The dB gate: what a program loses against the float network, picture by picture.

The float network sees the whole picture, the program works as it is deployed (tiled, routed). Both
results are rounded to 8 bits before any metric, and both are compared with the original (METHODS F).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from .folder import Picture
from .metrics import Drop, channel_mean_shift, drop, max_abs_error, psnr, psnr_y, ssim_y
from .resize import crop_to_multiple, downscale

Rgb = NDArray[np.uint8]
Upscaler = Callable[[Rgb], Rgb]
"""(H,W,3) uint8 to (H*scale,W*scale,3) uint8."""

Progress = Callable[[], None]
"""Called after each picture."""

HEADROOM = 4.0
"""dB between average photographs and easier ones (General-100 lies 2 to 4 dB above BSDS400 at x4 and x2)."""

EASIEST = 45.0
"""dB of the easiest pictures that count: flat ones reach any figure, and nobody sees what they lose."""

SSIM_SIDE = 11  # SSIM's window does not fit into smaller pictures


@dataclass(frozen=True)
class Case:
    """A picture with everything that does not depend on the program under test.

    Attributes:
        hr: the original, cropped to a multiple of the scale; `lr` is made of it.
        sr_float: the float network's result on the whole picture.
        psnr_float: of `sr_float`, PSNR-Y to the original in dB.
        sr_tiled, psnr_tiled: the same for the float network run tile by tile; None if not asked for.
    """

    name: str
    hr: Rgb
    lr: Rgb
    sr_float: Rgb
    psnr_float: float
    sr_tiled: Rgb | None
    psnr_tiled: float | None

    @property
    def scale(self) -> int:
        return self.hr.shape[0] // self.lr.shape[0]


@dataclass(frozen=True)
class Score:
    """One picture: PSNR-Y to the original in dB of the float network and of the program.

    Attributes:
        psnr_tiled: of the float network run tile by tile like the program; None if not asked for.
        psnr_to_float: of the program against the float network, all channels, 8 bit.
        max_abs_error: largest difference to the float network in grey levels.
        mean_shift: mean signed difference to the float network per channel, in grey levels.
        ssim_float, ssim_program: SSIM-Y; None for a picture smaller than SSIM's window.
    """

    name: str
    psnr_float: float
    psnr_program: float
    psnr_tiled: float | None
    psnr_to_float: float
    max_abs_error: float
    mean_shift: tuple[float, float, float]
    ssim_float: float | None
    ssim_program: float | None

    @property
    def drop(self) -> float:
        """dB lost against the float network; 0 where both are perfect."""
        return drop([self.psnr_float], [self.psnr_program]).mean


@dataclass(frozen=True)
class Verdict:
    """All scores (at least one), and the figures that reports and gates use: dB, means over pictures."""

    scores: tuple[Score, ...]

    @property
    def psnr_float(self) -> float:
        return _mean([s.psnr_float for s in self.scores])

    @property
    def psnr_program(self) -> float:
        return _mean([s.psnr_program for s in self.scores])

    @property
    def drop(self) -> float:
        return self._drop.mean

    @property
    def worst(self) -> Score:
        """The picture that loses most."""
        return self.scores[self._drop.worst_index]

    @property
    def _drop(self) -> Drop:
        return drop([s.psnr_float for s in self.scores], [s.psnr_program for s in self.scores])

    @property
    def drop_tiling(self) -> float | None:
        """How much of the drop the tiling alone costs; None if it was not measured."""
        tiled = [s.psnr_tiled for s in self.scores if s.psnr_tiled is not None]
        if len(tiled) < len(self.scores):
            return None
        return drop([s.psnr_float for s in self.scores], tiled).mean

    @property
    def psnr_to_float(self) -> float:
        """Mean over the pictures that differ at all; infinite where none does."""
        return _mean([s.psnr_to_float for s in self.scores if isfinite(s.psnr_to_float)])

    @property
    def max_abs_error(self) -> float:
        return max(s.max_abs_error for s in self.scores)

    @property
    def mean_shift(self) -> tuple[float, float, float]:
        red, green, blue = np.mean([s.mean_shift for s in self.scores], axis=0).tolist()
        return red, green, blue


def case_of(picture: Picture, scale: int, whole: Upscaler, tiled: Upscaler | None = None) -> Case:
    """Runs the float network on one picture.

    Args:
        whole: the float network on a whole picture.
        tiled: the float network run tile by tile, to tell what the tiling alone costs.
    """
    hr, lr = crop_to_multiple(picture.rgb, scale), downscale(picture.rgb, scale)
    sr = whole(lr)
    sr_tiled = None if tiled is None else tiled(lr)
    psnr_tiled = None if sr_tiled is None else psnr_y(sr_tiled, hr, scale)
    return Case(picture.name, hr, lr, sr, psnr_y(sr, hr, scale), sr_tiled, psnr_tiled)


def prepare(
    pictures: Iterable[Picture],
    scale: int,
    whole: Upscaler,
    tiled: Upscaler | None = None,
    progress: Progress = lambda: None,
) -> tuple[Case, ...]:
    """Runs the float network once per picture, so that many programs can be judged against it."""
    cases = []
    for picture in pictures:
        cases.append(case_of(picture, scale, whole, tiled))
        progress()
    return tuple(cases)


def score(case: Case, program: Upscaler) -> Score:
    """Everything that is asked about one picture."""
    sr = program(case.lr)
    return Score(
        name=case.name,
        psnr_float=case.psnr_float,
        psnr_program=psnr_y(sr, case.hr, case.scale),
        psnr_tiled=case.psnr_tiled,
        psnr_to_float=psnr(sr, case.sr_float),
        max_abs_error=max_abs_error(sr, case.sr_float),
        mean_shift=channel_mean_shift(sr, case.sr_float),
        ssim_float=_ssim(case.sr_float, case),
        ssim_program=_ssim(sr, case),
    )


def judge(cases: Iterable[Case], program: Upscaler, progress: Progress = lambda: None) -> Verdict:
    """Scores a program on prepared pictures, at least one."""
    scores = []
    for case in cases:
        scores.append(score(case, program))
        progress()
    return Verdict(tuple(scores))


@dataclass(frozen=True)
class Foreseen:
    """What quantization is expected to cost: dB of PSNR-Y.

    Attributes:
        mean: over pictures like those that were looked at.
        worst: of the one that loses most, were the float network `HEADROOM` dB better on each: what holds on
            a few pictures must hold on others.
    """

    mean: float
    worst: float


def foresee(cases: Iterable[Case], program: Upscaler) -> Foreseen:
    """Expected drops from noise, 10 log10(1 + noise / error): chance gains on some pictures do not count.

    The noise is the program's against the float network on the same tiles (cases prepared with `tiled`), so
    what tiling costs is not blamed on quantization. The error is the float network's, at least that of
    `EASIEST`.
    """
    plain, easier = [], []
    for case in cases:
        reference = case.sr_float if case.sr_tiled is None else case.sr_tiled
        noise = psnr_y(program(case.lr), reference, case.scale)
        plain.append(_added(noise, case.psnr_float))
        easier.append(_added(noise, case.psnr_float + HEADROOM))
    return Foreseen(_mean(plain), max(easier))


def _added(noise: float, error: float) -> float:
    """dB by which noise of one PSNR adds to an error of another."""
    return 10 * log10(1 + 10 ** ((min(error, EASIEST) - noise) / 10))


def _ssim(sr: Rgb, case: Case) -> float | None:
    inner = min(case.hr.shape[:2]) - 2 * case.scale
    return ssim_y(sr, case.hr, case.scale) if inner >= SSIM_SIDE else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else inf
