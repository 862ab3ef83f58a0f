"""`edgesr devices`: where programs can be run for a check, and setting such places up."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

app = typer.Typer(invoke_without_command=True)


@app.callback()
def devices(context: typer.Context) -> None:
    """List where programs can be run here, and what is set up.

    \b
    Examples:
      edgesr devices
      edgesr devices setup arm64
      edgesr check plain.tflite --reference plain --images photos/ --on arm64,android-libs
    """
    if context.invoked_subcommand:
        return
    from rich.console import Console

    for table in (_places(), _setups()):
        Console().print(table)


@app.command()
def setup(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="arm64, android-libs, android-java or android-sdk.")
    ],
) -> None:
    """Download and make what a device needs, in the cache; nothing is installed, and nobody needs to be root.

    `check --on` does the same by itself at its first use. What is there already is kept.

    \b
    Example:
      edgesr devices setup arm64
    """
    from rich.console import Console

    from .report import progress

    with progress() as stages:
        from ..devices.setups import setup as run

        folder = run(name, stages)
    Console().print(f"{name}: {folder}", soft_wrap=True, markup=False, highlight=False)


def names(text: str) -> tuple[str, ...]:
    """What a flag lists, separated by commas."""
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def show_devices(rows: Sequence[Mapping[str, Any]]) -> None:
    """The `devices` of a JSON as a table; nothing where only this machine was asked.

    `drop` is the routed program's on a few crops; `s/tile` under emulation says nothing about a phone.
    """
    if not rows:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title="On each device", title_justify="left", box=None, pad_edge=False)
    table.add_column("device", overflow="fold")
    for column in ("mismatches", "to reference", "drop", "s/tile", "verdict"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    Console().print(table)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    from edgesr_runtime.metadata import DEFAULT_VARIANT

    if row["reference_mismatches"] is None:
        return row["title"], "-", "-", "-", "-", "DOES NOT RUN"
    psnr, drop = row["psnr_to_reference"], row["drop_db"]
    single = row["variant"] == DEFAULT_VARIANT
    return (
        row["title"] if single else f"{row['title']}: {row['variant']}",
        f"{row['reference_mismatches']} of {row['reference_values']:,}",
        "equal" if psnr is None else f"{psnr:.0f} dB, {row['max_error']:.2g}/255",
        "-" if drop is None else f"{drop:.3f} dB",
        f"{row['seconds']:.2g}",
        "passed" if row["passed"] else "FAILED",
    )


def _places() -> Any:
    from rich.table import Table

    from ..devices.places import CPUS, DEVICES, HOST, places
    from ..devices.setups import is_set_up

    table = Table(title="Where programs run", title_justify="left", box=None, pad_edge=False)
    for column in ("--on", "--cpu", "what runs", "set up"):
        table.add_column(column)
    table.add_row(HOST, "", "LiteRT or ExecuTorch, on this host", "yes")
    for name in DEVICES:
        for place in places([name], list(CPUS)):
            ready = all(is_set_up(needed) for needed in place.setups)
            table.add_row(name, place.cpu, place.title, "yes" if ready else "at first use")
    return table


def _setups() -> Any:
    from rich.table import Table

    from ..devices.setups import SETUPS, download_bytes, is_set_up

    table = Table(title="Setups", title_justify="left", box=None, pad_edge=False)
    for column in ("name", "what", "to download", "set up"):
        table.add_column(column)
    for setup in SETUPS.values():
        ready = is_set_up(setup.name)
        size = "-" if ready else f"{download_bytes(setup.name) / 1e6:.0f} MB"
        table.add_row(setup.name, setup.title, size, "yes" if ready else "no")
    return table
