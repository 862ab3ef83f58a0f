"""The plot of a run: drop against time, a panel for each network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .results import FLOAT, Results, Row

SIZE = (10.5, 5)  # inches
MARKS = "osD^vPX"
TICKS = (0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
LABELLED, OFFSETS = "edgesr, LiteRT", {"w8a8": 7, "auto": -13}
"""The tool whose forms are written beside the mark, and how far above it, in points."""
LINEAR_TO = 0.1
"""dB up to which the axis is linear; beyond, logarithmic."""


def draw(results: Results, path: Path) -> None:
    """Writes an SVG: hollow marks are float32, the same mark filled is int8 of that tool."""
    import matplotlib

    matplotlib.use("svg")
    # Text stays text, and the same results give the same file.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "edgesr", "font.size": 9}
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        1, len(results.networks), figsize=SIZE, sharey=True, squeeze=False, layout="constrained"
    )
    tools = list(dict.fromkeys(row.tool for rows in results.networks.values() for row in rows))
    for panel, (network, rows) in zip(panels[0], results.networks.items(), strict=True):
        _panel(panel, network, rows, tools)
    axis = panels[0][0]
    axis.set_yscale("symlog", linthresh=LINEAR_TO)
    axis.set_yticks(TICKS, labels=[f"{tick:g}" for tick in TICKS])
    drops = [row.drop for rows in results.networks.values() for row in rows if row.drop is not None]
    axis.set_ylim(min(-0.01, *drops), 1.5 * max(drops))
    axis.set_ylabel("drop, mean (dB); lower is better")
    marks = [pyplot.Line2D([], [], linestyle="", **_mark(place)) for place in range(len(tools))]
    figure.legend(marks, tools, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle("filled: int8 of that tool; hollow: its float32", fontsize="medium")
    figure.savefig(path, metadata={"Date": None, "Title": "edgesr and its peers: drop against time"})
    pyplot.close(figure)


def _panel(panel: Any, network: str, rows: Sequence[Row], tools: Sequence[str]) -> None:
    base = rows[0].milliseconds
    for row in rows:
        if base is None or row.milliseconds is None or row.drop is None:
            continue
        place, time = tools.index(row.tool), row.milliseconds / base
        fill = "none" if row.form == FLOAT else "full"
        panel.plot(time, row.drop, linestyle="", fillstyle=fill, **_mark(place))
        if row.tool == LABELLED and row.form in OFFSETS:
            offset = (0, OFFSETS[row.form])
            panel.annotate(
                row.form, (time, row.drop), offset, textcoords="offset points", ha="center", fontsize=7
            )
    panel.set_title(network)
    panel.set_xlabel("time of a tile / LiteRT float")
    panel.set_xlim(left=0)
    panel.grid(alpha=0.3)


def _mark(place: int) -> dict[str, Any]:
    return {"marker": MARKS[place], "color": f"C{place}", "markersize": 7}
