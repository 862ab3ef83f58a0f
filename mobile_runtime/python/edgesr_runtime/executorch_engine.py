"""ExecuTorch behind the runtime's engine interface: runs a .pte file on this machine's CPU."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

from edgesr_runtime.engines import Floats, Shapes, info_with_sizes
from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.pte import METADATA_METHOD, PteContents, read_pte

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class ExecuTorchEngine:
    """Runs the methods of a .pte file that edgesr wrote.

    All engines of a process share ExecuTorch's threads. When one asks for another number of them, the others
    prepare their variants anew, since a prepared one holds on to the threads it was prepared with.
    """

    _living: ClassVar["WeakSet[ExecuTorchEngine]"] = WeakSet()

    def __init__(self, program: StrPath | bytes, threads: int = 1) -> None:
        """Load a file or its bytes, to run on `threads` threads.

        A variant is prepared at its first run, which therefore takes longer.

        Raises:
            UserError: executorch is not installed, the file cannot be read or is damaged, or ExecuTorch
                refuses it.
        """
        self._native = native_module()
        self._name = "the program" if isinstance(program, bytes) else os.fspath(program)
        self._threads = threads
        self._methods: dict[str, Any] = {}
        data = program if isinstance(program, bytes) else _bytes(program)
        try:
            contents = read_pte(data)
        except CorruptFile as error:
            raise UserError(f"{self._name} is not a sound .pte file: {error}; convert it again") from error
        self._declared = contents.methods
        self._shapes = _shapes(contents, self._name)
        self._data = data  # ExecuTorch reads it where it lies and does not keep it alive
        log: list[str] = []
        with self._refusals("does not load", log), _held_back(log):
            checked = self._native.Verification.InternalConsistency
            self._program = self._native._load_program_from_buffer(data, program_verification=checked)
        self._living.add(self)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self._declared)

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return self._shapes[variant].takes

    def run(self, variant: str, batch: Floats) -> Floats:
        self._shapes[variant].check(batch)
        log: list[str] = []
        quiet = nullcontext() if variant in self._methods else _held_back(log)
        with self._refusals("does not run", log), quiet:
            if variant not in self._methods:
                self._use_threads()
                self._methods[variant] = self._program.load_method(self._declared[variant].name)
            return self._invoke(variant, batch)

    def _invoke(self, variant: str, batch: Floats) -> Floats:
        import torch

        image = torch.from_numpy(batch.transpose(TO_NCHW).copy())
        (answer,) = self._methods[variant].call((image,), clone_outputs=False)
        # A copy in any case: the answer lies in the method's own memory.
        result: Floats = answer.permute(TO_NHWC).clone(memory_format=torch.contiguous_format).numpy()
        self._shapes[variant].check_answer(batch, result)
        return result

    def _use_threads(self) -> None:
        if self._native._threadpool_get_thread_count() == self._threads:
            return
        for engine in self._living:
            engine._methods.clear()
        self._native._unsafe_reset_threadpool(self._threads)

    @contextmanager
    def _refusals(self, what: str, log: Sequence[str]) -> Iterator[None]:
        """Turns what ExecuTorch raises, and the last line of its native log, into one message."""
        try:
            yield
        except (RuntimeError, ValueError, AttributeError, MemoryError) as error:
            reason = log[-1] if log else " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{self._name} {what} in ExecuTorch ({reason}); convert it again") from error


def _shapes(contents: PteContents, source: str) -> dict[str, Shapes]:
    """By variant; where they take more than tiles, the file declares the largest, the metadata the tile."""
    methods = contents.methods.items()
    if not any(method.resizable for _, method in methods):
        return {name: Shapes(_nhwc(method.takes), _nhwc(method.gives)) for name, method in methods}
    info = info_with_sizes(contents.strings.get(METADATA_METHOD, ""), source)
    tile, enlarged = info.tile, info.tile * info.scale
    return {
        name: Shapes((1, tile, tile, m.takes[1]), (1, enlarged, enlarged, m.gives[1]), info.sizes)
        for name, m in methods
    }


def native_module() -> Any:
    """ExecuTorch's native module alone: the Python one around it takes seconds and writes warnings.

    Raises:
        UserError: executorch is not installed.
    """
    try:
        import torch  # noqa: F401  (the native module needs its libraries)
        from executorch.extension.pybindings import _C
    except ImportError as error:
        hint = "pip install 'edgesr[executorch]'"
        raise UserError(f"running a .pte program needs executorch ({error}): {hint}") from error
    return _C


def _bytes(path: StrPath) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{os.fspath(path)} cannot be read ({reason}); give a .pte file") from error


def _nhwc(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in TO_NHWC)


@contextmanager
def _held_back(log: list[str]) -> Iterator[None]:
    """Keeps ExecuTorch's log from the user and gives its lines.

    It goes through Python's stderr, but the native code below writes to the file itself. Other lines are
    passed on after. Where stderr cannot be redirected, nothing is held back.
    """
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, ValueError, AttributeError):  # closed, or no stderr at all
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            with open(held.fileno(), "w", errors="replace", closefd=False) as stream, redirect_stderr(stream):
                yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                mark, _, text = line.decode(errors="replace").partition("] ")
                if mark.startswith("[") and ".cpp:" in mark:
                    log.append(text.strip())
                else:
                    with open(2, "wb", closefd=False) as stderr:
                        stderr.write(line)
