"""The golden vectors of opening a program, which other runtimes are held to, are what this one does."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import ProgramInfo
from edgesr_runtime.program import read_info, read_program

FOLDER = Path(__file__).parents[2] / "mobile_runtime" / "vectors"
METADATA = json.loads((FOLDER / "metadata.json").read_text())
PROGRAMS = json.loads((FOLDER / "programs.json").read_text())
VERDICTS = ("accepted", "refused")


def spliced(data: bytes, splices: list[tuple[int, int, bytes]]) -> bytes:
    for start, end, new in splices:
        data = data[:start] + new + data[end:]
    return data


def entries(verdict: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for case in METADATA[verdict]:
        splices = [(start, end, new.encode("latin-1")) for start, end, new in case["splices"]]
        yield case, spliced(METADATA["base"].encode(), splices)


def files(program: str, verdict: str, path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    for case in PROGRAMS[program][verdict]:
        splices = [(start, end, bytes.fromhex(new)) for start, end, new in case["splices"]]
        path.write_bytes(spliced((FOLDER / "programs" / program).read_bytes(), splices))
        yield case, path


def test_metadata_that_is_taken() -> None:
    for case, text in entries("accepted"):
        found = json.loads(json.dumps(asdict(ProgramInfo.from_json(text))))
        expected = METADATA["values"] | case.get("values", {})
        assert {key: found[key] for key in expected} == expected, case["name"]


def test_metadata_that_is_refused_by_the_name_of_its_field() -> None:
    for case, text in entries("refused"):
        with pytest.raises(UserError) as caught:
            ProgramInfo.from_json(text)
        assert case["says"] in str(caught.value) and "\n" not in str(caught.value), case["name"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_that_are_taken(program: str, tmp_path: Path) -> None:
    for case, path in files(program, "accepted", tmp_path / "p"):
        try:
            read_info(read_program(path))
        except UserError as error:
            pytest.fail(f"{case['name']}: {error}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_that_are_refused(program: str, tmp_path: Path) -> None:
    for case, path in files(program, "refused", tmp_path / "p"):
        with pytest.raises(UserError) as caught:
            read_info(read_program(path))
        assert case.get("says", "") in str(caught.value), case["name"]


def test_the_vectors_are_many_and_small() -> None:
    """Several hundred of each kind, each under a name of its own, in less than 220 kB."""
    lists = [METADATA[verdict] for verdict in VERDICTS]
    lists += [PROGRAMS[program][verdict] for program in PROGRAMS for verdict in VERDICTS]
    assert len(lists[0]) > 100 and len(lists[1]) > 300 and sum(map(len, lists[2:])) > 300
    for cases in lists:
        assert len({case["name"] for case in cases}) == len(cases) > 5
    stored = [FOLDER / "metadata.json", FOLDER / "programs.json", *(FOLDER / "programs").iterdir()]
    assert sum(path.stat().st_size for path in stored) < 220_000
    assert all(path.stat().st_size < 16_000 for path in (FOLDER / "programs").iterdir())
