"""Which pictures a report shows, and which part of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..evaluation.judge import Case, Rgb, Score, Verdict
from ..evaluation.resize import upscale_bicubic
from .material import Box, Compared

SIDE = 512  # pixels of a side that a report shows at most
AMPLIFIED = 16  # times that the difference is shown


def chosen(verdict: Verdict) -> Mapping[str, Score]:
    """Why it is shown -> the picture: the one that loses most, and the median of the others."""
    worst = verdict.worst
    others = sorted((s for s in verdict.scores if s is not worst), key=lambda s: s.drop)
    found = {"worst": worst}
    if others:
        found["typical"] = others[len(others) // 2]
    return found


def compared(role: str, score: Score, case: Case, program: Rgb) -> Compared:
    """The part of a picture in which the program differs most from the float network.

    Args:
        program: what it makes of the whole picture, (H,W,3).
    """
    height, width = case.sr_float.shape[:2]
    box = busiest(np.abs(program.astype(np.int64) - case.sr_float).sum(axis=2), SIDE)
    whole = (case.sr_float, program, upscale_bicubic(case.lr, case.scale))
    return Compared(role, score, (width, height), box, *(cut(picture, box) for picture in whole))


def cut(picture: Rgb, box: Box) -> Rgb:
    """A copy of a part."""
    return picture[box.top : box.top + box.height, box.left : box.left + box.width].copy()


def busiest(values: NDArray[np.int64], side: int) -> Box:
    """The part of at most `side` pixels each way whose sum is largest; the first of equals."""
    height, width = (min(side, length) for length in values.shape)
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    parts = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = divmod(int(parts.argmax()), parts.shape[1])
    return Box(left, top, width, height)


def difference(first: Rgb, second: Rgb) -> Rgb:
    """second - first, amplified, around middle grey."""
    amplified = 128 + AMPLIFIED * (second.astype(np.int64) - first)
    return np.clip(amplified, 0, 255).astype(np.uint8)


def layers(picture: Compared) -> Sequence[tuple[str, Rgb]]:
    """What is laid over each other, by the names that the page's script uses."""
    return (
        ("float", picture.plain),
        ("program", picture.program),
        ("bicubic", picture.bicubic),
        ("difference", difference(picture.plain, picture.program)),
    )


def narrowed(picture: Compared, side: int) -> Compared:
    """The same with at most `side` pixels each way."""
    box = busiest(np.abs(picture.program.astype(np.int64) - picture.plain).sum(axis=2), side)
    return replace(
        picture,
        box=Box(picture.box.left + box.left, picture.box.top + box.top, box.width, box.height),
        plain=cut(picture.plain, box),
        program=cut(picture.program, box),
        bicubic=cut(picture.bicubic, box),
    )
