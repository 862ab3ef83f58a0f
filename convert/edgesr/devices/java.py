"""Java for checks with Android's libraries: edgesr's runtime for phones, compiled, and what runs it.

What is compiled is the very source that apps get (`mobile_runtime`), a runner on top, and the bridge to
TensorFlow Lite, for this machine and for arm64, linked to copies of Android's libraries that run on Linux.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from ..errors import UserError
from .bionic import RENAMED, adapted
from .compiling import HERE, compile_native, cross_compiler

RUNNER = "edgesr.devices.Runner"
JAVA_ARM64 = "usr/lib/jvm/java-17-openjdk-arm64/bin/java"
"""Below the folder that the packages of `java-arm64` are unpacked in."""

_JDK = "usr/lib/jvm/java-17-openjdk-amd64/bin"
_BRIDGE = "libedgesr_jni.so"


def sources() -> Mapping[str, Sequence[Path]]:
    """What is compiled: `java` and `c`."""
    mobile, own = Path(str(files("edgesr_mobile"))), Path(__file__).with_name("native")
    folders = (mobile / "java/src/main", mobile / "java/src/executorch", own / "java")
    java = [path for folder in folders for path in sorted(folder.rglob("*.java"))]
    return {"java": java, "c": sorted((mobile / "native").glob("*.[ch]"))}


def needs_jdk() -> bool:
    """Whether this machine has no Java compiler."""
    return shutil.which("javac") is None


def tool(name: str, part: Path) -> str:
    """`java` or `javac`: the machine's own, or the one that was unpacked in the part's folder."""
    return shutil.which(name) or str(part / "jdk" / _JDK / name)


def build(folder: Path, libraries: Path, devices: Path) -> None:
    """Compiles `classes`, and the bridge for each machine in a folder of its name.

    Args:
        libraries: Android's, as the part `android-libs` holds them.

    Raises:
        UserError: no compiler, or one that refuses.
    """
    found = sources()
    java = [str(path) for path in found["java"]]
    classpath = str(libraries / "classes.jar")
    options = ("--release", "8", "-nowarn", "-Xlint:-options", "-proc:none", "-encoding", "UTF-8")
    command = (tool("javac", folder), *options, "-classpath", classpath, "-d", str(folder / "classes"), *java)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error:" in line), "it says nothing")
        raise UserError(f"the Java runtime cannot be compiled by javac ({said}): a JDK of 11 to 21 is needed")
    c = [str(path) for path in found["c"] if path.suffix == ".c" and path.name != "libc_stub.c"]
    for machine, compiler in (("x86_64", HERE), ("arm64", cross_compiler(devices, "gcc"))):
        bridge = folder / machine / _BRIDGE
        bridge.parent.mkdir()
        tensorflow = libraries / "shim" / machine / "libtensorflowlite_jni.so"
        # `memalign.c` takes the place of a function that the copies ask for under another name.
        flags = ("-std=c11", "-O2", "-fPIC", "-shared", f"-Dmemalign={RENAMED[b'memalign'].decode()}")
        links = (f"-Wl,-soname,{_BRIDGE}", "-Wl,--allow-shlib-undefined", str(tensorflow))
        compile_native((*compiler, *flags, *c, *links, "-o", str(bridge)))
        bridge.write_bytes(adapted(bridge.read_bytes()))


def arguments(devices: Path, machine: str) -> tuple[str, ...]:
    """What follows `java` on the command line, before the runner's own arguments.

    Args:
        machine: `x86_64` or `arm64`.
    """
    own, libraries = devices / "android-java", devices / "android-libs"
    return (
        # Emulated, the shared archive of classes is slow to map; one collector thread is enough anywhere.
        "-Xshare:off", "-XX:+UseSerialGC",
        "-XX:ErrorFile=/dev/null",  # a crash leaves nothing behind
        f"-Djava.library.path={library_path(devices, machine)}",
        "-classpath", f"{own / 'classes'}:{libraries / 'classes.jar'}",
        RUNNER,
    )  # fmt: skip


def library_path(devices: Path, machine: str) -> str:
    """The folders of the bridge and of Android's libraries."""
    return f"{devices / 'android-java' / machine}:{devices / 'android-libs' / 'shim' / machine}"
