"""`edgesr upscale` as a library: a picture, or a folder of them, through a program."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr_runtime import Manner, Program, open_program, upscale_file
from edgesr_runtime.errors import PictureError
from edgesr_runtime.files import check_writable
from edgesr_runtime.memory import parse_size
from edgesr_runtime.pictures import check_target
from edgesr_runtime.routing import SKIP

from .errors import UserError
from .evaluation.folder import list_pictures, skip_warnings
from .steps.progress import Advance, Stages, quiet


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        route: the variant that runs on every tile, or `skip`; None lets the program's thresholds decide.
        seconds: what the network may take for a picture.
        exact: tiles overlap until they give what the whole picture would.
        memory: of the whole process, such as 512MB; None for the runtime's own default.
        threads: None for as many as there are.
        force: whether existing pictures may be overwritten.
    """

    route: str | None = None
    seconds: float | None = None
    exact: bool = False
    memory: str | None = None
    threads: int | None = None
    force: bool = False


def upscale_pictures(
    program: Path, source: Path, target: Path, request: Request, stages: Stages = quiet
) -> tuple[str, ...]:
    """Enlarges a picture to `target`, or every picture of a folder into the folder `target`.

    Returns:
        A line for each picture of the folder that could not be read, and one that counts them; before them
        what else the user may want to know.

    Raises:
        UserError: anything wrong with the program, the picture or the target; an existing target without
            `force`; a memory that does not do; or a folder without any usable picture.
    """
    memory = None if request.memory is None else parse_size(request.memory)
    if not source.exists():
        raise UserError(f"{source}: no such file or folder: give a picture or a folder of pictures")
    jobs = list(_folder_jobs(source, target)) if source.is_dir() else [(source, target)]
    for picture, result in jobs:
        _check_result(picture, result, request.force)
    stages("opening the program", None)
    opened = open_program(program, request.threads or _processors())
    if request.route not in (None, SKIP, *opened.info.variants):
        has = ", ".join(opened.info.variants)
        raise UserError(f"{program} has no variant {request.route!r}, only {has}: give --route auto")
    manner = Manner(request.route, None, request.seconds, request.exact)
    notes: list[str] = []
    skipped: list[tuple[str, str]] = []
    for picture, result in jobs:
        try:
            notes += _enlarge(opened, picture, result, manner, memory, stages)
        except PictureError as error:
            if not source.is_dir():
                raise
            skipped.append((picture.name, str(error)))
    if len(skipped) == len(jobs):
        raise UserError(f"{source}: no picture could be enlarged, for instance: {skipped[0][1]}")
    return (*notes, *skip_warnings(source, skipped))


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _folder_jobs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Each picture and the PNG that it becomes; pictures of one name keep their extension in it, and all do
    where that would not tell them apart."""
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: a file, but {source} is a folder: give a folder for the results")
    pictures = list_pictures(source)
    if not target.is_dir():
        check_writable(target)
        target.mkdir()
    stems = Counter(picture.stem for picture in pictures)
    names = [picture.stem if stems[picture.stem] == 1 else picture.name for picture in pictures]
    if len(set(names)) < len(names):  # a.jpg, a.png and a.jpg.png
        names = [picture.name for picture in pictures]
    for picture, name in zip(pictures, names, strict=True):
        yield picture, target / f"{name}.png"


def _check_result(picture: Path, result: Path, force: bool) -> None:
    check_target(result)
    if result.exists() and picture.exists() and result.samefile(picture):
        raise UserError(f"{result}: it is the input: choose another output")
    if result.exists() and not force:
        raise UserError(f"{result}: it exists already: give --force to overwrite it")


def _enlarge(
    program: Program, picture: Path, result: Path, manner: Manner, memory: int | None, stages: Stages
) -> tuple[str, ...]:
    advance: Advance | None = None

    def progress(done: int, total: int) -> None:
        nonlocal advance
        advance = advance or stages(picture.name, total)
        advance()

    return upscale_file(program, picture, result, manner, memory, progress)
