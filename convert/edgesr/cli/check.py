"""`edgesr check`: a program file against the network that it was made of, on any pictures."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..defaults import MAX_DROP


class Device(StrEnum):
    """Where a program can be run for a check."""

    host = "host"


def check(
    program: Annotated[Path, typer.Argument(help="Program file to check.")],
    reference: Annotated[str, typer.Option(metavar="MODEL", help="The network, as `convert` takes it.")],
    images: Annotated[Path, typer.Option(metavar="DIR", help="Folder of ordinary pictures to judge it on.")],
    weights: Annotated[Path | None, typer.Option(help="Checkpoint for a network name or a factory.")] = None,
    max_drop: Annotated[float, typer.Option(metavar="DB", help="dB that the program may lose.")] = MAX_DROP,
    on: Annotated[Device, typer.Option(help="Where to run it.")] = Device.host,
    json: Annotated[Path | None, typer.Option(help="Also write all figures as JSON.")] = None,
) -> None:
    """Check a program against its float network and the integer reference.

    \b
    Examples:
      edgesr check plain.tflite --reference plain --images photos/
      edgesr check rlfn.tflite --reference rlfn_x2.pth --images Set14/ --max-drop 0.05 --json rlfn.json

    \b
    Exit codes: 0 the gate held and every value is that of the reference; 1 not;
    2 something is wrong with the input or the machine; 130 interrupted.
    """
    from edgesr_runtime.files import check_writable

    from .report import progress, show_proof, write_json

    if json:
        check_writable(json)
    with progress() as stages:
        from ..checking import CheckOptions
        from ..checking import check as run

        result = run(CheckOptions(program, reference, images, weights, max_drop), stages)
    write_json(json, result.record())
    show_proof(result)
