"""What the commands show: progress on the terminal, warnings, the final table, JSON files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from edgesr_runtime.files import write_atomically

from ..steps.progress import Stages

GATE_FAILED = 1


class Proof(Protocol):
    """What `convert` and `check` return."""

    @property
    def warnings(self) -> Sequence[str]: ...
    def record(self) -> dict[str, Any]: ...


@contextmanager
def progress() -> Iterator[Stages]:
    """A progress bar for each stage of the work; nothing at all where stderr is not a terminal."""
    console = Console(stderr=True)
    label = TextColumn("{task.description}", markup=False)  # it may name a picture: photo [1].jpg
    columns = (SpinnerColumn(), label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def begin(name: str, steps: int | None) -> Any:
            for task in bars.task_ids:
                bars.remove_task(task)
            current = bars.add_task(name, total=steps)

            def advance(note: str = "") -> None:
                bars.update(current, advance=1, description=f"{name}: {note}" if note else name)

            return advance

        yield begin


def warn(lines: Sequence[str]) -> None:
    """One line each on stderr."""
    console = Console(stderr=True)
    for line in lines:
        console.print(f"warning: {line}", soft_wrap=True, markup=False, highlight=False)


def write_json(path: Path | None, record: Mapping[str, Any]) -> None:
    if path:
        write_atomically(path, to_json(record))


def to_json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def show_proof(proof: Proof) -> None:
    """Warnings, the table, and the gate: leaves with exit code 1 where it failed."""
    warn(proof.warnings)
    record = proof.record()
    console = Console()
    console.print(proof_table(record))
    if not record["gate"]["passed"]:
        warn([f"the gate failed: {failure}" for failure in record["gate"]["failures"]])
        raise typer.Exit(GATE_FAILED)


def proof_table(record: Mapping[str, Any]) -> Table:
    """The figures that matter, a line each."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    gate = record["gate"]
    allowed = "any" if gate["max_drop"] is None else f"{gate['max_drop']:g} dB"
    tiling = record["drop_tiling_db"]
    rows = {
        "program": record["program"],
        "size": size(record),
        "shape": f"x{record['scale']}, tile {record['tile']}, halo {record['halo']}",
        "drop": f"{db(record['drop_db'])} on {pictures(record)} ({db(record['psnr_float'])} to "
        f"{db(record['psnr_quantized'])}), allowed {allowed}",
        "worst": f"{db(record['drop_db_worst'])} on {record['worst_image']}",
        "of it tiling": "not measured" if tiling is None else db(tiling),
        "to float": f"{db(record['psnr_to_float'])}, largest error {record['max_abs_error']:g} of 255",
        "mismatches": mismatches_of(record),
        "int8": f"{record['int8_mac_share']:.1%} of the multiplications",
        "accelerated": f"{record['accelerated']:.1%} of the ops",
        "time": time_of(record),
        "routing": routing_of(record),
        "seconds": ", ".join(f"{name} {value:.1f}" for name, value in record["seconds"].items() if value),
        "gate": "passed" if gate["passed"] else "FAILED",
    }
    for name, text in rows.items():
        if text:
            table.add_row(name, Text(text))
    return table


def pictures(record: Mapping[str, Any]) -> str:
    return f"{record['images']} picture{'s' if record['images'] > 1 else ''}"


def mismatches_of(record: Mapping[str, Any]) -> str:
    if record["reference_mismatches"] is None:
        return f"not compared: no integer reference for programs of {record['converter']}"
    return f"{record['reference_mismatches']} of {record['reference_values']:,} values"


def size(record: Mapping[str, Any]) -> str:
    text = f"{record['bytes']:,} bytes"
    compressed = record.get("bytes_compressed")
    return text if compressed in (None, record["bytes"]) else f"{text}, {compressed:,} through gzip"


def time_of(record: Mapping[str, Any]) -> str:
    """What the cost table says, and how the search came there."""
    if "milliseconds" not in record:
        return ""
    times = record["milliseconds"]
    shown = [f"{value:.3g}" if len(times) == 1 else f"{name} {value:.3g}" for name, value in times.items()]
    search = record["search"]
    made = 0 if search is None else sum(move["made"] for move in search["ranking"])
    tried = "" if search is None else f"; {len(search['steps'])} programs tried, {made} changes"
    how = "measured" if "converter" in record else "summed over its ops"
    return f"{', '.join(shown)} ms a tile on one thread, {how}{tried}"


def routing_of(record: Mapping[str, Any]) -> str:
    """Where tiles go, and what that buys."""
    routing = record.get("routing")
    if routing is None:
        return ""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in routing["shares"].items())
    best = list(record["milliseconds"].values())[-1]
    return (
        f"{shares} of the calibration tiles; {routing['milliseconds'] / best:.0%} of the time of the best "
        f"variant alone, {routing['loss_db']:.3f} dB worse"
    )


def db(value: float | None) -> str:
    """Decibels for people; null in the JSON stands for no difference at all."""
    return "equal" if value is None else f"{value:.3f} dB"
