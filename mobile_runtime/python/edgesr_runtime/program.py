"""Opening a program file: verified, its metadata read, its engine ready."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgesr_runtime.engines import INPUT, OUTPUT, Engine, engine_for
from edgesr_runtime.errors import UserError
from edgesr_runtime.files import StrPath
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.metadata import METADATA_ENTRY, ProgramInfo
from edgesr_runtime.pte import is_pte, read_pte, read_pte_metadata
from edgesr_runtime.verify import Signature, check_structure, probe

_GZIP = b"\x1f\x8b"
_MAX_BYTES = 1 << 30
_MAX_METADATA_BYTES = 16 << 20


@dataclass(frozen=True)
class Program:
    """A program ready to run: what it says about itself, and the engine that holds it."""

    info: ProgramInfo
    engine: Engine


def open_program(path: StrPath, threads: int = 1, trusted: bool = False) -> Program:
    """Open the program file at `path` to run on `threads` threads.

    A damaged or hostile file must not crash the caller, so it is checked in Python and then run once in a
    process of its own, which takes about a second. `trusted` leaves out that run, for a file that the
    caller has just written and run.

    Raises:
        UserError: the file cannot be read, is neither .tflite nor .pte, is damaged, is no edgesr program, is
            of a newer major version, or the engine is not installed.
        ValueError: `threads` below 1.
    """
    return load_program(read_program(path), str(path), threads, trusted)


def load_program(data: bytes, source: str, threads: int = 1, trusted: bool = False) -> Program:
    """As `open_program`, of a file's bytes; `source` names the file in messages."""
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    info = read_info(data, source)
    if not trusted:
        probe(data, source)
    return Program(info, engine_for(data, threads))


def read_program(path: StrPath) -> bytes:
    """The bytes of a program file, not checked yet; a file compressed by gzip is unpacked.

    Raises:
        UserError: there is no such file, it cannot be read or unpacked, or it is larger than any program.
    """
    try:
        with Path(path).open("rb") as stream:
            packed = stream.read(len(_GZIP)) == _GZIP
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if packed else stream
            data = source.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such program file; check the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is damaged ({error}); convert the network again") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({reason}); give a .tflite or .pte file") from error
    if len(data) > _MAX_BYTES:
        raise UserError(f"{path} is larger than 1 GiB; no edgesr program is")
    return data


def read_info(data: bytes, source: str = "the program") -> ProgramInfo:
    """Check the bytes of a program file and read its metadata; needs no engine.

    Raises:
        UserError: as `open_program`; `source` names the file.
    """
    entry, found, declared = _read_pte(data, source) if is_pte(data) else _read_tflite(data, source)
    if len(entry) > _MAX_METADATA_BYTES:
        raise UserError(f"{source}: its metadata is larger than 16 MiB; convert the network again")
    info = ProgramInfo.from_json(entry, source)
    _check_agreement(info, found, declared, source)
    return info


@dataclass(frozen=True)
class _Picture:
    """An input or output as the file declares it; `resizable` where its shape is one of many."""

    format: str
    shape: tuple[int, ...]
    resizable: bool = False


Interface = tuple[dict[str, _Picture], ...]
"""Inputs and outputs of a signature by name."""

Declared = Callable[[ProgramInfo, int], _Picture]
"""How a format declares a program's input, or a picture so many times as large."""


def _read_tflite(data: bytes, source: str) -> tuple[bytes, dict[str, Interface], Declared]:
    try:
        contents = check_structure(data)
    except CorruptFile as error:
        raise UserError(f"{source} is not a sound .tflite file: {error}; convert it again") from error
    entry = contents.metadata.get(METADATA_ENTRY)
    if entry is None:
        raise UserError(f"{source} is not an edgesr program (it has no metadata entry 'edgesr'); convert it")
    interfaces = {name: _interface(signature) for name, signature in contents.signatures.items()}
    return entry, interfaces, _tflite_picture


def _tflite_picture(info: ProgramInfo, times: int) -> _Picture:
    side = info.tile * times
    return _Picture("float32", (1, side, side, 3), info.sizes is not None)


def _read_pte(data: bytes, source: str) -> tuple[bytes, dict[str, Interface], Declared]:
    entry = read_pte_metadata(data, source)
    interfaces: dict[str, Interface] = {
        name: (
            {INPUT: _Picture("float32", method.takes, method.resizable)},
            {OUTPUT: _Picture("float32", method.gives, method.resizable)},
        )
        for name, method in read_pte(data).methods.items()
    }
    return entry, interfaces, _pte_picture


def _pte_picture(info: ProgramInfo, times: int) -> _Picture:
    side = (info.sizes.max if info.sizes else info.tile) * times
    return _Picture("float32", (1, 3, side, side), info.sizes is not None)


def _check_agreement(
    info: ProgramInfo, found: Mapping[str, Interface], declared: Declared, source: str
) -> None:
    """The metadata's word about sizes and variants must be true of the signatures."""
    wanted = {INPUT: declared(info, 1)}, {OUTPUT: declared(info, info.scale)}
    if set(found) != set(info.variants):
        names = ", ".join(sorted(found)) or "none"
        raise UserError(f"{source}: its signatures ({names}) are not its variants; convert the network again")
    for name, interface in found.items():
        if interface != wanted:
            raise UserError(f"{source}: signature {name!r} does not fit its metadata; convert it again")


def _interface(signature: Signature) -> Interface:
    sides = (signature.inputs, signature.outputs)
    return tuple(
        {name: _Picture(tensor.type, tensor.shape, tensor.resizable) for name, tensor in side.items()}
        for side in sides
    )
