"""`edgesr simulate`: what a network would lose at any widths, by the methods of the papers."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..defaults import METHOD, SEED, SIMULATION_CROPS, SIMULATION_ITERATIONS


def simulate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The network, as `convert` takes it.")],
    images: Annotated[Path, typer.Option(metavar="DIR", help="Folder of ordinary pictures to judge it on.")],
    weight_bits: Annotated[int, typer.Option(metavar="N", help="Width of the body's weights, 2 to 8.")],
    activation_bits: Annotated[
        int, typer.Option(metavar="N", help="Base width of what the body's convolutions read, 2 to 8.")
    ],
    method: Annotated[
        str, typer.Option(help="adabm, adabm-percentile, or a baseline: pams, minmax, percentile, omse.")
    ] = METHOD,
    fully_quantized: Annotated[
        bool, typer.Option("--fully-quantized", help="Head and tail too, at 8 bits.")
    ] = False,
    weights: Annotated[Path | None, typer.Option(help="Checkpoint for a network name or a factory.")] = None,
    scale: Annotated[int | None, typer.Option(help="Which shipped weights, or a check.")] = None,
    pixel_range: Annotated[
        int | None,
        typer.Option(help="What white is at the network's input, 1 or 255. [default: published, or tried]"),
    ] = None,
    calib: Annotated[
        Path | None, typer.Option(help="Folder of ordinary pictures to calibrate on. [default: shipped set]")
    ] = None,
    calib_images: Annotated[
        int, typer.Option(help="Crops drawn from it, one of each picture before any gives a second.")
    ] = SIMULATION_CROPS,
    epochs: Annotated[
        int | None,
        typer.Option(help="Epochs of tuning, 0 for none. [default: adabm 10, others 0]"),
    ] = None,
    iterations: Annotated[int, typer.Option(help="Steps of an epoch.")] = SIMULATION_ITERATIONS,
    by_tile: Annotated[
        bool, typer.Option("--by-tile", help="Run 96x96 tiles, each with widths of its own, not pictures.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of every drawing.")] = SEED,
    json: Annotated[Path | None, typer.Option(help="Also write all figures as JSON.")] = None,
) -> None:
    """Simulate a network at any widths, to compare with papers; nothing is converted.

    Its figures are those of float arithmetic with rounded values: no program has them.

    \b
    Examples:
      edgesr simulate plain --weight-bits 8 --activation-bits 6 --images photos/
      edgesr simulate rfdn_x4.pth --method adabm --weight-bits 4 --activation-bits 4 --images Set14/ \\
          --calib DIV2K/ --json rfdn.json
      edgesr simulate rfdn_x4.pth --method minmax --weight-bits 4 --activation-bits 4 --images Set14/
      edgesr simulate edsr.pth --weight-bits 4 --activation-bits 4 --fully-quantized --by-tile --images 2K/
    """
    from rich.console import Console

    from .outputs import check_outputs
    from .report import progress, warn, write_json

    check_outputs({"--json": json}, model, weights)
    with progress() as stages:
        from ..simulating import Options
        from ..simulating import simulate as run

        options = Options(
            model=model,
            images=images,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            method=method,
            fully_quantized=fully_quantized,
            weights=weights,
            scale=scale,
            pixel_range=pixel_range,
            calib=calib,
            crops=calib_images,
            epochs=epochs,
            iterations=iterations,
            by_tile=by_tile,
            seed=seed,
        )
        record = run(options, stages).record()
    write_json(json, record)
    warn(record["warnings"])
    Console().print(_table(record))


def _table(record: dict[str, Any]) -> Any:
    """The figures that matter, a line each."""
    from rich.table import Table
    from rich.text import Text

    from .report import db, pictures

    body = f"W{record['weight_bits']}A{record['activation_bits']}"
    everything = ", head and tail at 8 bits" if record["fully_quantized"] else ""
    share = record["simulated_bit_ops"] / record["float_bit_ops"]
    rows = {
        "simulated": f"{record['network']} x{record['scale']}, {record['method']}, {body}{everything}",
        "PSNR-Y": f"{_pair(record, 'psnr_y', db)} on {pictures(record)}",
        "SSIM-Y": _pair(record, "ssim_y", lambda value: "-" if value is None else f"{value:.4f}"),
        "drop": f"{db(record['simulated_drop_db'])} (simulated)",
        "FAB": f"{record['simulated_fab']:.2f} bits on average (simulated)",
        "BitOPs": f"{record['simulated_bit_ops'] / 1e9:,.1f} G, {share:.1%} of the float network (simulated)",
        "seconds": ", ".join(f"{name} {value:.1f}" for name, value in record["seconds"].items()),
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, Text(text))
    return table


def _pair(record: dict[str, Any], figure: str, shown: Any) -> str:
    return f"{shown(record[f'float_{figure}'])} float, {shown(record[f'simulated_{figure}'])} simulated"
