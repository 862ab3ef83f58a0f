"""The cache of downloaded files: each is checked by its SHA-256 before it gets its name, so that what is
there under its name is whole, and a run that was killed goes on where it stopped.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from ..cache import cache_folder
from ..errors import UserError
from .fetchers import FETCHERS, wrong_hash
from .pins import Pin

Advance = Callable[[str], object]
"""Called after each step with what it was."""

UNPACKED = 6
"""Bytes on the disk for each byte downloaded, at most, while a device is set up."""


def devices_folder() -> Path:
    """Where devices are kept; it may not exist yet."""
    return cache_folder() / "devices"


def fetch(wanted: Iterable[Pin], folder: Path, advance: Advance = lambda note: None) -> dict[Pin, Path]:
    """Makes sure that every file is in the folder; those that are there and sound are kept.

    Raises:
        UserError: names the package, what is wrong and what to do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {pin: folder / pin.name for pin in wanted}
    missing = [pin for pin, path in places.items() if not _sound(pin, path)]
    _need_space(missing, folder)
    for pin, path in places.items():
        if pin in missing:
            _fetch_one(pin, path)
        advance(pin.title)
    return places


def _sound(pin: Pin, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != pin.size:
        return False
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest() == pin.sha256


def _fetch_one(pin: Pin, path: Path) -> None:
    with emptied(path.with_name("fetching")) as unfinished:
        part = unfinished / path.name
        FETCHERS[pin.source](pin, part)
        if not _sound(pin, part):
            raise UserError(wrong_hash(pin))
        part.replace(path)


def _need_space(missing: list[Pin], folder: Path) -> None:
    """Finds out before long work that the disk is too small for it."""
    needed = UNPACKED * sum(pin.size for pin in missing)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder}: {needed >> 20} MiB are needed there and {free >> 20} are free: free some space, "
            "or name another folder in EDGESR_CACHE"
        )


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """A folder for unfinished work: what an earlier run left in it goes first, and all of it at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
