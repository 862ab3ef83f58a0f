"""A damaged or hostile file ends in a UserError, never in a crash."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr_runtime import verify
from edgesr_runtime.errors import UserError
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.program import open_program, read_info
from edgesr_runtime.verify import check_structure, probe

from .tiny_program import pack, tiny_info, tiny_model, tiny_program

INT8 = tiny_program(int8=True)
TWO_VARIANTS = tiny_info(variants=("low", "high"))


def test_a_sound_file_shows_its_contents() -> None:
    contents = check_structure(tiny_program(TWO_VARIANTS, int8=True))
    assert json.loads(contents.metadata["edgesr"])["network"] == "nearest"
    assert list(contents.signatures) == ["low", "high"]
    signature = contents.signatures["low"]
    assert signature.inputs["image"].shape == (1, 16, 16, 3)
    assert signature.outputs["sr"].shape == (1, 32, 32, 3) and signature.outputs["sr"].type == "float32"


def aliased(graphs: int, tensors: int) -> bytes:
    """A .tflite file whose subgraphs are all one, and whose tensors are."""
    graph = 68 + 4 * graphs
    empty = graph + 12 + 4 * tensors
    parts = [struct.pack("<I4sI", 40, b"TFL3", 0)]
    # vtables: of an empty table, a subgraph, the model
    parts += [struct.pack("<2H3H2x7H2x", 4, 4, 6, 8, 4, 14, 16, 4, 0, 8, 0, 12)]
    parts += [struct.pack("<6I", 40 - 24, 3, 64 - 48, 56 - 52, 1, empty - 60)]
    parts += [distances(64, graphs, graph), struct.pack("<2I", graph - 16, 4)]
    parts += [distances(graph + 8, tensors, empty), struct.pack("<I", empty - 12)]
    return b"".join(parts)


def distances(place: int, length: int, target: int) -> bytes:
    """A list at byte `place` whose entries all lead to `target`."""
    entries = [target - (place + 4 + 4 * i) for i in range(length)]
    return struct.pack(f"<{length + 1}I", length, *entries)


def test_a_small_file_that_unfolds_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_READ", 2**20)  # the true one takes seconds
    with pytest.raises(CorruptFile, match="again and again"):
        check_structure(aliased(100, 1000))
    assert check_structure(aliased(2, 1000)).signatures == {}


def test_metadata_that_share_a_large_buffer_are_refused() -> None:
    model = tiny_model()
    model.buffers[model.metadata[0].buffer].data = bytes(2**20)
    model.metadata += [replaced(model.metadata[0], name=f"{i}") for i in range(64)]
    with pytest.raises(CorruptFile, match="again and again"):
        check_structure(pack(model))


def replaced(item: Any, **values: Any) -> Any:
    item = copy(item)
    for key, value in values.items():
        setattr(item, key, value)
    return item


def quantization(name: str, **fields: Any) -> Callable[[Any], None]:
    def spoil(model: Any) -> None:
        for key, value in fields.items():
            setattr(tensor(model, name).quantization, key, value)

    return spoil


def fields(name: str, **values: Any) -> Callable[[Any], None]:
    def spoil(model: Any) -> None:
        for key, value in values.items():
            setattr(tensor(model, name), key, value)

    return spoil


def assign(expression: str, value: Any) -> Callable[[Any], None]:
    """Set a place of the model, as `subgraphs[0].inputs`."""

    def spoil(model: Any) -> None:
        exec(f"model.{expression} = value", {"model": model, "value": value})

    return spoil


def tensor(model: Any, name: str) -> Any:
    return next(item for item in model.subgraphs[0].tensors if item.name == name)


SPOILED = {
    "zero point beyond int8": (quantization("up", zeroPoint=np.array([128])), "zero point outside"),
    "huge zero point": (quantization("image_q", zeroPoint=np.array([-(2**60)])), "zero point outside"),
    "bias with a zero point": (quantization("b", zeroPoint=np.array([1])), "zero point outside"),
    "scale 0": (quantization("w", scale=np.array([0.0])), "not finite and above 0"),
    "scale nan": (quantization("up", scale=np.array([np.nan])), "not finite and above 0"),
    "scale infinite": (quantization("up", scale=np.array([np.inf])), "not finite and above 0"),
    "two scales, one zero point": (quantization("w", scale=np.ones(2, np.float32)), "2 scales and 1 zero"),
    "scales that fit no axis": (
        quantization("w", scale=np.ones(5, np.float32), zeroPoint=np.zeros(5, np.int64)),
        "5 scales on axis 0",
    ),
    "axis beyond the shape": (
        quantization(
            "w", scale=np.ones(12, np.float32), zeroPoint=np.zeros(12, np.int64), quantizedDimension=4
        ),
        "12 scales on axis 4",
    ),
    "data short of the shape": (fields("w", shape=[12, 3, 3, 3]), "has 36 bytes of data"),
    "negative shape": (fields("up", shape=[1, -16, 16, 12]), "has shape"),
    "huge shape": (fields("up", shape=[2**30, 2**30, 2**30, 12]), "too large"),
    "signature of another rank": (fields("up", shapeSignature=[1, -1]), "has the signature"),
    "unknown type": (fields("up", type=77), "type 77"),
    "string type": (fields("up", type=5), "type 5"),
    "buffer beyond the list": (fields("w", buffer=99), "names buffer 99"),
    "variable constant": (fields("w", isVariable=True), "bytes of data"),
    "input beyond the tensors": (assign("subgraphs[0].operators[1].inputs", [0, 99, 3]), "names tensor 99"),
    "required input of an output": (assign("subgraphs[0].operators[1].outputs", [-1]), "names tensor -1"),
    "code beyond the list": (assign("subgraphs[0].operators[0].opcodeIndex", 9), "no operator code"),
    "output that is a constant": (assign("subgraphs[0].operators[1].outputs", [2]), "or a constant"),
    "output that is the input": (assign("subgraphs[0].operators[1].outputs", [0]), "computed twice"),
    "reading what comes later": (assign("subgraphs[0].operators[0].inputs", [6]), "before it is computed"),
    "output never computed": (assign("subgraphs[0].operators[3].outputs", []), "never computed"),
    "graph input beyond": (assign("subgraphs[0].inputs", [-5]), "names tensor -5"),
    "graph input constant": (assign("subgraphs[0].inputs", [2]), "input and a constant"),
    "signature without graph": (assign("signatureDefs[0].subgraphIndex", 4), "has no subgraph"),
    "signature of another tensor": (assign("signatureDefs[0].inputs[0].tensorIndex", 3), "not those of its"),
    "metadata without buffer": (assign("metadata[0].buffer", 99), "has no buffer"),
    "custom operator": (assign("operatorCodes[0].customCode", "evil"), "custom operator 'evil'"),
    "data outside the file": (assign("buffers[1].offset", 10**12), "behind the end"),
    "data in buffer 0": (assign("buffers[0].data", np.zeros(4, np.uint8)), "buffer 0"),
    "another schema": (assign("version", 2), "schema version is 2"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_finds_what_would_crash_the_engine(name: str) -> None:
    spoil, reason = SPOILED[name]
    model = tiny_model(int8=True)
    spoil(model)
    with pytest.raises(CorruptFile, match=reason):
        check_structure(pack(model))


def test_finds_doubles() -> None:
    model = tiny_model(int8=True)
    model.metadata *= 2
    with pytest.raises(CorruptFile, match="double"):
        check_structure(pack(model))
    model = tiny_model(TWO_VARIANTS, int8=True)
    model.signatureDefs[1].signatureKey = "low"
    with pytest.raises(CorruptFile, match="double"):
        check_structure(pack(model))


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0" * 100, b"\0\0\0\0TFL3" + b"\xff" * 50, INT8[:200]])
def test_refuses_what_is_no_tflite(data: bytes) -> None:
    with pytest.raises(UserError, match=r"not a sound \.tflite file"):
        read_info(data)


@given(st.lists(st.tuples(st.integers(0, len(INT8) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_random_bytes_end_in_an_answer_or_a_user_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(INT8)
    for place, value in changes:
        data[place] = value
    refused_or_read(bytes(data))


@given(st.integers(0, len(INT8) - 1))
@settings(deadline=None)
def test_cut_files_end_in_an_answer_or_a_user_error(length: int) -> None:
    refused_or_read(INT8[:length])


def refused_or_read(data: bytes) -> bool:
    try:
        read_info(data)
    except UserError as error:
        assert "\n" not in str(error)
        return False
    return True


def corrupted_past_the_structure(count: int) -> list[bytes]:
    """Files with wrong bytes that only running them can judge."""
    random = np.random.default_rng(5)
    found: list[bytes] = []
    while len(found) < count:
        data = bytearray(INT8)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        if bytes(data) != INT8 and refused_or_read(bytes(data)):
            found.append(bytes(data))
    return found


@pytest.mark.parametrize("case", range(8))
def test_whatever_passes_the_structure_is_probed_without_harm(case: int, tmp_path: Path) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes(corrupted_past_the_structure(8)[case])
    try:
        open_program(path)
    except UserError as error:
        assert "damaged.tflite" in str(error)


def test_the_probe_survives_a_file_that_crashes_the_engine() -> None:
    model = tiny_model(int8=True)
    model.signatureDefs[0].subgraphIndex = 4  # a segmentation fault in LiteRT 2.3.0
    with pytest.raises(UserError, match=r"a\.tflite (crashes the engine|does not)"):
        probe(pack(model), "a.tflite")


def test_the_probe_reports_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    run = subprocess.run
    monkeypatch.setattr(verify.subprocess, "run", lambda _, **options: run(killed, **options))
    with pytest.raises(UserError, match=r"a\.tflite crashes the engine \(status -11\)"):
        probe(b"", "a.tflite")


def test_the_probe_ends_a_file_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = [sys.executable, "-c", "while True: pass"]
    run = subprocess.run
    monkeypatch.setattr(verify, "PROBE_SECONDS", 0.5)
    monkeypatch.setattr(verify.subprocess, "run", lambda _, **options: run(endless, **options))
    with pytest.raises(UserError, match=r"did not finish a run within 0\.5 seconds"):
        probe(b"", "a.tflite")


def test_an_answer_of_another_shape_than_declared_is_refused(tmp_path: Path) -> None:
    model = tiny_model(int8=True)
    model.subgraphs[0].operators[1].builtinOptions.strideW = 2
    path = tmp_path / "a.tflite"
    path.write_bytes(pack(model))
    with pytest.raises(UserError, match=r"a\.tflite.* declares \(1, 32, 32, 3\) and gives \(1, 32, 16, 3\)"):
        open_program(path)


@pytest.mark.parametrize("by_name", [True, False])
def test_the_probe_as_a_command(program_path: Path, by_name: bool) -> None:
    command = [sys.executable, "-m", "edgesr_runtime.probe", str(program_path) if by_name else "-"]
    done = subprocess.run(command, input=program_path.read_bytes(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_probe_refuses_what_does_not_load() -> None:
    model = tiny_model(int8=True)
    model.operatorCodes[0].builtinCode = 9999
    with pytest.raises(UserError, match=r"^a\.tflite: the program does not load in LiteRT"):
        probe(pack(model), "a.tflite")
