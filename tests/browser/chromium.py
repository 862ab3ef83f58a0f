"""Where the browser and its driver are: on PATH, or where `make test-browser` has put them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLED = Path(__file__).parents[2] / ".cache" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 180


def drive(report: Path, shots: Path) -> str:
    """What `drive.mjs` prints about a report."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("the browser tests need Node.js 20 or newer: install it")
    if not (INSTALLED / "node_modules" / "playwright-core").is_dir():
        pytest.fail("playwright-core is not there: run `make test-browser`, which fetches it")
    browser, environment = _browser()
    command = [node, HERE / "drive.mjs", INSTALLED, browser, report, shots]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _browser() -> tuple[Path, dict[str, str]]:
    """Chromium, and the environment that it needs."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found), dict(os.environ)
    unpacked = INSTALLED / "root" / "usr"
    program = unpacked / "lib" / "chromium" / "chromium"
    if not program.is_file():
        pytest.fail(
            f"there is no Chromium ({', '.join(NAMES)}) on PATH: install it, or run `make test-browser`"
        )
    libraries = [str(folder) for folder in unpacked.glob("lib/*-linux-gnu")]
    libraries += [f"{folder}/pulseaudio" for folder in libraries]
    paths = {"LD_LIBRARY_PATH": ":".join(libraries), "XDG_DATA_HOME": str(unpacked / "share")}
    return program, {**os.environ, **paths}
