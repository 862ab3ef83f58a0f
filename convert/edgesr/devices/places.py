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
from ..lowering.targets import TFLITE
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
        engine: what `runner.py` loads.
        cpu: that is emulated; "" where nothing is.
    """

    device: str
    title: str
    engine: str
    cpu: str = ""

    @property
    def emulated(self) -> bool:
        return bool(self.cpu)

    @property
    def setups(self) -> tuple[str, ...]:
        """What must be set up for it."""
        needed = ("arm64",) if self.emulated else ()
        return (*needed, "android-libs") if self.device == "android-libs" else needed

    def runs(self, target: str) -> bool:
        """Whether programs of a format are run there; Android's library for .pte files needs a Java VM."""
        return target == TFLITE.name or self.engine == "litert"

    def python(self) -> "Command":
        """What runs a Python script there, with the engine at hand."""
        shim = devices_folder() / "android-libs" / "shim" / ("arm64" if self.emulated else "x86_64")
        own = {"SHIM_QUIET": "1", "LD_LIBRARY_PATH": str(shim)} if self.engine == "android" else {}
        if not self.emulated:
            return Command((sys.executable,), own)
        arm64 = devices_folder() / "debian-arm64"
        paths = {"PYTHONPATH": str(arm64 / "site"), "PYTHONHOME": str(arm64 / "root/usr")}
        settings = [word for name, value in (own | paths).items() for word in ("-E", f"{name}={value}")]
        return Command((*self._emulator(), *settings, str(arm64 / PYTHON)))

    def pte_runner(self) -> "Command":
        """What runs .pte programs there."""
        return Command((*self._emulator(), str(devices_folder() / "debian-arm64" / "pte_runner")))

    def _emulator(self) -> Sequence[str]:
        qemu = devices_folder() / "qemu" / EMULATOR
        refuse_old(qemu)
        return str(qemu), "-cpu", self.cpu, "-L", str(devices_folder() / "debian-arm64" / "root")


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
    return [Place("arm64", f"{CPUS[cpu]}, emulated", "litert", cpu) for cpu in cpus]


def _android(cpus: Sequence[str]) -> list[Place]:
    native = Place("android-libs", "Android's library, x86-64, on this host", "android")
    titles = {cpu: f"Android's library, arm64, on an emulated {CPUS[cpu]}" for cpu in cpus}
    return [native, *(Place("android-libs", title, "android", cpu) for cpu, title in titles.items())]


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
