"""`edgesr convert`: a network becomes a program file, proven against float."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..defaults import BITS, CALIBRATION_IMAGES, MAX_DROP, METHOD, SEED


class Target(StrEnum):
    """Formats that a program can have."""

    tflite = "tflite"
    executorch = "executorch"


class Converter(StrEnum):
    """What turns a network into a program."""

    own = "own"
    litert_torch = "litert-torch"


def convert(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Network name (see `edgesr models`), checkpoint (.safetensors, .pth, .pt, .ckpt), "
            "torch.export program (.pt2), or package.module:factory.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The program file to write.")],
    target: Annotated[Target, typer.Option(help="Format of the program.")] = Target.tflite,
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
        int, typer.Option(help="Pictures drawn from it; a quarter is held back for search and gate.")
    ] = CALIBRATION_IMAGES,
    bits: Annotated[
        str,
        typer.Option(metavar="BITS", help=f"{', '.join(BITS)}, or a plan file."),
    ] = BITS[0],
    max_drop: Annotated[float, typer.Option(metavar="DB", help="dB that the program may lose.")] = MAX_DROP,
    max_bytes: Annotated[
        int | None, typer.Option(metavar="N", help="Bytes that the file may have. [default: any]")
    ] = None,
    max_ms: Annotated[
        float | None,
        typer.Option(
            metavar="MS", help="Milliseconds that a tile may take, one thread, here. [default: any]"
        ),
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="Write the file through gzip; every command reads it.")
    ] = False,
    variants: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Some of low,mid,high: several programs in one file, chosen tile by tile. [default: one]",
        ),
    ] = "",
    tile: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Side of the program's input. [default: an output of about 256]"),
    ] = None,
    dynamic_size: Annotated[
        str,
        typer.Option(
            metavar="MIN:MAX",
            help="Let apps also feed any height and width from MIN to MAX. [default: the tile alone]",
        ),
    ] = "",
    method: Annotated[str, typer.Option(help="How ranges are calibrated.")] = METHOD,
    tune: Annotated[
        bool | None,
        typer.Option(
            "--tune/--no-tune",
            help="Learn weights and ranges further from the float network, for minutes. "
            "[default: briefly with w4a8, else not]",
        ),
    ] = None,
    converter: Annotated[
        Converter,
        typer.Option(help="For networks with ops that edgesr lacks: litert-torch; heavy, an extra."),
    ] = Converter.own,
    seed: Annotated[
        int | None, typer.Option(help=f"Of every drawing. [default: {SEED}, or the plan's]")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Also write the plan, which --bits reads back to the same program.")
    ] = None,
    verify_on: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Also run the program there: some of arm64,android-libs. See `edgesr devices`.",
        ),
    ] = "",
    json: Annotated[Path | None, typer.Option(help="Also write all figures as JSON.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write a page to show: pictures, charts.")
    ] = None,
) -> None:
    """Convert a network to a program for the phone, and prove it against float.

    \b
    Examples:
      edgesr convert plain -o plain.tflite
      edgesr convert rlfn_x2.pth -o rlfn.tflite --bits auto --max-drop 0.05
      edgesr convert rlfn_x2.pth -o rlfn.tflite --max-ms 40
      edgesr convert rlfn_x2.pth -o rlfn.tflite.gz --compress --max-bytes 250000
      edgesr convert rlfn_x2.pth -o rlfn.tflite --variants low,mid,high --report rlfn.html
      edgesr convert rlfn_x2.pth -o rlfn.tflite --bits w4a8 --tune
      edgesr convert rlfn_x2.pth --target executorch -o rlfn.pte
      edgesr convert plain --target executorch -o plain.pte --dynamic-size 32:512
      edgesr convert plain -o plain.tflite --verify-on arm64,android-libs
      edgesr convert mynet.models:x4 --weights x4.pth --calib photos/ -o x4.tflite --json x4.json
      edgesr convert mynet.models:attention -o x4.tflite --converter litert-torch
      edgesr convert rlfn_x2.pth -o rlfn.tflite --plan rlfn-plan.json
      edgesr convert rlfn_x2.pth -o same.tflite --bits rlfn-plan.json

    \b
    Exit codes: 0 done and the gate held; 1 the gate failed (the program is written);
    2 something is wrong with the input or the machine; 130 interrupted.
    """
    from .devices import names, show_devices
    from .outputs import check_outputs
    from .page import write_report
    from .report import progress, show_proof, write_json

    written = {"-o": output, "--plan": plan, "--json": json, "--report": report}
    check_outputs(written, model, weights, bits)
    with progress() as stages:
        from ..conversion import Options
        from ..conversion import convert as run
        from ..steps.sizes import size_range

        options = Options(
            model=model,
            output=output,
            target=target.value,
            weights=weights,
            scale=scale,
            pixel_range=pixel_range,
            calib=calib,
            calib_images=calib_images,
            bits=bits,
            max_drop=max_drop,
            max_bytes=max_bytes,
            max_ms=max_ms,
            variants=tuple(filter(None, variants.split(","))),
            tune=tune,
            compress=compress,
            tile=tile,
            method=method,
            seed=seed,
            plan_output=plan,
            verify_on=names(verify_on),
            exhibit=report is not None,
            converter=converter.value,
            sizes=size_range(dynamic_size) if dynamic_size else None,
        )
        result = run(options, stages)
    write_json(json, result.record())
    write_report(report, result.record(), result.material)
    show_devices(result.record()["devices"])
    show_proof(result)
