"""Which pictures, and which part of them, a report shows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.evaluation.judge import Case, Verdict
from edgesr.evaluation.resize import downscale, upscale_bicubic
from edgesr.report.embedding import fitting, thumbnail
from edgesr.report.pictures import SIDE, busiest, chosen, compared, difference, narrowed
from report.samples import picture, score


def test_the_worst_and_the_median_of_the_others() -> None:
    drops = {"a": 0.01, "b": 0.5, "c": 0.02, "d": -0.3}
    found = chosen(Verdict(tuple(score(name, drop) for name, drop in drops.items())))
    assert {role: each.name for role, each in found.items()} == {"worst": "b", "typical": "a"}
    assert list(chosen(Verdict((score("only", 0.1),)))) == ["worst"]


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 14), st.integers(0, 99))
def test_the_busiest_part_is_the_sum_s_maximum(height: int, width: int, side: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 9, (height, width))
    box = busiest(values, side)
    assert (box.height, box.width) == (min(side, height), min(side, width))
    sums = [
        values[y : y + box.height, x : x + box.width].sum()
        for y in range(height - box.height + 1)
        for x in range(width - box.width + 1)
    ]
    assert values[box.top : box.top + box.height, box.left : box.left + box.width].sum() == max(sums)


def large() -> Case:
    hr = picture(600, 700)
    lr = downscale(hr, 2)
    return Case("a.png", hr, lr, upscale_bicubic(lr, 2), 30.0, None, None)


def test_the_part_in_which_most_differs() -> None:
    case = large()
    program = case.sr_float.copy()
    program[560:590, 660:690] ^= 255
    shown = compared("worst", score("a.png", 0.1), case, program)
    assert shown.size == (700, 600)
    assert shown.plain.shape == shown.program.shape == shown.bicubic.shape == (SIDE, SIDE, 3)
    rows, columns = np.nonzero((shown.plain != shown.program).any(axis=2))
    assert len(rows) == 30 * 30
    assert shown.box.top + rows.min() == 560 and shown.box.left + columns.min() == 660
    assert (
        shown.bicubic == upscale_bicubic(case.lr, 2)[shown.box.top :, shown.box.left :][:SIDE, :SIDE]
    ).all()

    small = narrowed(shown, 100)
    assert (small.box.width, small.box.height) == (100, 100)
    assert (small.plain == case.sr_float[small.box.top :, small.box.left :][:100, :100]).all()
    assert (small.plain != small.program).any(axis=2).sum() == 30 * 30


def test_a_difference_is_amplified_around_grey() -> None:
    first = np.array([[[10, 10, 200]]], np.uint8)
    second = np.array([[[10, 12, 100]]], np.uint8)
    assert difference(first, second).tolist() == [[[128, 160, 0]]]


def test_a_large_picture_becomes_a_thumbnail() -> None:
    assert thumbnail(picture(100, 1280)).shape == (50, 640, 3)
    small = picture(20, 30)
    assert (thumbnail(small) == small).all()


def test_what_fits_is_shown_whole() -> None:
    case = large()
    shown = compared("worst", score("a.png", 0.1), case, case.sr_float)
    kept, layers = fitting(narrowed(shown, 64))
    assert kept.box.width == 64
    assert list(layers) == ["float", "program", "bicubic", "difference"]
    assert layers["float"] == layers["program"] != layers["difference"]
