"""Opening programs, and refusing everything else in one line."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import edgesr_runtime
from edgesr_runtime import UserError, open_program
from edgesr_runtime.program import read_info, read_program

from .tiny_program import pack, tiny_info, tiny_model, tiny_program


@pytest.mark.parametrize("trusted", [False, True])
def test_opens_a_program(program_path: Path, trusted: bool) -> None:
    program = open_program(program_path, threads=2, trusted=trusted)
    assert program.info == tiny_info()
    assert program.engine.variants == ("serving_default",)


def test_trusted_files_are_not_probed(program_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgesr_runtime.program, "probe", lambda *_: pytest.fail("probed"))
    open_program(program_path, trusted=True)


def test_a_foreign_tflite_is_told_apart(tmp_path: Path) -> None:
    model = tiny_model()
    model.metadata = []
    with pytest.raises(UserError, match=r"^x\.tflite is not an edgesr program"):
        read_info(pack(model), "x.tflite")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"variants": ("low", "high")}, r"its signatures \(serving_default\) are not its variants"),
        ({"tile": 17}, "signature 'serving_default' does not fit"),
        ({"scale": 3}, "signature 'serving_default' does not fit"),
    ],
)
def test_metadata_must_be_true_of_the_signatures(changes: dict[str, object], reason: str) -> None:
    lie = tiny_info(**changes).to_json().encode()
    with pytest.raises(UserError, match=reason):
        read_info(pack(tiny_model(entry=lie)))


def test_another_major_version_is_refused() -> None:
    entry = json.dumps({"schema": "2.0"}).encode()
    with pytest.raises(UserError, match=r"version '2\.0', but this edgesr-runtime reads only 1\.x"):
        read_info(pack(tiny_model(entry=entry)))


def test_reads_metadata_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert", None)
    monkeypatch.setitem(__import__("sys").modules, "flatbuffers", None)
    data = tiny_program()
    assert read_info(data) == tiny_info()


@pytest.mark.parametrize("name", ["missing.tflite", "folder", "nul\0", "text.tflite", "empty.tflite"])
def test_refuses_what_is_no_program_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.tflite").write_text("hello, this is no program")
    (tmp_path / "empty.tflite").write_text("")
    with pytest.raises(UserError) as caught:
        open_program(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_no_threads_is_a_programming_error(program_path: Path) -> None:
    with pytest.raises(ValueError, match="threads"):
        open_program(program_path, threads=0)


def test_public_surface() -> None:
    assert edgesr_runtime.__version__ == "0.1.0"
    assert all(hasattr(edgesr_runtime, name) for name in edgesr_runtime.__all__)


def test_a_compressed_program_is_unpacked(program_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "program.tflite.gz"
    path.write_bytes(gzip.compress(program_path.read_bytes()))
    assert open_program(path).info == tiny_info()


@pytest.mark.parametrize("spoil", [lambda d: d[:-9], lambda d: d[:40] + b"\0" * 20 + d[60:], lambda d: d[:2]])
def test_a_damaged_archive_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "program.tflite.gz"
    path.write_bytes(spoil(gzip.compress(tiny_program())))
    with pytest.raises(UserError, match=r"program\.tflite\.gz is damaged"):
        read_program(path)


def test_an_archive_of_anything_is_not_unpacked_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgesr_runtime.program, "_MAX_BYTES", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(100_000)))
    with pytest.raises(UserError, match=r"larger than"):
        read_program(path)
