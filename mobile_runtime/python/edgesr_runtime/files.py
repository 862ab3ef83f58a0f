"""Writing files so that a crash, Ctrl-C or a full disk never leaves a half file or harms an older one.

Everything edgesr writes goes through `replacing` or `write_atomically`: the bytes go to a temporary name in
the same folder, and one rename puts them in place.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edgesr_runtime.errors import UserError

StrPath = str | os.PathLike[str]

# What the system's error means to the user, and what to do about it.
_REASONS = {
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another path",
    errno.EISDIR: "it is a folder; give a file name",
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file would be too large for this disk; choose another disk",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}


def write_atomically(path: StrPath, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path`: afterwards the file holds all of it or what it held before.

    Raises:
        UserError: as `replacing`.
    """
    with replacing(path) as stream:
        stream.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def replacing(path: StrPath) -> Iterator[BinaryIO]:
    """A stream whose contents become the file `path` when the block ends, and vanish when it fails.

    A symbolic link is followed; an existing file keeps its permission bits; a device or pipe
    (`/dev/stdout`) is written directly, for it has nothing to lose. An `OSError` of the block is taken as one
    of writing.

    Raises:
        UserError: the folder is missing or not writable, `path` is a folder, the disk is full, ...
    """
    target = _target(path)
    try:
        with _replacing(target) if target else Path(path).open("wb") as stream:
            yield stream
    except OSError as error:
        raise explain(path, error) from error


def check_writable(path: StrPath) -> None:
    """Find out before long work whether `replacing(path)` can do its job; leaves no trace.

    Raises:
        UserError: as `replacing` would, except for what only shows when writing (a full disk).
    """
    target = _target(path)
    try:
        if target:
            _refuse_folder(target)
            descriptor, temporary = _open_temporary(target)
            os.close(descriptor)
            temporary.unlink()
    except OSError as error:
        raise explain(path, error) from error


def _target(path: StrPath) -> Path | None:
    """The file that is to be replaced; None for a device, which is written directly."""
    try:
        os.fspath(path).encode()  # what is no UTF-8 could be written, but named in no record or message
        # A link to a pipe resolves to a name that does not exist, so devices are told before resolving.
        return None if _is_device(path) else Path(os.path.realpath(path))
    except OSError as error:
        raise explain(path, error) from error
    except ValueError as error:  # a null byte in the path, or what is no text
        raise UserError(f"{str(path)!r} cannot be written: {error}; choose another name") from error


def _is_device(path: StrPath) -> bool:
    """True for what exists and is neither a file nor a folder."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A temporary file beside `target`, which gets the older file's permissions and its name."""
    _refuse_folder(target)
    descriptor, temporary = _open_temporary(target)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())  # else a power cut after the rename could leave an empty file
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            temporary.unlink()
        raise


def _refuse_folder(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _open_temporary(target: Path) -> tuple[int, Path]:
    """Create a new file in `target`'s folder, readable as the user's umask says (mkstemp's would be 0600)."""
    if len(os.fsencode(target.name)) > 255:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    temporary = target.with_name(f".edgesr-{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(temporary, flags, 0o666), temporary


def explain(path: StrPath, error: OSError) -> UserError:
    """What an error of writing means to the user."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}; choose another place")
    return UserError(f"{os.fspath(path)} cannot be written: {reason}")
