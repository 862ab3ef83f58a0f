"""Builds the runtime for Android: its classes, checked against those of API 23, and the bridge for each ABI.

`python build.py OUT --sdk DIR --libs DIR` writes to the folder OUT `edgesr-runtime.jar`;
`edgesr-executorch.jar`, the engine for .pte programs, apart for it needs ExecuTorch's classes; and
`ABI/libedgesr_jni.so`. The other folders are those that `edgesr devices setup android-sdk` and
`edgesr devices setup android-libs` fill; others with the same files will do.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAIN, EXECUTORCH, API_23 = (HERE / "src" / name / "java" for name in ("main", "executorch", "api23"))
NATIVE = HERE.parent / "native"

ABIS = {"arm64-v8a": "aarch64-linux-android23", "x86_64": "x86_64-linux-android23"}
"""Android's name of an instruction set -> clang's target."""

ANDROID_JAR = "root/usr/lib/android-sdk/platforms/android-23/android.jar"
STRICT = ("-Xlint:all", "-Xlint:-options", "-Werror", "-encoding", "UTF-8")
C_FLAGS = (
    *("-std=c11", "-O2", "-fPIC", "-ffreestanding", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"),
    *("-nostdlib", "-shared", "-Wl,--hash-style=both", "-Wl,--no-undefined", "-Wl,-s"),
    "-Wl,-z,max-page-size=16384",  # newer phones have pages of 16 KiB
)


class BuildError(Exception):
    """A tool is missing or refuses; the message holds what it says."""


def build(out: Path, sdk: Path, libraries: Path) -> None:
    """Writes the jar and the bridges.

    Args:
        out: folder to write to; made if needed.
        sdk: with `bin/clang`, `bin/ld.lld`, and Android's classes of API 23 at `ANDROID_JAR`.
        libraries: with `ABI/libtensorflowlite_jni.so`, and ExecuTorch's `classes.jar`.

    Raises:
        BuildError: a tool is missing, or an error in the sources.
    """
    executorch = libraries / "classes.jar"
    check_api(out / "api23", sdk, executorch)
    runtime = out / "edgesr-runtime.jar"
    build_jar([MAIN], runtime, sdk)
    build_jar([EXECUTORCH], out / "edgesr-executorch.jar", sdk, [runtime, executorch])
    for abi in ABIS:
        build_bridge(abi, out / abi, sdk, libraries)


def build_jar(folders: Sequence[Path], jar: Path, sdk: Path, classpath: Iterable[Path] = ()) -> None:
    """Compiles sources and packs their classes, which stay beside the jar."""
    classes = jar.with_suffix("")
    compile_java(folders, classes, sdk, classpath)
    run([tool("jar", sdk), "--create", "--file", jar, "--no-manifest", "-C", classes, "."])


def compile_java(folders: Sequence[Path], classes: Path, sdk: Path, classpath: Iterable[Path] = ()) -> None:
    """Compiles all sources below the folders for Java 8, without a warning, into an empty folder."""
    paths = ":".join(map(str, classpath))
    _javac(folders, classes, sdk, ["--release", "8", *STRICT, "-classpath", paths])


def check_api(scratch: Path, sdk: Path, executorch: Path) -> None:
    """Compiles the runtime against Android's own classes: what API 23 lacks is an error."""
    java_8 = ["-source", "8", "-target", "8"]
    quiet = [*java_8, "-Xlint:-options", "-bootclasspath"]
    _javac([API_23], scratch / "stubs", sdk, [*quiet, sdk / ANDROID_JAR])
    boot = f"{sdk / ANDROID_JAR}:{scratch / 'stubs'}"
    flags = [*java_8, *STRICT, "-bootclasspath", boot, "-classpath", executorch]
    _javac([MAIN, EXECUTORCH], scratch / "classes", sdk, flags)


def build_bridge(abi: str, folder: Path, sdk: Path, libraries: Path, defines: Sequence[str] = ()) -> Path:
    """Compiles `libedgesr_jni.so` without an NDK: it calls TensorFlow Lite and five functions of libc.

    Args:
        defines: macros for the C compiler, as `NAME=VALUE`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clang = [sdk / "bin/clang", f"--target={ABIS[abi]}", f"--ld-path={sdk / 'bin/ld.lld'}", *C_FLAGS]
    # Linked to a stand-in under the name of Android's libc: only the names in it count.
    stand_in = folder / "stand-in" / "libc.so"
    stand_in.parent.mkdir(exist_ok=True)
    run([*clang, "-Wl,-soname,libc.so", "-o", stand_in, NATIVE / "libc_stub.c"])
    bridge = folder / "libedgesr_jni.so"
    sources = [NATIVE / "edgesr_jni.c", NATIVE / "memalign.c"]
    tensorflow = libraries / abi / "libtensorflowlite_jni.so"
    link = ["-Wl,-soname,libedgesr_jni.so", "-Wl,--allow-shlib-undefined", tensorflow, stand_in]
    run([*clang, *(f"-D{define}" for define in defines), "-o", bridge, *sources, *link])
    shutil.rmtree(stand_in.parent)
    return bridge


def tool(name: str, sdk: Path) -> Path:
    """A tool of the JDK: the machine's own, or the one beside the other tools.

    Raises:
        BuildError: there is neither.
    """
    found = shutil.which(name) or shutil.which(name, path=str(sdk / "bin"))
    if found is None:
        raise BuildError(f"{name} is missing: install a JDK, 11 or newer")
    return Path(found)


def run(command: Sequence[object]) -> None:
    """Runs a command in silence.

    Raises:
        BuildError: it fails, or does not exist.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"{words[0]} does not start: {error.strerror}") from error
    if done.returncode:
        raise BuildError(f"{Path(words[0]).name} fails:\n{done.stdout}{done.stderr}".rstrip())


def _javac(folders: Sequence[Path], classes: Path, sdk: Path, options: Sequence[object]) -> None:
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    sources = sorted(path for folder in folders for path in folder.rglob("*.java"))
    run([tool("javac", sdk), "-proc:none", *options, "-d", classes, *sources])


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds edgesr's runtime for Android.")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--sdk", type=Path, required=True, help="edgesr devices setup android-sdk")
    parser.add_argument("--libs", type=Path, required=True, help="edgesr devices setup android-libs")
    arguments = parser.parse_args()
    try:
        build(arguments.out, arguments.sdk, arguments.libs)
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
