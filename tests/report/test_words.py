"""Figures in words."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.report import words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0144, "0.014 dB"),
        (-0.006, "\N{MINUS SIGN}0.006 dB"),
        (None, "equal"),
        (inf, "equal"),
        (0, "0.000 dB"),
        (-0.0004, "0.000 dB"),
    ],
)
def test_db(value: float | None, expected: str) -> None:
    assert words.db(value) == expected


@settings(deadline=None)
@given(st.floats(-1, 1))
def test_a_loss_looks_as_it_does_in_the_json(value: float) -> None:
    assert words.db(value) == words.db(round(value, 4))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(999, "999 bytes"), (1000, "1.00 kB"), (703_944, "704 kB"), (2_200_000, "2.20 MB")],
)
def test_size(count: int, expected: str) -> None:
    assert words.size(count) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"), (0.0144, "0.0144"), (15.178, "15.2"), (1234.5, "1234"),
        (-0.53, "\N{MINUS SIGN}0.530"), (9.999, "10.00"),
        (0.00001234, "1.23e\N{MINUS SIGN}05"), (2.5e7, "2.50e+07"),
    ],
)  # fmt: skip
def test_significant(value: float, expected: str) -> None:
    assert words.significant(value) == expected


@settings(deadline=None)
@given(st.floats(-1e9, 1e9))
def test_three_digits_are_enough(value: float) -> None:
    shown = float(words.significant(value).replace(words.MINUS, "-"))
    assert shown == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 %"), (0.00001, "< 0.1 %"), (0.9971, "99.7 %"), (0.99999, "> 99.9 %"), (1, "100 %")],
)
def test_percent(value: float, expected: str) -> None:
    assert words.percent(value) == expected


def test_others() -> None:
    assert words.times(3.44) == "3.4\N{MULTIPLICATION SIGN}"
    assert words.times(35.44) == "35.4\N{MULTIPLICATION SIGN}"
    assert words.interval(None) == "\N{EN DASH}"
    assert words.interval((-1.0, 2.5)) == "\N{MINUS SIGN}1.00 … 2.50"
    assert [words.signed(v) for v in (0.0184, -0.017, -0.0001, None)] == [
        "+0.018",
        "\N{MINUS SIGN}0.017",
        "0",
        "0",
    ]
    assert words.share(0.318) == "32 %"
