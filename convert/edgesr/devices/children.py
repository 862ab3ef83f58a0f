"""Child processes that run programs at another place: one for each runner, its words and answers read.

What happens there cannot harm this process: a crash of the runtime, of the emulator or of Android's library
becomes one line. Three runners: `runner.py` for signatures of .tflite programs; `pte_runner.cpp`, or its like
in Java for Android's library, for methods of .pte programs; and edgesr's runtime for Android for whole files.
"""

import json
import math
import re
import resource
import signal
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.engines import OUTPUT, Floats
from edgesr_runtime.pictures.formats import RgbPicture

from ..errors import UserError
from .places import Command, Place

SECONDS = 1800  # for one program at one place: an endless loop must end
RUNNER = Path(__file__).with_name("runner.py")
REFUSED = 3
PTE_TYPES = {1: np.int8, 6: np.float32}  # ExecuTorch's ScalarType
KEPT_LINES = 20
SIGNALS = {"SIGILL": "SIGILL: its library uses an instruction that this CPU lacks"}


class DeviceFault(UserError):
    """The program cannot be used at a place: it is refused there, or it crashes the runtime."""


@dataclass(frozen=True)
class Task:
    """One entry of a program file, run on every picture.

    Attributes:
        entry: signature or method.
        outputs: names of what it gives, in its order.
    """

    variant: str
    program: bytes
    entry: str
    outputs: tuple[str, ...]


Answers = tuple[NDArray[np.float64], dict[str, NDArray[Any]]]
"""Seconds of each run, and name -> values of all pictures, each with its batch axis."""

Shown = Callable[[], object]
"""Called after each run."""


def run_app(
    place: Place,
    tasks: Sequence[Task],
    images: Floats,
    pictures: Sequence[RgbPicture],
    folder: Path,
    progress: Shown,
) -> tuple[list[Answers], tuple[RgbPicture, ...]]:
    """All variants of one file, then whole pictures on its own route, as an app runs them.

    Args:
        tasks: with one program.

    Returns:
        The answers, and the enlarged pictures.
    """
    names = ("program", "tiles", "answers", "pictures", "enlarged")
    program, tiles, answers, given, enlarged = (folder / name for name in names)
    program.write_bytes(tasks[0].program)
    np.ascontiguousarray(images).tofile(tiles)
    given.write_bytes(b"".join(struct.pack(">ii", *rgb.shape[1::-1]) + rgb.tobytes() for rgb in pictures))
    files = (tiles, answers, given, enlarged)
    count = len(images)
    arguments = ("app", str(program), str(count), *map(str, files))
    lines = _watch(place, place.java(), arguments, progress)
    variants = [line.split()[1] for line in lines if line.startswith("loading ")]
    seconds = _seconds(lines).reshape(len(variants), count)
    values = np.fromfile(answers, np.float32)
    side = math.isqrt(values.size // (len(variants) * count * 3))
    table = values.reshape(len(variants), count, 1, side, side, 3)
    found = {name: (seconds[i], {OUTPUT: table[i]}) for i, name in enumerate(variants)}
    scale = side // images.shape[1]
    return [found[task.variant] for task in tasks], _split(np.fromfile(enlarged, np.uint8), pictures, scale)


def _split(values: NDArray[np.uint8], pictures: Sequence[RgbPicture], scale: int) -> tuple[RgbPicture, ...]:
    shapes = [(height * scale, width * scale, 3) for height, width, _ in (rgb.shape for rgb in pictures)]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(values, ends)
    return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


def run_signatures(
    place: Place, tasks: Sequence[Task], images: Floats, folder: Path, progress: Shown
) -> list[Answers]:
    """All tasks in one process: Python takes seconds to start under emulation."""
    names = {task.program: f"{index}.tflite" for index, task in enumerate(tasks)}
    for data, name in names.items():
        (folder / name).write_bytes(data)
    np.save(folder / "images.npy", images)
    described = [{"program": names[t.program], "entry": t.entry, "outputs": t.outputs} for t in tasks]
    (folder / "job.json").write_text(
        json.dumps({"engine": "android" if place.android else "litert", "tasks": described})
    )
    _watch(place, place.python(), (str(RUNNER), str(folder)), progress)
    found: list[Answers] = []
    for index, task in enumerate(tasks):
        with np.load(folder / f"{index}.npz") as archive:
            seconds, *values = (archive[f"arr_{i}"] for i in range(1 + len(task.outputs)))
        found.append((seconds, dict(zip(task.outputs, values, strict=True))))
    return found


def run_methods(
    place: Place, tasks: Sequence[Task], images: Floats, folder: Path, progress: Shown
) -> list[Answers]:
    np.ascontiguousarray(images.transpose(0, 3, 1, 2)).tofile(folder / "images")
    count, height, width, channels = images.shape
    found = []
    for task in tasks:
        (folder / "program.pte").write_bytes(task.program)
        files = [str(folder / name) for name in ("program.pte", "images", "answers")]
        shape = f"1,{channels},{height},{width}"
        arguments = (files[0], task.entry, shape, str(count), *files[1:])
        lines = _watch(place, place.method_runner(), arguments, progress, task.entry)
        found.append(_read_pte(task, lines, (folder / "answers").read_bytes(), count))
    return found


def _read_pte(task: Task, lines: Sequence[str], data: bytes, count: int) -> Answers:
    """What the runner of .pte programs said and wrote; its answer proper is NCHW, inner tensors are NHWC."""
    words = [line.split() for line in lines]
    declared = [(parts[1], parts[2]) for parts in words if parts[:1] == ["output"]]
    fields = [
        (name, PTE_TYPES[int(kind)], tuple(int(side) for side in shape.split(",")))
        for name, (kind, shape) in zip(task.outputs, declared, strict=True)
    ]
    table = np.frombuffer(bytearray(data), np.dtype(fields), count)
    values = {name: table[name] for name in task.outputs}
    return _seconds(lines), {**values, OUTPUT: values[OUTPUT].transpose(0, 1, 3, 4, 2)}


def _seconds(lines: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(line.split()[1]) for line in lines if line.startswith("ran ")])


