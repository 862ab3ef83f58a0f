"""The formats that a program can have: how each is written and read. Heavy imports wait for their use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgesr_runtime import ProgramInfo
from edgesr_runtime.pte import is_pte

from ..quantization.typed import TypedGraph

OWN, LITERT_TORCH = "own", "litert-torch"
"""Converters: edgesr's own writers, and litert-torch for networks that they cannot take."""

Variants = Mapping[str, TypedGraph]


@dataclass(frozen=True)
class Target:
    """One format.

    Attributes:
        write: (variants, tile, metadata JSON, largest side or None) -> bytes of the file, of a program that
            takes tiles alone where the last is None.
        read: bytes -> the typed graph of each variant; UserError for a file that edgesr did not write.
    """

    name: str
    write: Callable[[Variants, int, bytes, int | None], bytes]
    read: Callable[[bytes], dict[str, TypedGraph]]


def _write_tflite(variants: Variants, tile: int, metadata: bytes, largest: int | None = None) -> bytes:
    from .tflite.writer import write

    return write(variants, tile, metadata, resizable=largest is not None)


def _read_tflite(program: bytes) -> dict[str, TypedGraph]:
    from .tflite.reader import read

    return read(program)


def _write_pte(variants: Variants, tile: int, metadata: bytes, largest: int | None = None) -> bytes:
    from .executorch.writer import write

    return write(variants, tile, metadata, largest)


def _read_pte(program: bytes) -> dict[str, TypedGraph]:
    from .executorch.reader import read

    return read(program)


TFLITE = Target("tflite", _write_tflite, _read_tflite)
EXECUTORCH = Target("executorch", _write_pte, _read_pte)
TARGETS = {target.name: target for target in (TFLITE, EXECUTORCH)}


def converter_of(info: ProgramInfo) -> str:
    """What made a program; only of `OWN` ones can edgesr read every op."""
    return str((info.evidence or {}).get("converter", OWN))


def target_of(program: bytes) -> Target:
    """The format of a program's bytes."""
    return EXECUTORCH if is_pte(program) else TFLITE
