"""The tools that build the app: `edgesr devices setup android-sdk` and `android-libs` bring them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesr.devices.setups import setup
from edgesr.errors import UserError

ROOT = Path(__file__).parents[2]
APP = ROOT / "android_demo/app/src"
RUNTIME = ROOT / "mobile_runtime/java"
ABIS = ("arm64-v8a", "x86_64")
PACKAGE = "dev.edgesr.demo"
"""Of the sources."""
MIN_SDK = 26
TARGET_SDK = 34


@dataclass(frozen=True)
class Tools:
    """Where things are.

    Attributes:
        sdk: the folder of the setup `android-sdk`.
        libraries: the folder of the setup `android-libs`.
        work: scratch of this build, emptied at its start.
    """

    sdk: Path
    libraries: Path
    work: Path

    @property
    def android_jar(self) -> Path:
        """API 23, the newest that Debian has: what is not in it cannot be called."""
        return self.sdk / "root/usr/lib/android-sdk/platforms/android-23/android.jar"

    @property
    def framework(self) -> Path:
        """Resources of API 34, against which ours are linked."""
        return self.sdk / "root/usr/share/android-framework-res/framework-res.apk"

    def path(self, name: str) -> str:
        """A tool of the setup, or, for those of the JDK, the machine's own."""
        own = self.sdk / "bin" / name
        found = str(own) if own.exists() else shutil.which(name)
        if found is None:
            raise UserError(f"{name} is missing: install it, or run `edgesr devices setup android-sdk` again")
        return found

    def run(self, name: str, *arguments: str | Path) -> str:
        """Runs a tool and gives what it prints.

        Raises:
            UserError: it fails; the message ends with what it said.
        """
        return run([self.path(name), *map(str, arguments)])


def run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise UserError(f"{Path(command[0]).name} fails:\n{said[-4000:]}")
    return done.stdout


def find_tools(work: Path) -> Tools:
    """Downloads what is missing, seconds where nothing is.

    Raises:
        UserError: which package cannot be had, why, and what to do.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return Tools(setup("android-sdk", _stage), setup("android-libs", _stage), work)


def _stage(name: str, steps: int | None) -> Callable[[str], object]:
    say(name)
    return lambda note: None


def say(what: str) -> None:
    os.write(1, f"{what}\n".encode())


def sources(*folders: Path) -> list[Path]:
    """All Java files under some folders, in a fixed order."""
    return sorted(path for folder in folders for path in folder.rglob("*.java"))
