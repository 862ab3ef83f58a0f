"""ExecuTorch behind the runtime's engine interface: runs a .pte file on this machine's CPU."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from edgesr_runtime.engines import Floats
from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.pte import read_pte

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
            self._declared = read_pte(data).methods
        except CorruptFile as error:
            raise UserError(f"{self._name} is not a sound .pte file: {error}; convert it again") from error
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
        """The fixed (batch, height, width, channels) that `run` takes; the file's own order is NCHW."""
        return _nhwc(self._declared[variant].takes)

    def run(self, variant: str, batch: Floats) -> Floats:
        if batch.shape != self.input_shape(variant) or batch.dtype != np.float32:
            wanted = self.input_shape(variant)
            raise ValueError(f"expected float32 {wanted}, got {batch.dtype} {batch.shape}")
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
        declared = _nhwc(self._declared[variant].gives)
        if result.shape != declared or result.dtype != np.float32:
            raise ValueError(f"it declares {declared} and gives {result.shape}")
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
