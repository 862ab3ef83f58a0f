"""What a phone runs is read back from the app's dex file and tested with Android's own x86-64 libraries."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from apk.flavours import Flavour
from apk.tools import APP, RUNTIME, Tools

ROOT = Path(__file__).parents[2]
ROOMY = "-Xss8m"
"""A class that was read back from dex asks for ten times the stack that it needs."""
APP_NATIVE = {"dev.edgesr.demo.BundledProgramsTest"}
RUNTIME_TESTS = {"tflite": ("test",), "executorch": ("test", "executorchTest")}
ENGINE_TESTS = {
    "tflite": "edgesr.runtime.TfLiteEngineTest",
    "executorch": "edgesr.runtime.ExecuTorchEngineTest",
}


def load(path: Path) -> ModuleType:
    """A script as a module under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"edgesr_tests_java_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def runtime_tests(apk: Path) -> ModuleType:
    """How `make test-java` tests the runtime."""
    return load(ROOT / "tests/java/run.py")


@pytest.fixture(scope="session")
def from_dex(apk: Path, tools: Tools) -> Path:
    """The app's classes as a jar again."""
    with zipfile.ZipFile(apk) as archive:
        archive.extract("classes.dex", tools.work)
        archive.extractall(tools.work / "apk", [name for name in archive.namelist() if "assets/" in name])
    jar = tools.work / "from-dex.jar"
    said = tools.run("enjarify", "-f", "-o", jar, tools.work / "classes.dex")
    assert "0 classes had errors" in said
    return jar


@pytest.fixture(scope="session")
def junit(tools: Tools) -> list[Path]:
    jars = tools.sdk / "root/usr/share/java"
    return [jars / f"{name}.jar" for name in ("junit4", "hamcrest-all", "hamcrest")]


@pytest.fixture(scope="session")
def linux(runtime_tests: ModuleType, tools: Tools) -> dict[str, str]:
    """An environment in which Android's libraries and the bridge load on Linux."""
    folder = runtime_tests.adapt(tools.work / "linux", tools.sdk, tools.libraries)
    return {"LD_LIBRARY_PATH": str(folder), "SHIM_QUIET": "1"}


def shortened(said: str) -> str:
    """Without the traces, of which one may hide the next failure."""
    return "\n".join(line for line in said.splitlines() if not line.startswith("\tat "))


def run_junit(
    tools: Tools, classpath: list[Path], tests: set[str], options: list[str], environment: Mapping[str, str]
) -> None:
    command = [tools.path("java"), "-Xcheck:jni", ROOMY, "-cp", ":".join(map(str, classpath)), *options]
    if "LD_LIBRARY_PATH" in environment:
        command.append(f"-Djava.library.path={environment['LD_LIBRARY_PATH']}")
    done = subprocess.run(
        [*command, "org.junit.runner.JUnitCore", *sorted(tests)],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, shortened(done.stdout) + done.stderr[-2000:]
    assert "\nOK (" in done.stdout


@pytest.fixture(scope="session")
def before_dex(apk: Path, flavour: Flavour) -> Path:
    """The same classes before dx: a dex read back forgets which class is inside which, and javac asks."""
    return apk.parent / "android" / flavour.name / "app.jar"


def compiled(tools: Tools, folders: list[Path], name: str, classpath: list[Path]) -> tuple[Path, set[str]]:
    """Compiles tests; gives their folder and the names of their classes."""
    classes = tools.work / name
    files = [path for folder in folders for path in sorted(folder.rglob("*.java"))]
    tools.run("javac", "--release", "8", "-nowarn", "-Xlint:-options", "-proc:none",
              "-cp", ":".join(map(str, classpath)), "-d", classes, *files)  # fmt: skip
    tests = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for folder in folders
        for path in folder.rglob("*Test.java")
    }
    return classes, tests


def test_the_app_itself(
    from_dex: Path, before_dex: Path, tools: Tools, junit: list[Path], linux: dict[str, str]
) -> None:
    """Its own logic, and every bundled program on every bundled picture against the golden one."""
    folders = [APP / "test/java", APP / "testHost/java"]
    classes, tests = compiled(tools, folders, "app-tests", [before_dex, *junit])
    assert tests > APP_NATIVE
    assets = f"-Dedgesr.assets={tools.work}/apk/assets"
    classpath = [classes, from_dex, *junit]
    run_junit(tools, classpath, tests - APP_NATIVE, [], {})
    run_junit(tools, classpath, APP_NATIVE, [assets], linux)


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Python runtime makes of programs and pictures."""
    folder = tmp_path_factory.mktemp("expected")
    subprocess.run([sys.executable, str(ROOT / "tests/java/expected.py"), str(folder)], check=True)
    return folder


def test_the_runtime_in_it(
    from_dex: Path,
    before_dex: Path,
    expected: Path,
    flavour: Flavour,
    tools: Tools,
    junit: list[Path],
    linux: dict[str, str],
) -> None:
    """The tests of `make test-java`, on the classes that the app carries."""
    folders = [RUNTIME / "src" / name / "java" for name in RUNTIME_TESTS[flavour.name]]
    classes, tests = compiled(tools, folders, "runtime-tests", [before_dex, *junit])
    options = [f"-Dedgesr.vectors={ROOT}/mobile_runtime/vectors", f"-Dedgesr.expected={expected}"]
    classpath = [classes, from_dex, *junit]
    run_junit(tools, classpath, tests - set(ENGINE_TESTS.values()), options, {})
    run_junit(tools, classpath, {ENGINE_TESTS[flavour.name]}, options, linux)
