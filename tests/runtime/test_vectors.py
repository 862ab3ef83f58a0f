"""The golden vectors that other languages read are what this runtime computes."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "mobile_runtime" / "vectors"


def _make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_vectors", FOLDER / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _make()


@pytest.mark.parametrize("name", MAKE.FILES)
def test_the_files_are_what_the_runtime_computes(name: str) -> None:
    content = (FOLDER / name).read_text()
    assert content == MAKE.contents(name), f"{name} is out of date: run {FOLDER / 'make.py'}"
    assert len(content) < 100_000 and content.isascii()


def test_new_thresholds_are_found_in_some_cases_only() -> None:
    found = {case["low"] is None for case in json.loads((FOLDER / "routing.json").read_text())["thresholds"]}
    assert found == {True, False}


def test_writes_the_files_where_it_is_told(tmp_path: Path) -> None:
    MAKE.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(MAKE.FILES)
