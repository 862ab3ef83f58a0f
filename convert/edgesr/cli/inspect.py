"""`edgesr inspect`: what a program file says about itself."""

from pathlib import Path
from typing import Annotated, Any

import typer


def inspect(
    program: Annotated[Path, typer.Argument(help="Program file.")],
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what is inside a program: layers, bits, ranges, variants, evidence.

    \b
    Examples:
      edgesr inspect plain.tflite
      edgesr inspect plain.tflite --json
    """
    from dataclasses import asdict

    from rich.console import Console

    from edgesr_runtime.program import read_info, read_program

    from .report import to_json

    data = read_program(program)
    record = {
        "program": str(program),
        "bytes": program.stat().st_size,
        **asdict(read_info(data, str(program))),
    }
    if json:
        typer.echo(to_json(record), nl=False)
        return
    console = Console()
    console.print(_header(record))
    console.print(_layers(record["layers"]))
    if record["evidence"]:
        console.print(_pairs("Evidence", record["evidence"]))


def _header(record: dict[str, Any]) -> Any:
    calibration, routing = record["calibration"], record["routing"]
    return _pairs(
        "Program",
        {
            "file": f"{record['program']} ({record['bytes']:,} bytes)",
            "network": f"{record['network']} x{record['scale']}",
            "pixels": f"{record['colour']} 0..{record['pixel_range']}{_luma(record)}",
            "tile": f"{record['tile']} low-resolution pixels, halo {record['halo']}, {_exact(record)}",
            "other sizes": _sizes(record["sizes"]),
            "variants": ", ".join(record["variants"]),
            "routing": "none" if routing is None else _routing(routing),
            "calibration": ", ".join(f"{name} {value}" for name, value in calibration.items()),
            "made by": f"edgesr {record['edgesr']}, schema {record['schema']}",
        },
    )


def _luma(record: dict[str, Any]) -> str:
    known = (record["evidence"] or {}).get("luma_only")
    return "; the network sees luma alone, chroma is enlarged by bicubic" if known else ""


def _exact(record: dict[str, Any]) -> str:
    halo = record["exact_halo"]
    return "no exact one" if halo is None else f"exact with {halo}"


def _sizes(sizes: dict[str, int] | None) -> str:
    return "none" if sizes is None else f"any height and width from {sizes['min']} to {sizes['max']}"


def _routing(routing: dict[str, Any]) -> str:
    rows = (("no network below", "skip"), ("low below", "low"), ("high above", "high"))
    return "by complexity: " + ", ".join(f"{words} {routing[name]:.4g}" for words, name in rows)


def _pairs(title: str, rows: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(Text(name), Text(str(value)))  # never markup: the file may hold anything
    return table


def _layers(layers: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Layers", title_justify="left", box=None, pad_edge=False)
    for column in ("name", "kind", "in", "weights", "values", "input range", "output range", "noise"):
        table.add_column(column, overflow="fold")
    for layer in layers:
        cells = (
            *(layer[key] for key in ("name", "kind", "container", "weight_bits", "activation_bits")),
            *(_range(layer[key]) for key in ("input_range", "output_range")),
            "-" if layer["sensitivity"] is None else f"{layer['sensitivity']:.3g}",
        )
        table.add_row(*(Text("-" if cell is None else str(cell)) for cell in cells))
    return table


def _range(bounds: tuple[float, float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.4g} .. {bounds[1]:.4g}"
