"""LiteRT behind the engine interface."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from edgesr_runtime.engines import LiteRtEngine, without_chatter
from edgesr_runtime.errors import UserError

from .tiny_program import tiny_info, tiny_program


@pytest.mark.parametrize("int8", [False, True])
def test_runs_every_variant_from_bytes_and_from_a_file(tmp_path: Path, int8: bool) -> None:
    data = tiny_program(tiny_info(variants=("low", "high")), int8)
    path = tmp_path / "a.tflite"
    path.write_bytes(data)
    batch = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3)).astype(np.float32)
    for engine in (LiteRtEngine(data), LiteRtEngine(path, threads=2)):
        assert set(engine.variants) == {"low", "high"}
        for variant in engine.variants:
            assert engine.input_shape(variant) == (1, 16, 16, 3)
            for _ in range(2):
                result = engine.run(variant, batch)
                assert result.dtype == np.float32
                np.testing.assert_array_equal(result, batch.repeat(2, 1).repeat(2, 2))


def test_results_are_copies(program_bytes: bytes) -> None:
    engine = LiteRtEngine(program_bytes)
    first = engine.run("serving_default", np.full((1, 16, 16, 3), 7, np.float32))
    engine.run("serving_default", np.zeros((1, 16, 16, 3), np.float32))
    assert (first == 7).all()


@pytest.mark.parametrize("batch", [np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 16, 16, 3))])
def test_never_resizes_a_program(program_bytes: bytes, batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected float32"):
        LiteRtEngine(program_bytes).run("serving_default", batch)


def test_says_which_extra_is_missing(program_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(UserError, match=r"edgesr-runtime\[litert\]"):
        LiteRtEngine(program_bytes)


def test_a_file_that_does_not_load_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"a\.tflite does not load in LiteRT"):
        LiteRtEngine(tmp_path / "a.tflite")


def test_loading_and_running_are_silent(program_bytes: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    engine = LiteRtEngine(program_bytes)
    engine.run("serving_default", np.zeros((1, 16, 16, 3), np.float32))
    assert capfd.readouterr() == ("", "")


def test_only_chatter_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), without_chatter():
        os.write(2, b"INFO: Created something.\nERROR: it broke\n")
        raise ZeroDivisionError
    os.write(2, b"INFO: after\n")
    assert capfd.readouterr().err == "ERROR: it broke\nINFO: after\n"
