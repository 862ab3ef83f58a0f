"""Programs that a user gives are looked at before any work."""

from dataclasses import replace
from pathlib import Path

import pytest
from apk import programs
from apk.flavours import FLAVOURS, flavour_of
from apk.programs import check_given

from edgesr.errors import UserError
from edgesr_runtime.program import read_info

TFLITE = FLAVOURS["tflite"]


def test_a_sound_program_is_taken(program: Path) -> None:
    check_given([program], TFLITE)
    check_given([], TFLITE)


def test_a_missing_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.tflite: there is no such program file"):
        check_given([tmp_path / "nowhere.tflite"], TFLITE)


def test_one_for_the_other_engine_is_told(program: Path) -> None:
    with pytest.raises(UserError, match=r"takes \.pte files: convert with --target executorch"):
        check_given([program], FLAVOURS["executorch"])


def test_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes(b"no program")
    with pytest.raises(UserError, match=r"damaged\.tflite is not a sound \.tflite file"):
        check_given([path], TFLITE)


def test_two_of_one_name_are_told(program: Path) -> None:
    with pytest.raises(UserError, match="another program has the same name"):
        check_given([program, program], TFLITE)


def test_layers_that_the_engine_runs_otherwise_are_told(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = read_info(program.read_bytes())
    dynamic = replace(info, layers=(replace(info.layers[0], container="int8-dynamic"), *info.layers[1:]))
    monkeypatch.setattr(programs, "read_info", lambda data, source: dynamic)
    with pytest.raises(UserError, match=r"int8-dynamic.*convert with --bits w8a8"):
        check_given([program], TFLITE)


def test_a_command_line_names_its_flavour() -> None:
    assert flavour_of(["tflite", "a.tflite"]) is TFLITE
    for arguments in ([], ["litert"]):
        with pytest.raises(UserError, match="give tflite or executorch"):
            flavour_of(arguments)
