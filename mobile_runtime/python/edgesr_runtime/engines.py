"""What runs a program's tiles: a small interface, and LiteRT behind it."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.metadata import METADATA_ENTRY, ProgramInfo, SizeRange
from edgesr_runtime.pte import is_pte
from edgesr_runtime.verify import check_structure

Floats = NDArray[np.float32]

INPUT, OUTPUT = "image", "sr"


class Engine(Protocol):
    """Runs the variants of one program; one thread at a time."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of what can be run."""

    def input_shape(self, variant: str) -> tuple[int, ...]:
        """The (batch, height, width, channels) of a tile."""

    def run(self, variant: str, batch: Floats) -> Floats:
        """Run on float32 NHWC pixels; the answer is float32 NHWC, a copy that the caller may change.

        A program whose metadata has `sizes` takes every height and width within them, others tiles alone.

        Raises:
            UserError: the engine fails, for instance for lack of memory.
            ValueError: `batch` has another shape or type.
        """


@dataclass(frozen=True)
class Shapes:
    """What a variant takes and gives, in NHWC: a tile and its answer, other `sizes` where there are some."""

    takes: tuple[int, ...]
    gives: tuple[int, ...]
    sizes: SizeRange | None = None

    def check(self, batch: Floats) -> None:
        """Raises ValueError for a batch that the variant does not take."""
        if batch.dtype != np.float32 or not self._holds(batch.shape):
            more = "" if self.sizes is None else f", or height and width {self.sizes}"
            raise ValueError(f"expected float32 {self.takes}{more}, got {batch.dtype} {batch.shape}")

    def _holds(self, shape: tuple[int, ...]) -> bool:
        if self.sizes is None or len(shape) != len(self.takes):
            return shape == self.takes
        fixed = shape[0] == self.takes[0] and shape[3] == self.takes[3]
        return fixed and shape[1] in self.sizes and shape[2] in self.sizes

    def check_answer(self, batch: Floats, answer: Floats) -> None:
        """Raises ValueError for an answer of another shape or type than the variant declares."""
        declared = self.gives
        if self.sizes is not None:
            scale = self.gives[1] // self.takes[1]
            declared = self.gives[0], batch.shape[1] * scale, batch.shape[2] * scale, self.gives[3]
        if answer.shape != declared or answer.dtype != np.float32:
            raise ValueError(f"it declares {declared} and gives {answer.shape}")


def info_with_sizes(metadata: bytes | str, source: str) -> ProgramInfo:
    """The metadata of a program whose file says that it takes more sizes than its tile.

    Raises:
        UserError: it is damaged, or does not tell them.
    """
    info = ProgramInfo.from_json(metadata, source)
    if info.sizes is None:
        raise UserError(f"{source} takes more sizes than its metadata says; convert it again")
    return info


class LiteRtEngine:
    """Runs a .tflite file on this machine's CPU, through XNNPACK."""

    def __init__(self, program: StrPath | bytes, threads: int = 1) -> None:
        """Load a file or its bytes, which must have been verified: LiteRT crashes on a damaged file.

        A variant is prepared at its first run, which therefore takes longer.

        Raises:
            UserError: ai-edge-litert is not installed, or LiteRT refuses the file.
        """
        interpreter_class = _import_interpreter()
        model = (
            {"model_content": program} if isinstance(program, bytes) else {"model_path": os.fspath(program)}
        )
        self._name = "the program" if isinstance(program, bytes) else os.fspath(program)
        self._prepared: dict[str, tuple[int, ...]] = {}  # variant -> shape that it was last run on
        with without_chatter(), self._refusals("does not load"):
            interpreter = interpreter_class(**model, num_threads=threads)
            self._runners = {name: interpreter.get_signature_runner(name) for name in _names(interpreter)}
            # As the file declares them: running may compute others.
            sizes = _sizes(self._runners.values(), program, self._name)
            self._shapes = {
                name: Shapes(
                    _shape(run.get_input_details(), INPUT), _shape(run.get_output_details(), OUTPUT), sizes
                )
                for name, run in self._runners.items()
            }

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self._runners)

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return self._shapes[variant].takes

    def run(self, variant: str, batch: Floats) -> Floats:
        # LiteRT would resize the program to any other shape and run it on what it was not made for.
        self._shapes[variant].check(batch)
        if self._prepared.get(variant) == batch.shape:
            return self._invoke(variant, batch)
        with without_chatter():
            result = self._invoke(variant, batch)
        self._prepared[variant] = batch.shape
        return result

    def _invoke(self, variant: str, batch: Floats) -> Floats:
        with self._refusals("does not run"):
            result: Floats = self._runners[variant](**{INPUT: batch})[OUTPUT]
            self._shapes[variant].check_answer(batch, result)
        return result

    @contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, ValueError, KeyError, MemoryError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{self._name} {what} in LiteRT ({reason}); convert it again") from error


def engine_for(program: bytes, threads: int = 1) -> Engine:
    """The engine that runs a program file's bytes, by its format.

    Raises:
        UserError: the engine is not installed, or refuses the file.
    """
    if is_pte(program):
        from edgesr_runtime.executorch_engine import ExecuTorchEngine

        return ExecuTorchEngine(program, threads)
    return LiteRtEngine(program, threads)


def _import_interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        hint = "pip install 'edgesr-runtime[litert]'"
        raise UserError(f"running a .tflite program needs ai-edge-litert ({error}); {hint}") from error
    return Interpreter


def _names(interpreter: Any) -> list[str]:
    return list(interpreter.get_signature_list())


def _sizes(runners: Iterable[Any], program: StrPath | bytes, source: str) -> SizeRange | None:
    """None where every signature takes one size."""
    signatures = [run.get_input_details()[INPUT]["shape_signature"] for run in runners]
    if not any(-1 in signature for signature in signatures):
        return None
    data = program if isinstance(program, bytes) else Path(program).read_bytes()
    return info_with_sizes(check_structure(data).metadata.get(METADATA_ENTRY, b""), source).sizes


def _shape(details: Any, name: str) -> tuple[int, ...]:
    return tuple(int(length) for length in details[name]["shape"])


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back LiteRT's INFO lines, which native code writes to stderr; everything else is passed on after.

    The wheel exports no switch for its log level. Where stderr cannot be redirected, nothing is held back.
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
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            kept = [line for line in held if not line.startswith(b"INFO: ")]
            with open(2, "wb", closefd=False) as stderr:
                stderr.writelines(kept)