def _watch(
    place: Place, command: Command, arguments: Sequence[str], progress: Shown, doing: str = ""
) -> list[str]:
    """Runs a child to its end and gives the lines that it printed."""
    words = (*command.words, *arguments)
    try:
        child = subprocess.Popen(
            words, env=command.environment, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            preexec_fn=_without_core_file,
        )  # fmt: skip
    except OSError as error:
        raise UserError(
            f"{place.title}: no process starts there ({error.strerror}): set it up again"
        ) from error
    timer = threading.Timer(SECONDS, child.kill)
    errors: deque[str] = deque(maxlen=KEPT_LINES)
    assert child.stdout and child.stderr
    reader = threading.Thread(target=errors.extend, args=(child.stderr,))
    lines: list[str] = []
    try:
        timer.start()
        reader.start()
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            doing = line.split()[1] if line.startswith("loading ") else doing
            if line.startswith("ran"):
                progress()
        status = child.wait()
        reader.join()
    finally:
        expired = not timer.is_alive()
        timer.cancel()
        child.kill()
        child.wait()
    if status:
        raise _fault(place, status, lines, list(errors), doing, expired)
    return lines


def _signal(status: int, lines: Sequence[str]) -> str:
    """The signal that ended a child, "" if none did; a Java machine tells of it, and then ends by another."""
    told = (re.match(r"#\s+(SIG[A-Z]+) ", line) for line in lines)
    with suppress(ValueError):
        ended = signal.Signals(-status if status < 0 else status - 128).name
        return next((found[1] for found in told if found), ended)
    return ""


def _without_core_file() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fault(
    place: Place, status: int, lines: Sequence[str], errors: Sequence[str], doing: str, expired: bool
) -> UserError:
    where = f"{place.title}: variant {doing!r}"
    if expired:
        return DeviceFault(f"{where} did not end within {SECONDS // 60} minutes")
    if status == REFUSED and lines and lines[-1].startswith("refused "):
        told = [line for line in map(str.strip, errors) if line and not line.startswith("INFO")]
        reason = "; ".join((lines[-1].removeprefix("refused "), *told[:1]))
        return DeviceFault(f"{where} is refused there ({reason}): it may need a newer runtime")
    name = _signal(status, lines)
    if name:
        return DeviceFault(f"{where} crashes the runtime there ({SIGNALS.get(name, name)})")
    last = next((line.strip() for line in reversed(errors) if line.strip()), "it says nothing")
    return UserError(f"{place.title}: the runner ends with status {status} ({last}): set it up again")
