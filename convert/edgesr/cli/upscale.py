"""`edgesr upscale`: pictures through a program, as the phone would."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Route(StrEnum):
    """Where tiles are sent."""

    auto = "auto"
    low = "low"
    mid = "mid"
    high = "high"

    @property
    def variant(self) -> str | None:
        """None where the program decides tile by tile."""
        return None if self is Route.auto else self.value


def upscale(
    program: Annotated[Path, typer.Argument(help="Program file.")],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A picture, or a folder of pictures.")],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help="The picture to write, or a folder for a folder."),
    ],
    route: Annotated[
        Route, typer.Option(help="Variant for every tile, or auto: by each tile's detail.")
    ] = Route.auto,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing pictures.")] = False,
) -> None:
    """Enlarge a picture, or every picture of a folder.

    \b
    Examples:
      edgesr upscale plain.tflite photo.jpg photo-x2.png
      edgesr upscale plain.tflite photos/ enlarged/ --force
      edgesr upscale rlfn.tflite photo.jpg photo-x2.png --route high
    """
    from .report import progress, warn

    with progress() as stages:
        from ..upscaling import upscale_pictures

        skipped = upscale_pictures(program, source, target, threads, force, route.variant, stages)
    warn(skipped)
