"""`make test-java`: builds the Java runtime and holds it to the specification and to the Python runtime.

The pure tests run on any Java virtual machine. For the others Android's own libraries for x86-64 run in it,
as copies that find Linux's C library (`edgesr.devices.bionic`), TensorFlow Lite under the bridge that phones
get; the Python runtime says what whole pictures must look like.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgesr.devices.bionic import RENAMED, adapted
from edgesr.devices.setups import setup
from edgesr.errors import UserError

sys.path.insert(0, str(Path(__file__).parents[2] / "mobile_runtime" / "java"))
import build

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "java"
VECTORS = ROOT / "mobile_runtime" / "vectors"
TESTS = ROOT / "mobile_runtime" / "java" / "src"
FOLDERS = (TESTS / "test" / "java", TESTS / "executorchTest" / "java")
NATIVE_TESTS = ("edgesr.runtime.TfLiteEngineTest", "edgesr.runtime.ExecuTorchEngineTest")
JARS = ("junit4", "hamcrest-all", "hamcrest")
ABI = "x86_64"

# `memalign.c` takes the place of libc's function, which test copies ask for under another name.
INTERPOSED = f"memalign={RENAMED[b'memalign'].decode()}"


def main() -> None:
    sdk, libraries = (setup(name, announce) for name in ("android-sdk", "android-libs"))
    say("building")
    build.build(OUT, sdk, libraries)
    runtime = [OUT / "edgesr-runtime.jar", OUT / "edgesr-executorch.jar", libraries / "classes.jar"]
    runtime += [sdk / "root/usr/share/java" / f"{name}.jar" for name in JARS]
    classes = OUT / "test-classes"
    build.compile_java(FOLDERS, classes, sdk, runtime)
    native = adapt(OUT / "linux", sdk, libraries)
    say("asking Python for whole pictures")
    expected = OUT / "expected"
    shutil.rmtree(expected, ignore_errors=True)
    expected.mkdir()
    build.run([sys.executable, Path(__file__).with_name("expected.py"), expected])
    settings = (
        f"-Dedgesr.vectors={VECTORS}",
        f"-Dedgesr.expected={expected}",
        f"-Djava.library.path={native}",
    )
    classpath = ":".join(str(path) for path in (classes, *runtime))
    java = (str(build.tool("java", sdk)), "-Xcheck:jni", *settings, "-classpath", classpath)
    say("testing")
    pure = sorted({name for folder in FOLDERS for name in test_classes(folder)} - set(NATIVE_TESTS))
    test(java, pure, {})
    for name in NATIVE_TESTS:  # one library in a process, as in an app
        test(java, [name], {"LD_LIBRARY_PATH": str(native), "SHIM_QUIET": "1"})


def test_classes(folder: Path) -> list[str]:
    return [".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.rglob("*Test.java")]


def adapt(folder: Path, sdk: Path, libraries: Path) -> Path:
    """Fills a folder with copies of Android's library and the bridge that load on Linux."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(libraries / "shim" / ABI, folder)
    bridge = build.build_bridge(ABI, OUT / "bridge", sdk, libraries, [INTERPOSED])
    (folder / bridge.name).write_bytes(adapted(bridge.read_bytes()))
    return folder


def test(java: Sequence[str], names: Sequence[str], environment: Mapping[str, str]) -> None:
    """Runs test classes; what native libraries chat about is shown only if one fails."""
    command = (*java, "org.junit.runner.JUnitCore", *names)
    done = subprocess.run(
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        sys.exit("the Java runtime fails its tests")


def announce(name: str, steps: int | None) -> object:
    say(name)
    return lambda note: None


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except (build.BuildError, UserError) as error:
        sys.exit(str(error))
