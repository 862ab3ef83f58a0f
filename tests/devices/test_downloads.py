"""The cache of downloads: only sound files get their names, and what is there is kept."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from edgesr.devices import downloads, fetchers
from edgesr.devices.downloads import fetch
from edgesr.devices.parts import PARTS
from edgesr.devices.pins import Pin
from edgesr.errors import UserError

CONTENT = b"the file"
PIN = Pin("debian", "pool/main/t/thing_1.0_amd64.deb", sha256(CONTENT).hexdigest(), len(CONTENT))
OTHER = Pin("npm", "thing@2.0", sha256(b"more").hexdigest(), 4)
Contents = dict[str, bytes]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> tuple[Contents, list[str]]:
    """What the registries hold, by title, and what was asked of them."""
    contents, asked = {PIN.title: CONTENT, OTHER.title: b"more"}, []

    def give(pin: Pin, path: Path) -> None:
        asked.append(pin.title)
        path.write_bytes(contents[pin.title])

    monkeypatch.setattr(downloads, "FETCHERS", dict.fromkeys(("debian", "npm", "pypi"), give))
    return contents, asked


def test_files_are_fetched_once(tmp_path: Path, source: tuple[Contents, list[str]]) -> None:
    _, asked = source
    notes: list[str] = []
    files = fetch((PIN, OTHER), tmp_path / "new", notes.append)
    assert [path.read_bytes() for path in files.values()] == [CONTENT, b"more"]
    assert asked == notes == ["thing_1.0_amd64", "thing@2.0"]
    assert fetch((PIN, OTHER), tmp_path / "new") == files and len(asked) == 2


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"x" + data[1:], lambda data: b""])
def test_a_damaged_file_in_the_cache_is_fetched_anew(
    tmp_path: Path, source: tuple[Contents, list[str]], spoil: Callable[[bytes], bytes]
) -> None:
    path = fetch((PIN,), tmp_path)[PIN]
    path.write_bytes(spoil(CONTENT))
    assert fetch((PIN,), tmp_path)[PIN].read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_not_kept(tmp_path: Path, source: tuple[Contents, list[str]]) -> None:
    contents, _ = source
    contents[PIN.title] = b"the fila"
    with pytest.raises(UserError, match=r"thing_1\.0_amd64: .*SHA-256"):
        fetch((PIN,), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_killed_download_is_begun_anew(
    tmp_path: Path, source: tuple[Contents, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dict(downloads.FETCHERS)

    def killed(pin: Pin, path: Path) -> None:
        path.write_bytes(CONTENT[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "FETCHERS", {**whole, "npm": killed})
    with pytest.raises(KeyboardInterrupt):
        fetch((PIN, OTHER), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PIN.name]
    monkeypatch.setattr(downloads, "FETCHERS", whole)
    assert fetch((PIN, OTHER), tmp_path)[OTHER].read_bytes() == b"more"
    assert source[1].count(PIN.title) == 1  # kept from the first run


def test_a_small_disk_is_found_out_before(
    tmp_path: Path, source: tuple[Contents, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1, 1, 10))
    with pytest.raises(UserError, match=r"MiB are needed.*EDGESR_CACHE"):
        fetch((PIN,), tmp_path)
    assert not source[1]


def test_every_pin_can_be_fetched_by_its_client() -> None:
    pins = [pin for part in PARTS.values() for pin in part.pins]
    assert {pin.source for pin in pins} == set(fetchers.FETCHERS)
    assert all(len(bytes.fromhex(pin.sha256)) == 32 and pin.size > 0 for pin in pins)
    assert all(bool(pin.platform) == (pin.source == "pypi") for pin in pins)
    assert all("://" not in pin.place for pin in pins)  # mirrors are the machine's own
