"""Setting up devices in the cache: `setup("arm64")` downloads and makes what is missing, and nothing twice.

A part is made beside its place and renamed when it is whole, so a run that was killed or met a full disk
leaves nothing that looks finished: running it again repairs everything.
"""

import errno
import fcntl
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .downloads import devices_folder, emptied, fetch
from .parts import PARTS, Part

Stages = Callable[[str, int | None], Callable[[str], object]]
"""Begins a stage: its name and number of steps (None if not known); gives what to call after each step."""

FINISHED = ".finished"


def quiet(name: str, steps: int | None) -> Callable[[str], object]:
    """Stages that nobody watches."""
    return lambda note: None


@dataclass(frozen=True)
class Setup:
    """Something to set up: the parts that it needs, the one that it is named after last."""

    name: str
    parts: tuple[str, ...]
    title: str


SETUPS = {
    setup.name: setup
    for setup in (
        Setup(
            "arm64",
            ("cross-arm64", "qemu", "debian-arm64"),
            "Debian for arm64 with both runtimes, and an emulator of Arm CPUs",
        ),
        Setup(
            "android-libs",
            ("cross-arm64", "android-libs"),
            "the libraries that Android apps carry, and copies of them that run on Linux",
        ),
        Setup(
            "android-java",
            ("cross-arm64", "android-libs", "java-arm64", "android-java"),
            "edgesr's runtime for Android, compiled to run on Linux, and a Java machine for arm64",
        ),
        Setup("android-sdk", ("android-sdk",), "tools that build and test Android apps, from Debian"),
    )
}


def setup(name: str, stages: Stages = quiet) -> Path:
    """Makes sure that everything a setup needs is there, and gives its folder.

    Takes a second where it is there already. Two at once wait for each other.

    Raises:
        UserError: another name, another kind of machine, no network, a full disk, a file that is not what it
            should be: what is wrong and what to do.
    """
    if name not in SETUPS:
        raise UserError(f"there is no setup {name!r}: give {', '.join(SETUPS)}")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise UserError(f"setting up {name} needs Linux on x86-64: use such a machine")
    devices = devices_folder()
    missing = [PARTS[part] for part in SETUPS[name].parts if not is_finished(PARTS[part])]
    if missing:
        with _alone(devices, stages):
            for part in missing:
                if not is_finished(part):
                    _make(part, devices, stages)
    return devices / SETUPS[name].parts[-1]


def is_set_up(name: str) -> bool:
    return all(is_finished(PARTS[part]) for part in SETUPS[name].parts)


def download_bytes(name: str) -> int:
    """What setting it up downloads yet."""
    missing = (PARTS[part] for part in SETUPS[name].parts if not is_finished(PARTS[part]))
    return sum(pin.size for part in missing for pin in part.pins)


def is_finished(part: Part) -> bool:
    """Whether the part is there as this edgesr makes it."""
    folder = devices_folder() / part.name
    try:
        return (folder / part.key).exists() and (folder / FINISHED).read_text(encoding="utf-8") == part.mark
    except OSError:
        return False


def _make(part: Part, devices: Path, stages: Stages) -> None:
    downloads = devices / "downloads"
    advance = stages(f"downloading {part.name}", len(part.pins))
    files = fetch(part.pins, downloads, advance)
    stages(f"unpacking {part.name}", None)
    with emptied(devices / f"{part.name}.unfinished") as folder:
        try:
            part.make(files, folder, devices)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(f"{folder}: {error.strerror}: free some space and run this again") from error
        (folder / FINISHED).write_text(part.mark, encoding="utf-8")
        place = devices / part.name
        shutil.rmtree(place, ignore_errors=True)
        folder.rename(place)
    for path in files.values():  # unpacked, they are not needed any more
        path.unlink(missing_ok=True)


@contextmanager
def _alone(devices: Path, stages: Stages) -> Iterator[None]:
    """Holds the cache's lock, which the system lets go when a process ends, however it does."""
    try:
        devices.mkdir(parents=True, exist_ok=True)
        lock = (devices / "lock").open("w")
    except OSError as error:
        raise UserError(
            f"{devices}: cannot be written ({error.strerror}): name another folder in EDGESR_CACHE"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stages("waiting for another setup to end", None)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
