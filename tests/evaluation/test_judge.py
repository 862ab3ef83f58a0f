"""What the gate says about programs whose faults are known."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from edgesr.evaluation.folder import Picture
from edgesr.evaluation.judge import (
    HEADROOM,
    Case,
    Foreseen,
    Rgb,
    Upscaler,
    Verdict,
    case_of,
    foresee,
    judge,
    prepare,
    score,
)
from edgesr.evaluation.metrics import LUMA, psnr_y
from edgesr.evaluation.resize import crop_to_multiple, downscale, upscale_bicubic

SCALE = 2


def enlarge(lr: Rgb) -> Rgb:
    return upscale_bicubic(lr, SCALE)


def shifted(amount: int) -> Upscaler:
    """An upscaler that is `amount` grey levels brighter than `enlarge`."""
    return lambda lr: np.clip(enlarge(lr).astype(int) + amount, 0, 255).astype(np.uint8)


@pytest.fixture
def pictures() -> list[Picture]:
    drawn = np.random.default_rng(0).integers(60, 190, (3, 33, 41, 3)).astype(np.uint8)
    return [Picture(f"{index}.png", rgb) for index, rgb in enumerate(drawn)]


def test_a_case_is_made_by_the_protocol(pictures: list[Picture]) -> None:
    case = case_of(pictures[0], SCALE, enlarge)
    assert case.hr.shape == (32, 40, 3)
    assert np.array_equal(case.lr, downscale(pictures[0].rgb, SCALE))
    assert case.psnr_float == psnr_y(enlarge(case.lr), crop_to_multiple(pictures[0].rgb, SCALE), SCALE)
    assert case.psnr_tiled is None
    assert case.scale == SCALE


def test_the_float_network_itself_loses_nothing(pictures: list[Picture]) -> None:
    verdict = judge(prepare(pictures, SCALE, enlarge, enlarge), enlarge)
    assert verdict.drop == 0
    assert verdict.drop_tiling == 0
    assert verdict.worst.drop == 0
    assert verdict.psnr_to_float == inf
    assert verdict.max_abs_error == 0
    assert verdict.psnr_float == verdict.psnr_program


def test_a_colour_cast_is_seen(pictures: list[Picture]) -> None:
    verdict = judge(prepare(pictures, SCALE, enlarge), shifted(3))
    assert verdict.mean_shift == pytest.approx((3, 3, 3), abs=0.05)
    assert verdict.max_abs_error == 3
    assert verdict.psnr_to_float == pytest.approx(20 * np.log10(255 / 3), abs=0.1)
    assert verdict.drop_tiling is None


def test_the_worst_picture_is_named(pictures: list[Picture]) -> None:
    cases = prepare(pictures, SCALE, enlarge)

    def spoils_the_second(lr: Rgb) -> Rgb:
        return shifted(20)(lr) if np.array_equal(lr, cases[1].lr) else enlarge(lr)

    verdict = judge(cases, spoils_the_second)
    assert verdict.worst.name == "1.png"
    assert verdict.drop == pytest.approx(verdict.worst.drop / 3)
    assert verdict.psnr_to_float == verdict.scores[1].psnr_to_float  # the others do not differ at all


def test_what_tiling_costs_is_told_apart(pictures: list[Picture]) -> None:
    verdict = judge(prepare(pictures, SCALE, enlarge, shifted(5)), shifted(9))
    assert verdict.drop_tiling is not None
    assert 0 < verdict.drop_tiling < verdict.drop


def test_the_expected_drop_is_that_on_easier_pictures(pictures: list[Picture]) -> None:
    """More than on these pictures, nothing without noise, and tiling is not blamed on the program."""
    cases = prepare(pictures, SCALE, enlarge)
    assert foresee(cases, enlarge) == Foreseen(0, 0)
    alone = [foresee([case], shifted(4)).mean for case in cases]
    assert foresee(cases, shifted(4)).mean == pytest.approx(np.mean(alone)) and min(alone) > 0
    assert foresee(cases, shifted(4)).worst > max(alone)
    assert foresee(prepare(pictures, SCALE, enlarge, shifted(4)), shifted(4)) == Foreseen(0, 0)


@pytest.mark.parametrize("tiled", [False, True])
def test_known_noise_gives_the_known_expected_drop(tiled: bool) -> None:
    """10 log10(1 + noise / error); of the worst picture with its error `HEADROOM` dB lower."""
    flat = np.full((16, 16, 3), 100, np.uint8)
    steps, psnrs = (1, 4), (30.0, 40.0)  # the program's grey levels off, the float network's PSNR-Y

    def known(step: int, psnr: float) -> Case:
        lr = np.full((8, 8, 3), step, np.uint8)  # tells the program which picture it is
        other = flat + 50  # what the noise must not be measured against
        return Case(str(step), flat, lr, other if tiled else flat, psnr, flat if tiled else None, psnr)

    cases = [known(step, psnr) for step, psnr in zip(steps, psnrs, strict=True)]
    noises = [(step * LUMA.sum()) ** 2 for step in steps]
    foreseen = foresee(cases, lambda lr: flat + lr[0, 0, 0])

    def added(headroom: float) -> list[float]:
        errors = [255**2 / 10 ** ((psnr + headroom) / 10) for psnr in psnrs]
        return [10 * np.log10(1 + n / e) for n, e in zip(noises, errors, strict=True)]

    assert foreseen.mean == pytest.approx(np.mean(added(0)), rel=1e-6)
    assert foreseen.worst == pytest.approx(max(added(HEADROOM)), rel=1e-6)


def test_a_perfect_float_result_asks_for_nothing_impossible() -> None:
    flat = np.full((16, 16, 3), 100, np.uint8)
    cases = [Case("flat", flat, flat[::2, ::2], flat, inf, None, None)]
    assert foresee(cases, lambda lr: flat).worst == 0
    assert 0 < foresee(cases, lambda lr: flat + 1).worst < 5


def test_progress_is_told_per_picture(pictures: list[Picture]) -> None:
    steps: list[int] = []
    cases = prepare(pictures, SCALE, enlarge, progress=lambda: steps.append(0))
    judge(cases, enlarge, progress=lambda: steps.append(1))
    assert steps == [0, 0, 0, 1, 1, 1]


def test_pictures_too_small_for_ssim_have_none(pictures: list[Picture]) -> None:
    case = case_of(Picture("small", pictures[0].rgb[:14, :14]), SCALE, enlarge)
    assert score(case, enlarge).ssim_program is None
    assert score(case_of(pictures[0], SCALE, enlarge), enlarge).ssim_program is not None


def test_perfect_pictures_do_not_spoil_the_mean(pictures: list[Picture]) -> None:
    case = case_of(pictures[0], SCALE, enlarge)
    perfect: Case = replace(case, hr=case.sr_float, psnr_float=inf)
    verdict: Verdict = judge([perfect], enlarge)
    assert verdict.drop == 0
