"""What was found about each program, and the table of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

FLOAT = "float32"


@dataclass(frozen=True)
class Row:
    """One program; what failed has None from there on.

    Attributes:
        seconds: of processor time, from network and tiles to the program.
        size, packed: bytes of its files, raw and each through gzip.
        drop, worst: dB of PSNR-Y against the float network on whole pictures.
        milliseconds: of one tile on one thread, processor time, the median.
        spread: how far the middle half of the runs reaches, as a share of that.
        wall: the same by the clock, with what other processes took in between.
        failure: why there is no more.
        memory: megabytes that its making took, the most of one process.
    """

    tool: str
    form: str
    seconds: float | None = None
    size: int | None = None
    packed: int | None = None
    drop: float | None = None
    worst: float | None = None
    milliseconds: float | None = None
    spread: float | None = None
    wall: float | None = None
    failure: str | None = None
    memory: float | None = None

    def timed(self, runs: Sequence[tuple[float, float]]) -> "Row":
        """The row with its times: (processor, clock) milliseconds of each run."""
        processor, clock = zip(*runs, strict=True)
        low, middle, high = quantiles(processor, n=4)
        return replace(self, milliseconds=middle, spread=(high - low) / middle, wall=median(clock))


@dataclass(frozen=True)
class Results:
    """Network -> its rows, LiteRT's float first; `about` says where, when and with what."""

    about: dict[str, str]
    networks: Mapping[str, tuple[Row, ...]]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Results":
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        rows = {name: tuple(Row(**row) for row in rows) for name, rows in found["networks"].items()}
        return cls(found["about"], rows)


HEADER = (
    "tool", "form", "drop, mean / worst (dB)", "time / LiteRT float", "time / own float", "ms",
    "bytes", "gzip", "made in (s)", "with (MB)",
)  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Markdown; times relative to the first row, and to the float form of the same tool."""
    cells = [_cells(row, rows[0], _own_float(row, rows)) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (HEADER, ["---"] * len(HEADER), *cells))


def _own_float(row: Row, rows: Iterable[Row]) -> Row | None:
    return next((r for r in rows if r.form == FLOAT and runtime(r) == runtime(row)), None)


def runtime(row: Row) -> str:
    """What runs it: edgesr's programs are compared with the float of their runtime."""
    return row.tool.removeprefix("edgesr, ")


def _cells(row: Row, reference: Row, own: Row | None) -> list[str]:
    drop = f"{row.drop:.3f} / {row.worst:.3f}" if row.drop is not None else row.failure or ""
    milliseconds = f"{row.milliseconds:.2f}" if row.milliseconds else ""
    times = (_ratio(row, reference), _ratio(row, own))
    sizes = ("" if size is None else f"{size:,}" for size in (row.size, row.packed))
    made = ("" if figure is None else f"{figure:,.0f}" for figure in (row.seconds, row.memory))
    return [row.tool, row.form, drop, *times, milliseconds, *sizes, *made]


def _ratio(row: Row, base: Row | None) -> str:
    if base is None or row.milliseconds is None or base.milliseconds is None:
        return ""
    return f"{row.milliseconds / base.milliseconds:.2f}"


BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def into_page(page: str, figures: str) -> str:
    """The page with everything between its two marks replaced.

    Raises:
        ValueError: it has not both of them, in this order.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no {BEGIN} ... {END} in the page")
    return f"{head}{BEGIN}\n\n{figures.strip()}\n\n{END}{tail}"


def figures(results: Results) -> str:
    """What stands between the marks: where and when, and a table for each network."""
    parts = [" ".join(f"{key}: {value}." for key, value in (results.about | calm(results)).items())]
    parts += [f"### {network}\n\n{table(rows)}" for network, rows in results.networks.items()]
    return "\n\n".join(parts)


def calm(results: Results) -> dict[str, str]:
    """How far the times can be trusted: the medians, over all programs, of two shares in percent."""
    rows = [row for rows in results.networks.values() for row in rows if row.milliseconds]
    if not rows:
        return {}
    spread = 100 * median(row.spread for row in rows)
    waited = 100 * median(row.wall / row.milliseconds - 1 for row in rows)
    return {
        "Spread of the runs": f"the middle half reaches over {spread:.0f} % of the median",
        "Time by the clock": f"{waited:.0f} % more than of the processor",
    }
