"""`edgesr check`: a program file against the network that it was made of, on any pictures."""

from pathlib import Path
from typing import Annotated

import typer

from ..defaults import MAX_DROP


def check(
    program: Annotated[Path, typer.Argument(help="Program file to check.")],
    reference: Annotated[str, typer.Option(metavar="MODEL", help="The network, as `convert` takes it.")],
    images: Annotated[Path, typer.Option(metavar="DIR", help="Folder of ordinary pictures to judge it on.")],
    weights: Annotated[Path | None, typer.Option(help="Checkpoint for a network name or a factory.")] = None,
    max_drop: Annotated[float, typer.Option(metavar="DB", help="dB that the program may lose.")] = MAX_DROP,
    on: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Where to run it as well: some of host,arm64,android-libs. See `edgesr devices`.",
        ),
    ] = "host",
    cpu: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Arm CPUs to emulate: some of cortex-a53,cortex-a76,cortex-a710."),
    ] = "cortex-a76",
    json: Annotated[Path | None, typer.Option(help="Also write all figures as JSON.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write a page to show: pictures, charts.")
    ] = None,
) -> None:
    """Check a program against its float network and the integer reference.

    \b
    Examples:
      edgesr check plain.tflite --reference plain --images photos/
      edgesr check rlfn.tflite --reference rlfn_x2.pth --images Set14/ --max-drop 0.05 --json rlfn.json
      edgesr check plain.tflite --reference plain --images photos/ --on arm64,android-libs

    \b
    Exit codes: 0 the gate held and every value is that of the reference; 1 not;
    2 something is wrong with the input or the machine; 130 interrupted.
    """
    from .devices import names, show_devices
    from .outputs import check_outputs
    from .page import write_report
    from .report import progress, show_proof, write_json

    check_outputs({"--json": json, "--report": report}, program, reference, weights)
    with progress() as stages:
        from ..checking import CheckOptions
        from ..checking import check as run

        options = CheckOptions(
            program, reference, images, weights, max_drop, report is not None, names(on), names(cpu)
        )
        result = run(options, stages)
    write_json(json, result.record())
    write_report(report, result.record(), result.material)
    show_devices(result.record()["devices"])
    show_proof(result)
