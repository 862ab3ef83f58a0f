"""Where the marks of the charts lie, in percent of a plot's width and height.

The page's SVG has no coordinate system of its own: percentages let it fill any screen while its text keeps
its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any

from .material import Histogram
from .words import significant

HEADROOM = 0.08  # of a scale, beyond the outermost mark
LEAST_SPAN = 1e-6  # of a scale: what lies closer together counts as one value
FLOOR = 8.0  # percent that the lowest bar has
DECADES = 6.0  # of sensitivity that bars tell apart


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A program that the search tried; `role` says what is special about it."""

    x: float
    y: float
    text: str
    role: str


@dataclass(frozen=True)
class Curve:
    """Drop against time. `front` are the segments between marks that none beats in both: x1, y1, x2, y2."""

    marks: tuple[Mark, ...]
    front: tuple[tuple[float, float, float, float], ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    limit: float | None


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    @staticmethod
    def over(values: Sequence[float]) -> "_Scale":
        low, high = min(values), max(values)
        room = HEADROOM * (high - low if high - low > LEAST_SPAN else max(abs(high), 1.0))
        return _Scale(low - room, high + room)

    def at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 3)

    def ticks(self, count: int = 4) -> list[float]:
        """Round numbers within the scale."""
        rough = (self.high - self.low) / count
        power = 10.0 ** floor(log10(rough))
        step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
        return [i * step for i in range(ceil(self.low / step), floor(self.high / step) + 1)]


def search_curve(search: Mapping[str, Any], max_drop: float | None) -> Curve:
    """The programs that a search tried, from the JSON's record of it."""
    steps = search["steps"]
    made = sum(move["made"] for move in search["ranking"])
    taken = max(i for i, step in enumerate(steps) if step["moves"] == made)
    drops = [step["drop"] for step in steps]
    across = _Scale.over([step["milliseconds"] for step in steps])
    limits = [max_drop] if max_drop is not None and max_drop <= 2 * max(drops) else []
    up = _Scale.over([0.0, *drops, *limits])
    marks = [
        Mark(
            across.at(step["milliseconds"]),
            100 - up.at(step["drop"]),
            _step(step),
            "chosen" if i == taken else "start" if step["moves"] == 0 else "",
        )
        for i, step in enumerate(steps)
    ]
    return Curve(
        marks=tuple(marks),
        front=tuple((a.x, a.y, b.x, b.y) for a, b in pairwise(_front(marks))),
        across=tuple(Tick(across.at(value), significant(value)) for value in across.ticks()),
        up=tuple(Tick(100 - up.at(value), f"{value:.3g}") for value in up.ticks() if value >= 0),
        limit=100 - up.at(limits[0]) if limits else None,
    )


def _step(step: Mapping[str, Any]) -> str:
    changes = "1 change" if step["moves"] == 1 else f"{step['moves']} changes"
    last = f", the last on {step['layer']}" if step["layer"] else ""
    return (
        f"{changes}{last}: {step['drop']:.3f} dB expected, {significant(step['milliseconds'])} ms a tile, "
        f"{step['bytes']:,} bytes"
    )


def _front(marks: Sequence[Mark]) -> list[Mark]:
    """Marks that no other beats: less time, or less loss (higher y is lower on the page)."""
    front: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.x, -mark.y)):
        if not front or mark.y > front[-1].y:
            front.append(mark)
    return front


def bar_heights(sensitivities: Sequence[float | None]) -> list[float]:
    """Percent for each layer, by the logarithm of its sensitivity; half for one that is not known."""
    known = [value for value in sensitivities if value and value > 0]
    if not known:
        return [50.0] * len(sensitivities)
    top = log10(max(known))
    bottom = max(log10(min(known)), top - DECADES)
    span = (top - bottom) or 1.0

    def height(value: float | None) -> float:
        if value is None:
            return 50.0
        level = (log10(value) - bottom) / span if value > 0 else 0.0
        return round(FLOOR + (100 - FLOOR) * min(1.0, max(0.0, level)), 2)

    return [height(value) for value in sensitivities]


def histogram_bars(histogram: Histogram) -> list[tuple[float, float, float]]:
    """(x, width, height) of each bin that is not empty; the height by the logarithm of its count."""
    counts = histogram.counts.tolist()
    width = 100 / len(counts)
    top = log10(1 + max(counts))
    return [
        (round(i * width, 3), round(width, 3), round(100 * log10(1 + count) / top, 2))
        for i, count in enumerate(counts)
        if count
    ]


def clip_lines(histogram: Histogram) -> list[float]:
    """Where the two clip points lie."""
    span = (histogram.high - histogram.low) or 1.0
    return [round(100 * (point - histogram.low) / span, 3) for point in histogram.clip]
