"""`edgesr upscale` as a library: a picture, or a folder of them, through a program."""

import os
from collections.abc import Iterator
from pathlib import Path

from edgesr_runtime import Program, open_program, upscale
from edgesr_runtime.files import check_writable
from edgesr_runtime.pictures import RgbPicture, check_target, load_rgb, save_rgb
from edgesr_runtime.tiles import plan_tiles

from .errors import UserError
from .evaluation.folder import list_pictures
from .steps.pictures import skip_warnings
from .steps.progress import Stages, quiet


def upscale_pictures(
    program: Path,
    source: Path,
    target: Path,
    threads: int | None = None,
    force: bool = False,
    variant: str | None = None,
    stages: Stages = quiet,
) -> tuple[str, ...]:
    """Enlarges a picture to `target`, or every picture of a folder into the folder `target`.

    Args:
        variant: the one that runs on every tile; None lets the program's thresholds decide.

    Returns:
        A line for each picture of the folder that could not be read, and one that counts them.

    Raises:
        UserError: anything wrong with the program, the picture or the target; an existing target without
            `force`; or a folder without any usable picture.
    """
    if not source.exists():
        raise UserError(f"{source}: no such file or folder: give a picture or a folder of pictures")
    jobs = list(_folder_jobs(source, target)) if source.is_dir() else [(source, target)]
    for picture, result in jobs:
        _check_result(picture, result, force)
    stages("opening the program", None)
    opened = open_program(program, threads or len(os.sched_getaffinity(0)))
    if variant is not None and variant not in opened.info.variants:
        has = ", ".join(opened.info.variants)
        raise UserError(f"{program} has no variant {variant!r}, only {has}: give --route auto")
    skipped: list[tuple[str, str]] = []
    for picture, result in jobs:
        try:
            rgb = load_rgb(picture)
        except UserError as error:
            if not source.is_dir():
                raise
            skipped.append((picture.name, str(error)))
            continue
        _enlarge(opened, rgb, picture.name, result, variant, stages)
    if len(skipped) == len(jobs):
        raise UserError(f"{source}: no picture could be enlarged, for instance: {skipped[0][1]}")
    return skip_warnings(source, skipped)


def _folder_jobs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Each picture and the PNG that it becomes; pictures of one name keep their extension in it."""
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: a file, but {source} is a folder: give a folder for the results")
    pictures = list_pictures(source)
    if not target.is_dir():
        check_writable(target)
        target.mkdir()
    stems = [picture.stem for picture in pictures]
    for picture in pictures:
        name = picture.stem if stems.count(picture.stem) == 1 else picture.name
        yield picture, target / f"{name}.png"


def _check_result(picture: Path, result: Path, force: bool) -> None:
    check_target(result)
    if result.exists() and picture.exists() and result.samefile(picture):
        raise UserError(f"{result}: it is the input: choose another output")
    if result.exists() and not force:
        raise UserError(f"{result}: it exists already: give --force to overwrite it")


def _enlarge(
    program: Program, rgb: RgbPicture, name: str, result: Path, variant: str | None, stages: Stages
) -> None:
    plan = plan_tiles(rgb.shape[0], rgb.shape[1], program.info.tile, program.info.halo)
    advance = stages(name, len(plan.tiles))
    save_rgb(result, upscale(program, rgb, variant, lambda done, total: advance()))
