"""Running a program at another place: one child process for each program, its answers brought back.

What happens there cannot harm this process: a crash of the runtime, of the emulator or of Android's library
becomes one line.
"""

import json
import resource
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.engines import OUTPUT, Floats
from edgesr_runtime.pte import method_name

from ..errors import UserError
from ..lowering.executorch.writer import PROBE_METHOD, write_probe
from ..lowering.targets import EXECUTORCH, target_of
from ..quantization.typed import TypedGraph
from .host import Comparison, Run, Tiles, compare, hidden, to_images
from .litert import probe_program
from .places import Command, Place

SECONDS = 1800  # for one program at one place: an endless loop must end
RUNNER = Path(__file__).with_name("runner.py")
REFUSED = 3
PTE_TYPES = {1: np.int8, 6: np.float32}  # ExecuTorch's ScalarType
KEPT_LINES = 20


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


@dataclass(frozen=True)
class Recorded:
    """All answers of a program at a place: the comparison with the reference, and an engine that replays."""

    place: Place
    graphs: Mapping[str, TypedGraph]
    images: Floats
    answers: Mapping[tuple[str, bool], Answers]

    def comparison(self, tiles: Tiles, pixel_range: int) -> Comparison:
        """As `host.mismatches`, with the times that the runs took there.

        Raises:
            DeviceFault: looking at its inner tensors changes the program's answer there.
        """
        try:
            compared = compare(self.graphs, tiles, pixel_range, self._replay)
        except UserError as error:
            raise DeviceFault(f"{self.place.title}: {error}") from error
        variants = {
            name: replace(agreement, seconds=float(self.answers[name, False][0].min()))
            for name, agreement in compared.variants.items()
        }
        return Comparison(variants)

    def _replay(self, variant: str, graph: TypedGraph, names: Sequence[str]) -> Run:
        values = self.answers[variant, bool(names)][1]
        return lambda batch: {name: value[self._index(batch)] for name, value in values.items()}

    def _index(self, batch: Floats) -> int:
        for index, image in enumerate(self.images[:, None]):
            if np.array_equal(image, batch):
                return index
        raise ValueError("this picture was not run there")

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.graphs)

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return 1, *self.images.shape[1:]

    def run(self, variant: str, batch: Floats) -> Floats:
        """The runtime's `Engine.run`, for pictures that were run."""
        return self.answers[variant, False][1][OUTPUT][self._index(batch)].copy()


def run_at(
    place: Place, program: bytes, tiles: Tiles, pixel_range: int, progress: Shown = lambda: None
) -> Recorded:
    """Runs every variant of a program on every tile, and once more with inner tensors made visible.

    Args:
        tiles: uint8 (N, tile, tile, 3).
        progress: called after each run.

    Raises:
        DeviceFault: the program is refused or crashes there, in words.
        UserError: the place itself is at fault.
    """
    target = target_of(program)
    graphs = target.read(program)
    images = to_images(tiles, pixel_range)
    if target is EXECUTORCH:
        tasks, run = _pte_tasks(program, graphs, tiles.shape[1]), _run_pte
    else:
        tasks, run = _tflite_tasks(program, graphs), _run_tflite
    with TemporaryDirectory(prefix="edgesr-device-") as folder:
        found = run(place, tasks, images, Path(folder), progress)
    keys = ((task.variant, len(task.outputs) > 1) for task in tasks)
    return Recorded(place, graphs, images, dict(zip(keys, found, strict=True)))


def runs(graphs: Mapping[str, TypedGraph], tiles: int) -> int:
    """How often `run_at` calls its `progress`."""
    return sum(tiles * (2 if hidden(graph) else 1) for graph in graphs.values())


def _tflite_tasks(program: bytes, graphs: Mapping[str, TypedGraph]) -> list[Task]:
    """The very file for the answers, and probes of it for what lies inside."""
    plain = [Task(name, program, name, (OUTPUT,)) for name in graphs]
    names = {variant: hidden(graph) for variant, graph in graphs.items()}
    probes = [
        Task(variant, probe_program(program, variant, inner), variant, (OUTPUT, *inner))
        for variant, inner in names.items()
        if inner
    ]
    return plain + probes


def _pte_tasks(program: bytes, graphs: Mapping[str, TypedGraph], tile: int) -> list[Task]:
    tasks = [Task(name, program, method_name(name), (OUTPUT,)) for name in graphs]
    for variant, graph in graphs.items():
        wanted = hidden(graph)
        if wanted:
            inner = tuple(node.name for node in graph if node.name in wanted)  # in the order of the graph
            probe = write_probe(graph, tile, inner)
            tasks.append(Task(variant, probe, PROBE_METHOD, (*inner, OUTPUT)))
    return tasks


def _run_tflite(
    place: Place, tasks: Sequence[Task], images: Floats, folder: Path, progress: Shown
) -> list[Answers]:
    """All tasks in one process: Python takes seconds to start under emulation."""
    names = {task.program: f"{index}.tflite" for index, task in enumerate(tasks)}
    for data, name in names.items():
        (folder / name).write_bytes(data)
    np.save(folder / "images.npy", images)
    described = [{"program": names[t.program], "entry": t.entry, "outputs": t.outputs} for t in tasks]
    (folder / "job.json").write_text(json.dumps({"engine": place.engine, "tasks": described}))
    _watch(place, place.python(), (str(RUNNER), str(folder)), progress)
    found: list[Answers] = []
    for index, task in enumerate(tasks):
        with np.load(folder / f"{index}.npz") as archive:
            seconds, *values = (archive[f"arr_{i}"] for i in range(1 + len(task.outputs)))
        found.append((seconds, dict(zip(task.outputs, values, strict=True))))
    return found


def _run_pte(
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
        lines = _watch(place, place.pte_runner(), arguments, progress, task.entry)
        found.append(_read_pte(task, lines, (folder / "answers").read_bytes(), count))
    return found


def _read_pte(task: Task, lines: Sequence[str], data: bytes, count: int) -> Answers:
    """What the runner of .pte programs said and wrote; its answer proper is NCHW, inner tensors are NHWC."""
    words = [line.split() for line in lines]
    seconds = np.array([float(parts[1]) for parts in words if parts[:1] == ["ran"]])
    declared = [(parts[1], parts[2]) for parts in words if parts[:1] == ["output"]]
    fields = [
        (name, PTE_TYPES[int(kind)], tuple(int(side) for side in shape.split(",")))
        for name, (kind, shape) in zip(task.outputs, declared, strict=True)
    ]
    table = np.frombuffer(bytearray(data), np.dtype(fields), count)
    values = {name: table[name] for name in task.outputs}
    return seconds, {**values, OUTPUT: values[OUTPUT].transpose(0, 1, 3, 4, 2)}


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
    number = -status if status < 0 else status - 128
    with suppress(ValueError):
        name = signal.Signals(number).name
        return DeviceFault(f"{where} crashes the runtime there ({name})")
    last = next((line.strip() for line in reversed(errors) if line.strip()), "it says nothing")
    return UserError(f"{place.title}: the runner ends with status {status} ({last}): set it up again")
