"""Getting pinned files from Debian, npm and PyPI with the machine's own clients and settings.

No host is named anywhere: the mirror is that of the machine's apt sources, the registries are those that npm
and pip are set up for. Nothing is installed and nobody needs to be root.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from ..errors import UserError
from .pins import Pin

SECONDS = 1800  # for one file: slow lines exist, but an end must come
APT_HELPER = "/usr/lib/apt/apt-helper"
SUITES = re.compile(
    r"(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-\w+)*"
)
GONE = re.compile(r"404|E404|ETARGET|No matching version|No matching distribution", re.IGNORECASE)
FULL = re.compile(r"No space left|ENOSPC|Disk quota|EDQUOT", re.IGNORECASE)
OFFLINE = re.compile(
    r"resolve|connect|timed? ?out|ENOTFOUND|EAI_AGAIN|ECONN|ENETUNREACH|NewConnectionError|"
    r"unreachable|Retrying",
    re.IGNORECASE,
)

Fetcher = Callable[[Pin, Path], None]
"""Puts the file at the path, or raises UserError."""


def from_debian(pin: Pin, path: Path) -> None:
    """By apt's own download helper: no package lists are needed, for the pin knows the pool path and hash."""
    if not Path(APT_HELPER).exists():
        raise UserError(f"{pin.title}: apt is missing: device checks need a Debian system, or one of its kin")
    sites = mirrors()
    if not sites:
        raise UserError(f"{pin.title}: the apt sources of this machine name no Debian mirror: add one")
    for site in sites:
        command = (APT_HELPER, "download-file", site + pin.place, str(path), f"SHA256:{pin.sha256}")
        said = _run(command, path.parent)
        if said is None:
            return
    raise _failure(pin, said or "", "a Debian mirror")


@cache
def mirrors() -> tuple[str, ...]:
    """Roots of the Debian mirrors that apt is set up for, each with a slash at its end."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    pairs = (line.split() for line in done.stdout.splitlines())
    sites = (pair[0].rstrip("/") + "/" for pair in pairs if len(pair) == 2 and SUITES.fullmatch(pair[1]))
    return tuple(dict.fromkeys(site for site in sites if not site.endswith("-security/")))


def from_npm(pin: Pin, path: Path) -> None:
    if shutil.which("npm") is None:
        raise UserError(f"{pin.title}: npm is missing: install Node.js with npm")
    folder = path.with_name(path.name + ".npm")
    folder.mkdir()
    said = _run(("npm", "pack", "--loglevel=error", "--pack-destination", str(folder), pin.place), folder)
    _take_only_file(pin, folder, path, said, "the npm registry")


def from_pypi(pin: Pin, path: Path) -> None:
    folder = path.with_name(path.name + ".pypi")
    folder.mkdir()
    command = (
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--python-version", "3.11", "--platform", pin.platform,
        "--dest", str(folder), pin.place,
    )  # fmt: skip
    _take_only_file(pin, folder, path, _run(command, folder), "the Python package index")


FETCHERS: Mapping[str, Fetcher] = {"debian": from_debian, "npm": from_npm, "pypi": from_pypi}


def _run(command: tuple[str, ...], folder: Path) -> str | None:
    """None if the command did its job, else what it said."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "timed out"
    return None if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


def _take_only_file(pin: Pin, folder: Path, path: Path, said: str | None, source: str) -> None:
    found = list(folder.iterdir())
    if said is not None or len(found) != 1:
        raise _failure(pin, said or "", source)
    found[0].replace(path)
    folder.rmdir()


def _failure(pin: Pin, said: str, source: str) -> UserError:
    """What a client said, as one line with a remedy."""
    if FULL.search(said):
        return UserError(f"{pin.title}: the disk is full: free some space and run the command again")
    if "Hash Sum mismatch" in said:
        return UserError(wrong_hash(pin))
    if OFFLINE.search(said):
        return UserError(f"{pin.title}: {source} is not reached: check the network and run the command again")
    if GONE.search(said):
        return UserError(f"{pin.title}: {source} has this version no more: use a newer edgesr")
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no word of why")
    return UserError(f"{pin.title}: cannot be fetched from {source} ({last}): run the command again")


def wrong_hash(pin: Pin) -> str:
    return f"{pin.title}: what was fetched is not what edgesr knows by its SHA-256: do not use that source"
