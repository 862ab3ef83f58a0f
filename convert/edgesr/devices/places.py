"""Where a program can be run besides this machine's own runtime: a table, and the words for each place.

Emulated means: the very machine code for that CPU, executed by qemu; its numbers count, its speed does not.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..errors import UserError
from . import java
from .downloads import devices_folder
from .parts import EMULATOR, PYTHON

HOST = "host"
CPUS = {
    "cortex-a53": "Arm Cortex-A53",
    "cortex-a76": "Arm Cortex-A76",
    "cortex-a710": "Arm Cortex-A710",
}
"""qemu's name -> ours: without dot products, with them, with int8 matrix multiplication."""
DEFAULT_CPU = "cortex-a76"
LEAST_QEMU = 10


@dataclass(frozen=True)
class Place:
    """One place to run programs at.

    Attributes:
        device: `arm64` or `android-libs`, as `--on` takes it.
        title: for people; says what is emulated and whose library runs.
        cpu: that is emulated; "" where nothing is.
    """

    device: str
    title: str
    cpu: str = ""

    @property
    def emulated(self) -> bool:
        return bool(self.cpu)

    @property
    def android(self) -> bool:
        """Whether Android's libraries run there; else LiteRT's and ExecuTorch's wheels."""
        return self.device == "android-libs"

    @property
    def machine(self) -> str:
        """The instruction set, as the folders of Android's libraries are named here."""
        return "arm64" if self.emulated else "x86_64"

    @property
    def setups(self) -> tuple[str, ...]:
        """What must be set up for it."""
        needed = ("arm64",) if self.emulated else ()
        return (*needed, "android-libs", "android-java") if self.android else needed

    def python(self) -> "Command":
        """What runs a Python script there, with the engine at hand."""
        shim = devices_folder() / "android-libs" / "shim" / self.machine
        own = {"SHIM_QUIET": "1", "LD_LIBRARY_PATH": str(shim)} if self.android else {}
        if not self.emulated:
            return Command((sys.executable,), own)
        arm64 = devices_folder() / "debian-arm64"
        paths = {"PYTHONPATH": str(arm64 / "site"), "PYTHONHOME": str(arm64 / "root/usr")}
        return Command((*self._emulator(own | paths), str(arm64 / PYTHON)))

    def java(self) -> "Command":
        """What runs a Java program there, with Android's libraries: the runner, which takes its arguments."""
        devices = devices_folder()
        own = {"SHIM_QUIET": "1", "LD_LIBRARY_PATH": java.library_path(devices, self.machine)}
        arguments = java.arguments(devices, self.machine)
        if not self.emulated:
            return Command((java.tool("java", devices / "android-java"), *arguments), own)
        return Command((*self._emulator(own), str(devices / "java-arm64" / java.JAVA_ARM64), *arguments))

    def method_runner(self) -> "Command":
        """What runs one method of a .pte program there."""
        if self.android:
            command = self.java()
            return Command((*command.words, "method"), command.settings)
        return Command((*self._emulator({}), str(devices_folder() / "debian-arm64" / "pte_runner")))

    def _emulator(self, settings: Mapping[str, str]) -> Sequence[str]:
        """The emulator, and the environment of what it runs, which is not the emulator's own."""
        qemu = devices_folder() / "qemu" / EMULATOR
        refuse_old(qemu)
        words = [word for name, value in settings.items() for word in ("-E", f"{name}={value}")]
        return str(qemu), "-cpu", self.cpu, "-L", str(devices_folder() / "debian-arm64" / "root"), *words


@dataclass(frozen=True)
class Command:
    """A command line and what it adds to the environment."""

    words: Sequence[str]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "OMP_NUM_THREADS": "1", **self.settings}


def places(devices: Sequence[str], cpus: Sequence[str] = (DEFAULT_CPU,)) -> tuple[Place, ...]:
    """The places that `--on` and `--cpu` ask for, besides this machine.

    Raises:
        UserError: a name that is none of them.
    """
    for flag, given, known in (("--on", devices, (HOST, *_PLACES)), ("--cpu", cpus, CPUS)):
        for name in given:
            if name not in known:
                raise UserError(f"{flag} {name}: give some of {','.join(known)}")
        if not given:
            raise UserError(f"{flag}: give some of {','.join(known)}")
    found = (place for name in devices if name != HOST for place in _PLACES[name](cpus))
    return tuple(dict.fromkeys(found))


def _arm64(cpus: Sequence[str]) -> list[Place]:
    return [Place("arm64", f"{CPUS[cpu]}, emulated", cpu) for cpu in cpus]


def _android(cpus: Sequence[str]) -> list[Place]:
    native = Place("android-libs", "Android's library, x86-64, on this host")
    titles = {cpu: f"Android's library, arm64, on an emulated {CPUS[cpu]}" for cpu in cpus}
    return [native, *(Place("android-libs", title, cpu) for cpu, title in titles.items())]


_PLACES = {"arm64": _arm64, "android-libs": _android}
DEVICES = (HOST, *_PLACES)


@cache
def refuse_old(qemu: Path) -> None:
    """Raises UserError for an emulator that is missing or too old."""
    again = f"remove {qemu.parent} and run `edgesr devices setup arm64`"
    try:
        done = subprocess.run((str(qemu), "--version"), capture_output=True, text=True, check=False)
    except OSError as error:
        raise UserError(f"the emulator {qemu} does not start ({error.strerror}): {again}") from error
    version = re.search(r"version (\d+)\.(\d+)", done.stdout)
    if version is None or int(version[1]) < LEAST_QEMU:
        found = "of an unknown version" if version is None else f"{version[1]}.{version[2]}"
        raise UserError(
            f"the emulator {qemu} is qemu {found}: older ones than {LEAST_QEMU} crash in the runtimes' "
            f"kernels: {again}"
        )
