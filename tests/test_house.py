"""The house's rules: imports run one way, files stay small, the wheel holds what it must."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    "edgesr": ROOT / "convert" / "edgesr",
    "edgesr_runtime": ROOT / "mobile_runtime/python/edgesr_runtime",
}
LONGEST = 400

ROOMS: dict[str, set[str]] = {
    "edgesr_runtime": set(),
    "defaults": set(),
    "errors": {"edgesr_runtime"},
    "graph": {"edgesr_runtime", "errors"},
    "networks": {"edgesr_runtime", "errors"},
    "evaluation": {"edgesr_runtime", "errors"},
    "quantization": {"edgesr_runtime", "errors", "graph"},
    "lowering": {"edgesr_runtime", "errors", "graph", "quantization"},
    "cache": set(),
    "devices": {"edgesr_runtime", "errors", "cache", "graph", "quantization", "lowering"},
}
"""Room -> the rooms that it may import; a room is a file or package directly under edgesr."""

WORK = {*ROOMS, "steps", "conversion"}
ALLOWED = {
    **ROOMS,
    "steps": set(ROOMS),
    "report": set(ROOMS),
    "conversion": {*WORK, "report"},
    "checking": {*WORK, "report"},
    "upscaling": WORK,
    "simulating": WORK,
    "benching": WORK,
    "cli": {*WORK, "report", "checking", "upscaling", "simulating", "benching"},
    "__main__": {"cli"},
}


def files() -> list[Path]:
    return sorted(path for folder in SOURCES.values() for path in folder.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, wherever it does."""
    distribution, folder = next((n, f) for n, f in SOURCES.items() if path.is_relative_to(f))
    package = [distribution, *path.relative_to(folder).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room(name: str) -> str | None:
    """The room that a module's name belongs to; None for other people's modules."""
    first, _, rest = name.partition(".")
    if first == "edgesr":
        return rest.partition(".")[0] or None
    return first if first in SOURCES else None


def room_of(path: Path) -> str:
    if path.is_relative_to(SOURCES["edgesr_runtime"]):
        return "edgesr_runtime"
    return path.relative_to(SOURCES["edgesr"]).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = room_of(path)
    if own == "__init__":
        assert not list(imported(path))
        return
    rooms = {found for name in imported(path) if (found := room(name)) and found != own}
    assert rooms <= ALLOWED[own], f"{own} must not import {sorted(rooms - ALLOWED[own])}"


def test_the_rules_see_what_they_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "edgesr"
    (folder / "graph").mkdir(parents=True)
    path = folder / "graph" / "bad.py"
    path.write_text(
        "from ..cli import main\nfrom .. import lowering\nimport edgesr.devices.host\nfrom . import x\n"
    )
    monkeypatch.setitem(SOURCES, "edgesr", folder)
    assert [room(name) for name in imported(path)] == ["cli", "lowering", "devices", "graph"]


def test_every_room_has_a_rule() -> None:
    entries = {path.name.removesuffix(".py") for path in SOURCES["edgesr"].iterdir() if path.name[0] != "_"}
    assert entries <= set(ALLOWED)


def project_files() -> list[Path]:
    folders = ("convert", "mobile_runtime", "android_demo", "calib_data", "training", "benchmarks", "tests")
    return [path for name in folders for path in (ROOT / name).rglob("*.py")]


def test_files_stay_small() -> None:
    long = {p.name: n for p in project_files() if (n := len(p.read_text().splitlines())) > LONGEST}
    assert not long


def test_nothing_imports_torchvision() -> None:
    for path in project_files():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "torchvision" for name in names), path


def test_every_package_is_found_by_the_build() -> None:
    """setup.py lists packages by their `__init__.py`."""
    for path in (ROOT / "convert").rglob("*.py"):
        assert (path.parent / "__init__.py").exists(), path
