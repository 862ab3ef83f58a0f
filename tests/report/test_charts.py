"""Where the marks of the charts lie."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.report.charts import bar_heights, clip_lines, histogram_bars, search_curve
from edgesr.report.material import Histogram


def search(*steps: tuple[int, float, float], made: int) -> dict[str, Any]:
    """Steps of (moves, drop, milliseconds)."""
    keys = ("moves", "drop", "milliseconds")
    rows = [dict(zip(keys, s, strict=True)) | {"layer": None, "worst": s[1], "bytes": 1} for s in steps]
    return {"ranking": [{"made": i < made} for i in range(9)], "steps": rows}


def test_the_curve_knows_what_was_chosen() -> None:
    curve = search_curve(search((0, 0.09, 14), (1, 0.06, 14.1), (3, 0.065, 14.4), (7, 0.02, 15), made=7), 0.1)
    assert [mark.role for mark in curve.marks] == ["start", "", "", "chosen"]
    x = [mark.x for mark in curve.marks]
    y = [mark.y for mark in curve.marks]
    assert x == sorted(x) and x[0] > 0 and x[-1] < 100
    assert (
        curve.limit is not None and curve.limit < y[0] < y[2] < y[1] < y[3] < 100
    )  # down the page is better
    assert "0.020 dB expected, 15.0 ms" in curve.marks[3].text


def test_the_line_passes_by_what_is_beaten() -> None:
    curve = search_curve(search((0, 0.09, 14), (1, 0.06, 14.1), (3, 0.065, 14.4), (7, 0.02, 15), made=7), 0.1)
    kept = [curve.marks[i] for i in (0, 1, 3)]
    assert list(curve.front) == [(a.x, a.y, b.x, b.y) for a, b in pairwise(kept)]


def test_the_limit_is_left_out_where_it_would_dwarf_the_rest() -> None:
    assert search_curve(search((0, 0.01, 14), (1, 0.005, 15), made=1), 1.0).limit is None


def test_the_last_of_equal_programs_was_chosen() -> None:
    curve = search_curve(search((0, 0.4, 10), (2, 0.3, 12), (2, 0.2, 13), made=2), 0.1)
    assert [mark.role for mark in curve.marks] == ["start", "", "chosen"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.01, 2), st.floats(0.01, 1e4)), min_size=1, max_size=9), st.floats(0, 3)
)
def test_everything_lies_on_the_plot(points: list[tuple[float, float]], limit: float) -> None:
    steps = [(i, drop, time) for i, (drop, time) in enumerate(points)]
    curve = search_curve(search(*steps, made=0), limit)
    for mark in curve.marks:
        assert 0 <= mark.x <= 100 and 0 <= mark.y <= 100
    for tick in (*curve.across, *curve.up):
        assert -0.01 <= tick.at <= 100.01
    assert curve.up
    assert curve.limit is None or 0 <= curve.limit <= 100


def test_bars_tell_sensitivities_apart() -> None:
    low, middle, high, unknown, nothing = bar_heights([1e-4, 1e-2, 1.0, None, 0.0])
    assert low == nothing == 8 and high == 100 and unknown == 50
    assert middle == pytest.approx((low + high) / 2)
    assert bar_heights([None, None]) == [50, 50]
    assert bar_heights([0.3, 0.3]) == [8, 8]
    assert bar_heights([]) == []


def test_a_histogram_fills_its_plot() -> None:
    counts = np.array([0, 9, 99, 0])
    histogram = Histogram("a", "Add", counts, -1.0, 3.0, (-1.0, 2.0), 0.0, 0.0, None)
    assert histogram_bars(histogram) == [(25.0, 25.0, 50.0), (50.0, 25.0, 100.0)]
    assert clip_lines(histogram) == [0.0, 75.0]
