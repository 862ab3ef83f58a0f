"""Whole files or none."""

import errno
import os
import stat
from pathlib import Path

import pytest

from edgesr_runtime.errors import UserError
from edgesr_runtime.files import check_writable, write_atomically


def test_writes_text_as_utf8_and_bytes_as_they_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.txt", "größer\n")
    write_atomically(tmp_path / "b.bin", b"\r\n\x00")
    assert (tmp_path / "a.txt").read_bytes() == "größer\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\r\n\x00"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.bin"]


def test_follows_the_umask_and_keeps_an_older_files_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a"
    before = os.umask(0o027)
    try:
        write_atomically(target, "1")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        target.chmod(0o604)
        write_atomically(target, "2")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_writes_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"


def test_writes_to_a_device_directly() -> None:
    write_atomically("/dev/null", "gone")
    check_writable("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("write", [lambda p: write_atomically(p, b"x"), check_writable])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/file", "folder does not exist"),
        (".", "it is a folder"),
        ("plain/file", "not a folder"),
        ("a" * 300, "too long"),
        ("nul\0", "null"),
        ("caf\udce9", "surrogates not allowed"),
    ],
)
def test_says_why_it_cannot_write(tmp_path: Path, write, name: str, reason: str) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(UserError, match=reason) as caught:
        write(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["plain"]


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "permission"), (errno.EROFS, "read-only"), (errno.EIO, "nput/output")],
)
def test_names_other_refusals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UserError, match=reason):
        write_atomically(tmp_path / "a", "x")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.replace"])
def test_keeps_the_older_file_whole_when_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, interruption: BaseException
) -> None:
    def stop(*_: object) -> None:
        raise interruption

    target = tmp_path / "a"
    target.write_text("old")
    monkeypatch.setattr(moment, stop)
    expected = UserError if isinstance(interruption, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_check_leaves_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "a"
    check_writable(target)
    assert not list(tmp_path.iterdir())
