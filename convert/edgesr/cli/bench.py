"""`edgesr bench`: what a program takes on this machine."""

from pathlib import Path
from typing import Annotated, Any

import typer


def bench(
    program: Annotated[Path, typer.Argument(help="Program file.")],
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each variant; the median counts.")] = 20,
    json: Annotated[Path | None, typer.Option(help="Also write all figures as JSON.")] = None,
) -> None:
    """Measure every variant and every layer of a program on this machine.

    \b
    Examples:
      edgesr bench plain.tflite
      edgesr bench rlfn.pte --threads 2 --json rlfn.bench.json
    """
    from rich.console import Console

    from .outputs import check_outputs
    from .report import progress, write_json

    check_outputs({"--json": json}, program)
    with progress() as stages:
        from ..benching import bench as run

        record = run(program, threads, runs, stages).record()
    write_json(json, record)
    console = Console()
    for name, variant in record["variants"].items():
        console.print(_table(name, variant, record))


def _table(name: str, variant: dict[str, Any], record: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    own, tile = variant["milliseconds"], record["tile"]
    threads = f"{record['threads']} thread{'s' if record['threads'] > 1 else ''} of {record['processor']}"
    speed = f"{variant['megapixels_per_second']:.3g} megapixels a second"
    title = f"{name}: {own:.3g} ms a tile of {tile} x {tile}, {speed}, median of {record['runs']}; {threads}"
    total = sum(layer["milliseconds"] for layer in variant["layers"])
    if not variant["layers"]:
        return Text(f"{title}\nLayers: {variant['measured']}.")
    caption = f"Layers: {variant['measured']}; their sum is {total:.3g} ms."
    table = Table(title=Text(title), title_justify="left", caption=caption, caption_justify="left", box=None)
    for column in ("layer", "kind", "in"):
        table.add_column(column, overflow="fold")
    for column in ("ms", "share"):
        table.add_column(column, justify="right")
    table.add_column("")
    for layer in variant["layers"]:
        share = layer["milliseconds"] / total if total else 0.0
        note = "" if layer["accelerated"] else "outside XNNPACK"
        cells = (layer["name"], layer["kind"], layer["container"])
        figures = (f"{layer['milliseconds']:.3f}", f"{share:.1%}", note)
        table.add_row(*(Text(cell) for cell in (*cells, *figures)))
    return table
