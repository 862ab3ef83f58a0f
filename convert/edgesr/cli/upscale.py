"""`edgesr upscale`: pictures through a program, as the phone would."""

from pathlib import Path
from typing import Annotated

import typer


def upscale(
    program: Annotated[Path, typer.Argument(help="Program file.")],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A picture, or a folder of pictures.")],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help="The picture to write, or a folder for a folder."),
    ],
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing pictures.")] = False,
) -> None:
    """Enlarge a picture, or every picture of a folder.

    \b
    Examples:
      edgesr upscale plain.tflite photo.jpg photo-x2.png
      edgesr upscale plain.tflite photos/ enlarged/ --force
    """
    from .report import progress, warn

    with progress() as stages:
        from ..upscaling import upscale_pictures

        skipped = upscale_pictures(program, source, target, threads, force, stages)
    warn(skipped)
