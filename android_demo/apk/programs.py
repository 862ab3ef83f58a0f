"""What the app brings along: programs, small pictures, and what the Python runtime makes of these."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from edgesr.conversion import Options, convert
from edgesr.errors import UserError
from edgesr.steps.pictures import shipped_folder
from edgesr_runtime import open_program, upscale
from edgesr_runtime.pictures import load_rgb, save_rgb
from edgesr_runtime.program import read_info, read_program

from .flavours import Flavour
from .tools import say

SHIPPED_SCALES = (2, 4)


@dataclass(frozen=True)
class Crop:
    """A part of a picture of the calibration set: left, top, right, bottom."""

    name: str
    source: str
    box: tuple[int, int, int, int]


CROPS = (
    Crop("chart", "29_chart.png", (100, 100, 140, 150)),  # smaller than a tile: mirrored
    Crop("facade", "20_facade.png", (120, 90, 216, 230)),  # several tiles high
    Crop("leaves", "11_leaves.png", (40, 60, 190, 170)),  # several tiles wide
)


def write_assets(folder: Path, flavour: Flavour, given: Sequence[Path]) -> None:
    """Fills `programs`, `bench/pictures` and `bench/golden/PROGRAM`.

    Args:
        given: program files that take the place of the shipped networks; empty for those.

    Raises:
        UserError: a program is damaged, or cannot be converted.
    """
    programs = folder / "programs"
    programs.mkdir(parents=True)
    if given:
        for path in given:
            shutil.copyfile(path, programs / path.name)
    else:
        _convert_shipped(programs, flavour)
    pictures = folder / "bench/pictures"
    pictures.mkdir(parents=True)
    for crop in CROPS:
        picture = Image.open(shipped_folder() / crop.source).convert("RGB").crop(crop.box)
        picture.save(pictures / f"{crop.name}.png", optimize=True)
    for program in sorted(programs.iterdir()):
        _write_golden(program, pictures, folder / "bench/golden" / program.stem)


def check_given(given: Sequence[Path], flavour: Flavour) -> None:
    """What can be known to be wrong before any work.

    Raises:
        UserError: a file is missing or damaged, or is for the other engine.
    """
    for path in given:
        if path.suffix != flavour.suffix:
            raise UserError(
                f"{path}: this app takes {flavour.suffix} files: convert with --target {flavour.name}"
            )
        if not path.is_file():
            raise UserError(f"{path}: there is no such program file: check the path")
        if [other.name for other in given].count(path.name) > 1:
            raise UserError(f"{path}: another program has the same name: rename one")
        layers = read_info(read_program(path), str(path)).layers
        if any(layer.container in flavour.refused for layer in layers):
            raise UserError(
                f"{path}: it has layers with grids of their own (int8-dynamic), which TensorFlow Lite 2.14 "
                "runs slowly and not as measured: convert with --bits w8a8, or with --target executorch"
            )


def _convert_shipped(programs: Path, flavour: Flavour) -> None:
    """int8 throughout, so that every phone must give the very same values."""
    for scale in SHIPPED_SCALES:
        say(f"converting plain x{scale} for {flavour.name}")
        path = programs / f"plain_x{scale}{flavour.suffix}"
        convert(Options("plain", path, target=flavour.name, scale=scale, bits="w8a8"))


def _write_golden(program: Path, pictures: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    opened = open_program(program)
    for picture in sorted(pictures.iterdir()):
        save_rgb(folder / picture.name, upscale(opened, load_rgb(picture)))
