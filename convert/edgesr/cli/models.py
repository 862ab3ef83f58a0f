"""`edgesr models`: what can be converted."""

from typing import Any


def models() -> None:
    """List the networks, the shipped weights, and the ops that a network may have.

    \b
    Example:
      edgesr models
    """
    from rich.console import Console

    console = Console()
    for table in (_networks(), _ops()):
        console.print(table)


def _networks() -> Any:
    from rich.table import Table

    from ..networks.registry import ARCHITECTURES
    from ..networks.source import shipped

    table = Table(title="Networks", title_justify="left", box=None, pad_edge=False)
    for column in ("name", "white", "shipped weights", "published in"):
        table.add_column(column)
    for architecture in ARCHITECTURES:
        scales = [f"x{weights.scale}" for weights in shipped() if weights.name == architecture.name]
        table.add_row(
            architecture.name, str(architecture.pixel_range), ", ".join(scales) or "-", architecture.source
        )
    return table


def _ops() -> Any:
    from rich.table import Table

    from ..lowering.support import support

    table = Table(title="Supported ops", title_justify="left", box=None, pad_edge=False)
    supported = support()
    for column in ("op", *next(iter(supported.values()))):
        table.add_column(column)
    for kind, targets in supported.items():
        table.add_row(kind, *(", ".join(precisions) or "-" for precisions in targets.values()))
    return table
