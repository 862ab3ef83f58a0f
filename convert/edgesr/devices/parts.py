"""Making the parts of a device out of downloaded files: unpacking, picking, compiling. Nothing is installed.

Every part is made in a folder of its own, which gets its name only when it is whole (see `setups`).
"""

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from ..errors import UserError
from . import java
from .bionic import adapted
from .compiling import HERE, PTE_RUNNER, SHIM, build_pte_runner, build_shim, cross_compiler
from .pins import Pin, pins
from .toolchain import write_wrappers

Files = Mapping[Pin, Path]
BIONIC = Path(__file__).with_name("bionic.py")
EMULATOR = "qemu-aarch64"
PYTHON = "root/usr/bin/python3.11"
ABIS = {"arm64-v8a": "arm64", "x86_64": "x86_64"}
"""Android's name of an instruction set -> the name of its folder under `shim`."""


@dataclass(frozen=True)
class Part:
    """A folder under `devices`.

    Attributes:
        pinned: names of the lists of pins that it needs.
        make: (downloaded files, new folder, folder of all devices) -> None.
        key: a file that must be there.
        compiled: gives the sources that it is compiled from.
        version: raised when `make` gives something else from the same files.
    """

    name: str
    pinned: Callable[[], Sequence[str]]
    make: Callable[[Files, Path, Path], None]
    key: str
    compiled: Callable[[], Sequence[Path]] = tuple
    version: int = 1

    @property
    def pins(self) -> tuple[Pin, ...]:
        return tuple(pin for name in self.pinned() for pin in pins(name))

    @property
    def mark(self) -> str:
        """What a finished folder must say so that it is this part, made by this edgesr."""
        digest = sha256(f"{self.version}".encode())
        for source in self.compiled():
            digest.update(source.read_bytes())
        for pin in self.pins:
            digest.update(pin.sha256.encode())
        return digest.hexdigest()


def _make_qemu(files: Files, folder: Path, devices: Path) -> None:
    """The emulator of 64-bit Arm out of the package with all of them."""
    (package,) = files.values()
    tree = folder / "all"
    unpack_debian([package], tree)
    shutil.move(tree / "usr/bin" / EMULATOR, folder / EMULATOR)
    shutil.rmtree(tree)


def _make_arm64(files: Files, folder: Path, devices: Path) -> None:
    """Python 3.11 and what it needs under `root`, wheels under `site`, and the runner of .pte programs."""
    unpack_debian(_of(files, "debian"), folder / "root")
    for wheel in _of(files, "pypi"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
    build_pte_runner(cross_compiler(devices, "g++"), folder / "site" / "executorch", folder / "pte_runner")


def _make_tree(files: Files, folder: Path, devices: Path) -> None:
    unpack_debian(_of(files, "debian"), folder)


def _make_sdk(files: Files, folder: Path, devices: Path) -> None:
    unpack_debian(_of(files, "debian"), folder / "root")
    write_wrappers(folder)


LIBRARIES = {
    "react-native-fast-tflite": {
        "package/android/src/main/cpp/lib/tensorflow/jni/{abi}/libtensorflowlite_jni.so": "{abi}/",
    },
    "react-native-executorch": {
        "package/third-party/android/libs/executorch/{abi}/libexecutorch.so": "{abi}/",
        "package/android/libs/classes.jar": "",
    },
}
"""npm package -> path in it -> folder in ours."""
AAR = "package/android/com/facebook/react/react-native/0.70.15/react-native-0.70.15-release.aar"
IN_AAR = ("libfbjni.so", "libc++_shared.so")


def _make_libraries(files: Files, folder: Path, devices: Path) -> None:
    """The libraries as they come, one folder for each ABI; under `shim`, copies that run on plain Linux."""
    for abi in ABIS:
        (folder / abi).mkdir()
    for pin, path in files.items():
        package = pin.place.partition("@")[0]
        with tarfile.open(path) as archive:
            for source, target in LIBRARIES.get(package, {}).items():
                for abi in ABIS if "{abi}" in source else ("",):
                    place = folder / target.format(abi=abi) / Path(source).name
                    place.write_bytes(_member(archive, source.format(abi=abi)))
            if package == "react-native":
                _take_from_aar(_member(archive, AAR), folder)
    for abi, machine in ABIS.items():
        shim = folder / "shim" / machine
        shim.mkdir(parents=True)
        for library in (folder / abi).glob("*.so"):
            (shim / library.name).write_bytes(adapted(library.read_bytes()))
        build_shim(cross_compiler(devices, "gcc") if machine == "arm64" else HERE, shim)


def _take_from_aar(aar: bytes, folder: Path) -> None:
    with zipfile.ZipFile(BytesIO(aar)) as archive:
        for abi in ABIS:
            for name in IN_AAR:
                (folder / abi / name).write_bytes(archive.read(f"jni/{abi}/{name}"))


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None  # the archive's hash is known
    return stream.read()


def _of(files: Files, source: str) -> list[Path]:
    return [path for pin, path in files.items() if pin.source == source]


def unpack_debian(packages: Sequence[Path], folder: Path) -> None:
    """Unpacks .deb files into one tree; links to absolute paths are turned to point inside it.

    Raises:
        UserError: dpkg-deb is missing, or fails, for instance on a full disk.
    """
    if shutil.which("dpkg-deb") is None:
        raise UserError("dpkg-deb is missing: device checks need a Debian system, or one of its kin")
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        command = ("dpkg-deb", "-x", str(package), str(folder))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            title = package.name.partition("-")[2]
            raise UserError(f"{title} cannot be unpacked ({last}): free some space and run this again")
    for link in [path for path in folder.rglob("*") if path.is_symlink() and path.readlink().is_absolute()]:
        inside = folder / link.readlink().relative_to("/")
        if inside.exists() or inside.is_symlink():
            link.unlink()
            link.symlink_to(os.path.relpath(inside, link.parent))


def _make_java(files: Files, folder: Path, devices: Path) -> None:
    if files:
        unpack_debian(_of(files, "debian"), folder / "jdk")
    java.build(folder, devices / "android-libs", devices)


def _java_sources() -> Sequence[Path]:
    return [path for paths in java.sources().values() for path in paths]


def _jdk_pins() -> tuple[str, ...]:
    """A JDK only where the machine has none."""
    return ("jdk",) if java.needs_jdk() else ()


PARTS = {
    part.name: part
    for part in (
        Part("qemu", lambda: ("qemu",), _make_qemu, EMULATOR),
        Part("debian-arm64", lambda: ("debian-arm64",), _make_arm64, PYTHON, lambda: (PTE_RUNNER,)),
        Part("cross-arm64", lambda: ("cross-arm64",), _make_tree, "usr/bin/aarch64-linux-gnu-gcc-12"),
        Part(
            "android-libs",
            lambda: ("android-libs",),
            _make_libraries,
            "shim/x86_64/libandroid.so",
            lambda: (SHIM, BIONIC),
            version=2,
        ),
        Part("java-arm64", lambda: ("java-arm64",), _make_tree, java.JAVA_ARM64),
        Part("android-java", _jdk_pins, _make_java, "arm64/libedgesr_jni.so", _java_sources),
        Part("android-sdk", lambda: ("android-sdk", *_jdk_pins()), _make_sdk, "bin/aapt2"),
    )
}
