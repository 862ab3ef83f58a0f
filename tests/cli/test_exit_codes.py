"""What ends a command, and the code that it leaves with."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import QUICK, Command

from edgesr.cli import main
from edgesr.errors import UserError

SLEEPER = """
import time
from pathlib import Path


def make():
    Path("started").touch()
    time.sleep(60)
"""


def test_an_interrupted_conversion_leaves_the_older_file_whole(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    output = tmp_path / "out.tflite"
    output.write_bytes(b"older")
    # A test runner that was started in the background hands down an ignored SIGINT.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from edgesr.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "convert", "sleeper:make", "-o", str(output)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines() == ["edgesr: interrupted: existing files are as they were"]
    assert output.read_bytes() == b"older"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {
        "sleeper.py",
        "started",
        "out.tflite",
    }


def test_a_failed_gate_is_1_and_writes_the_program(command: Command, tmp_path: Path, photos: Path) -> None:
    output = tmp_path / "x.tflite"
    # Four bits lose visibly on any picture; eight may gain by chance.
    flags = ("-o", output, "--calib", photos, *QUICK, "--bits", "w4a8", "--no-tune", "--max-drop", "0")
    outcome = command("convert", "plain", *flags)
    assert outcome.code == 1
    assert "FAILED" in outcome.out
    assert "the gate failed: it loses" in outcome.err
    assert output.exists()
    outcome = command("check", output, "--reference", "plain", "--images", photos, "--max-drop", "0")
    assert outcome.code == 1
    assert command("inspect", output).code == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("a\nb"), "a b"),
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."), "memory"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "full"),
        (OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "aaa"), "aaa: this name is too long"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "locked"), "locked: no permission"),
        (ModuleNotFoundError("x", name="ai_edge_litert.interpreter"), "pip install 'edgesr[tflite]'"),
        (ModuleNotFoundError("x", name="executorch.runtime"), "pip install 'edgesr[executorch]'"),
    ],
)
def test_the_users_errors_are_one_line(error: Exception, words: str) -> None:
    line = main.in_one_line(error)
    assert line is not None
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        RuntimeError("x"),
        OSError(errno.EBADF, "x"),
        KeyError("x"),
        ImportError("x", name="flatbuffers"),
        ModuleNotFoundError("x", name="edgesr.gone"),
    ],
)
def test_bugs_are_not_hidden(error: Exception) -> None:
    assert main.in_one_line(error) is None


def test_a_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("edgesr.conversion.convert", broken)
    with pytest.raises(ZeroDivisionError):
        main.run(["convert", "plain", "-o", str(tmp_path / "x")])
