"""The package clients: what they say becomes one line that names the package and the remedy."""

import subprocess
from pathlib import Path

import pytest

from edgesr.devices import fetchers
from edgesr.devices.fetchers import from_debian, from_npm, from_pypi, mirrors
from edgesr.devices.pins import Pin
from edgesr.errors import UserError

DEB = Pin("debian", "pool/main/t/thing_1.0_amd64.deb", "ab" * 32, 5)
NPM = Pin("npm", "thing@2.0", "ab" * 32, 5)
WHEEL = Pin("pypi", "thing==3.0", "ab" * 32, 5, "manylinux_2_27_aarch64")
SOURCES = """https://mirror.example/debian/ bookworm
https://mirror.example/debian-security/ bookworm-security
https://mirror.example/debian bookworm-updates
https://other.example/apt nodistro
"""


def client(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with apt, whose helper is to be written to `helper` in the folder."""
    (tmp_path / "sources").write_text(SOURCES)
    client(tmp_path, "apt-get", f'cat "{tmp_path}/sources"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(fetchers, "APT_HELPER", str(tmp_path / "helper"))
    mirrors.cache_clear()
    yield tmp_path
    mirrors.cache_clear()


def test_mirrors_are_those_of_debian_in_the_machines_sources(debian: Path) -> None:
    assert mirrors() == ("https://mirror.example/debian/",)


def test_a_package_comes_from_the_machines_mirror(debian: Path, tmp_path: Path) -> None:
    client(debian, "helper", 'echo "$2 $4" > "$3"')
    from_debian(DEB, tmp_path / "file")
    said = (tmp_path / "file").read_text().split()
    assert said == ["https://mirror.example/debian/pool/main/t/thing_1.0_amd64.deb", "SHA256:" + "ab" * 32]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("E: Failed to fetch x  404  Not Found", "has this version no more: use a newer edgesr"),
        ("E: Failed to fetch x  Could not resolve 'mirror'", "not reached: check the network"),
        ("E: Failed to fetch x  Could not connect", "not reached: check the network"),
        ("E: Write error - write (28: No space left on device)", "disk is full"),
        ("E: Failed to fetch x  Hash Sum mismatch", "SHA-256"),
        ("E: something odd", "something odd"),
    ],
)
def test_what_apt_says_is_one_line(debian: Path, tmp_path: Path, said: str, words: str) -> None:
    client(debian, "helper", f'echo "{said}" >&2; exit 100')
    with pytest.raises(UserError) as caught:
        from_debian(DEB, tmp_path / "file")
    line = str(caught.value)
    assert line.startswith("thing_1.0_amd64: ") and words in line and "\n" not in line


def test_machines_without_debian_are_told(debian: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="apt is missing"):
        from_debian(DEB, tmp_path / "file")
    client(debian, "helper", "exit 0")
    (debian / "sources").write_text("https://mirror.example/ubuntu noble\n")
    with pytest.raises(UserError, match="no Debian mirror"):
        from_debian(DEB, tmp_path / "file")


def test_npm_packs_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(tmp_path, "npm", 'echo "$5" > "$4/thing-2.0.tgz"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    from_npm(NPM, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "thing@2.0\n"
    client(tmp_path, "npm", "echo npm error code ETARGET >&2; exit 1")
    with pytest.raises(UserError, match=r"thing@2\.0: the npm registry has this version no more"):
        from_npm(NPM, tmp_path / "again")


def test_a_machine_without_npm_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="npm is missing"):
        from_npm(NPM, tmp_path / "file")


def test_pip_is_asked_for_the_other_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def pretend(command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        (Path(command[command.index("--dest") + 1]) / "thing.whl").write_text("wheel")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pretend)
    from_pypi(WHEEL, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "wheel"
    assert {"--no-deps", "manylinux_2_27_aarch64", "thing==3.0"} <= set(asked)
