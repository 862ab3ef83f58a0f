"""Figures in words: how the page writes numbers."""

from math import floor, isfinite, log10

MINUS = "\N{MINUS SIGN}"
DIGITS = 4  # of dB in the JSON


def db(value: float | None) -> str:
    """Decibels; null in the JSON stands for no difference at all."""
    if value is None or not isfinite(value):
        return "equal"
    # Rounded as in the JSON first, so that a figure looks the same wherever it comes from.
    shown = round(round(value, DIGITS), 3) + 0.0
    return f"{shown:.3f} dB".replace("-", MINUS)


def size(count: int) -> str:
    """Bytes, in the decimal units of download pages."""
    for unit, worth in (("MB", 10**6), ("kB", 10**3)):
        if count >= worth:
            return f"{significant(count / worth)} {unit}"
    return f"{count} bytes"


def milliseconds(value: float) -> str:
    return f"{significant(value)} ms"


def spread(low: float, high: float) -> str:
    """From the least to the most of several runs."""
    return f"{significant(low)} to {significant(high)}"


def times(value: float) -> str:
    """A ratio: 2.9 times."""
    return f"{significant(value, 2 if value < 10 else 3)}\N{MULTIPLICATION SIGN}"


def percent(value: float) -> str:
    """A share; what is neither nothing nor all does not look so."""
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.3g} %"


def share(value: float) -> str:
    """One size of another, in whole percent."""
    return f"{100 * value:.0f} %"


def significant(value: float, digits: int = 3) -> str:
    """A number without exponent where that is readable."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    places = max(0, digits - 1 - floor(log10(abs(value))))
    return f"{round(value, places):.{places}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """A shift to either side, in thousandths; null in the JSON stands for none."""
    shift = round(value or 0.0, 3)
    return f"{shift:+.3f}".replace("-", MINUS) if shift else "0"


def interval(bounds: tuple[float, float] | list[float] | None) -> str:
    return "\N{EN DASH}" if bounds is None else f"{significant(bounds[0])} … {significant(bounds[1])}"


FILTERS = (db, size, milliseconds, spread, times, percent, share, significant, signed, interval)
"""For templates, under their names."""
