"""`edgesr upscale`: pictures through a program, as the phone would."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Route(StrEnum):
    """Where tiles are sent."""

    auto = "auto"
    skip = "skip"
    low = "low"
    mid = "mid"
    high = "high"

    @property
    def fixed(self) -> str | None:
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
        Route,
        typer.Option(help="Variant for every tile; skip: bicubic, without the network; auto: by its detail."),
    ] = Route.auto,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0, help="What the network may take for a picture: the plainest tiles get cheaper variants."
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Overlap tiles until they give what the whole picture would.")
    ] = False,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory of the whole process, such as 1GiB. [default: 512MB]"),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing pictures.")] = False,
) -> None:
    """Enlarge a picture, or every picture of a folder.

    \b
    Examples:
      edgesr upscale plain.tflite photo.jpg photo-x2.png
      edgesr upscale plain.tflite photos/ enlarged/ --force
      edgesr upscale plain.tflite panorama.jpg panorama-x2.png --memory 1GiB
      edgesr upscale rlfn.tflite photo.jpg photo-x2.png --route high
      edgesr upscale rlfn.tflite photo.jpg photo-x2.png --seconds 2.5
    """
    from .report import progress, warn

    with progress() as stages:
        from ..upscaling import Request, upscale_pictures

        request = Request(route.fixed, seconds, exact, memory, threads, force)
        notes = upscale_pictures(program, source, target, request, stages)
    warn(notes)
