"""Flags, folders and outputs that cannot be right: found before the work starts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import QUICK, Command
from PIL import Image

from edgesr.networks.source import shipped


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--tile", "4"], "--tile 4"),
        (["--tile", "100000"], "--tile 100000"),
        (["--bits", "w2a2"], "--bits w2a2"),
        (["--method", "magic"], "adabm"),
        (["--pixel-range", "3"], "--pixel-range 3"),
        (["--scale", "3"], "x3"),
        (["--calib-images", "0"], "--calib-images 0"),
        (["--max-drop", "-1"], "--max-drop -1"),
        (["--max-drop", "nan"], "--max-drop nan"),
        (["--max-bytes", "0"], "--max-bytes 0"),
        (["--tune", "--bits", "f32"], "--tune: there is nothing to learn"),
        (["--max-ms", "-2"], "--max-ms -2"),
        (["--max-ms", "nan"], "--max-ms nan"),
        (["--seed", "-1"], "--seed -1"),
    ],
)
def test_values_out_of_range(command: Command, tmp_path: Path, flags: list[str], words: str) -> None:
    assert words in command("convert", "plain", "-o", tmp_path / "out.tflite", *flags).error


def test_outputs_that_cannot_be_written(command: Command, tmp_path: Path, program: Path) -> None:
    absent = tmp_path / "absent" / "file"
    for flags in (
        ["-o", absent],
        ["-o", tmp_path],
        *(["-o", "x", flag, absent] for flag in ("--plan", "--json")),
    ):
        line = command("convert", "plain", *flags).error
        assert "cannot be written" in line
    assert "cannot be written" in command("upscale", program, program, absent.with_suffix(".png")).error


def test_an_output_is_never_an_input(command: Command, tmp_path: Path) -> None:
    weights = tmp_path / "plain.safetensors"
    weights.write_bytes(shipped()[0].path.read_bytes())
    before = weights.read_bytes()
    assert "choose another" in command("convert", weights, "-o", weights).error
    assert (
        "choose another" in command("convert", weights, "-o", tmp_path / "a", "--plan", tmp_path / "a").error
    )
    assert weights.read_bytes() == before


def test_an_output_takes_no_other_files_place(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    mine = tmp_path / "mine.tflite"
    mine.write_bytes(program.read_bytes())
    checked = ("check", mine, "--reference", "plain", "--images", photos)
    simulated = ("simulate", mine, "--images", photos, "--weight-bits", "8", "--activation-bits", "8")
    for arguments in (("bench", mine), checked, simulated):
        assert f"--json {mine}: another file" in command(*arguments, "--json", mine).error
    assert "--report" in command(*checked, "--report", mine).error
    both = tmp_path / "both"
    assert f"--report {both}: another file" in command(*checked, "--json", both, "--report", both).error
    assert mine.read_bytes() == program.read_bytes() and not both.exists()


def test_names_that_are_too_long(command: Command, tmp_path: Path, program: Path) -> None:
    name = "a" * 300
    outputs = ("-o", tmp_path / "x.tflite")
    for arguments in (
        ("upscale", program, name, tmp_path / "x.png"),
        ("convert", name, *outputs),
        ("convert", "plain", *outputs, "--bits", name),
        ("convert", "plain", *outputs, "--calib", name),
        ("convert", "plain", *outputs, "--weights", name),
    ):
        assert "too long" in command(*arguments).error


@pytest.mark.parametrize("package", ["ai_edge_litert", "flatbuffers"])
def test_a_missing_extra_is_one_line(package: str) -> None:
    """As where edgesr was installed without one: the commands' own imports fail then."""
    code = f"import sys; sys.modules[{package!r}] = None; from edgesr.cli.main import run; "
    code += "sys.exit(run(['bench', 'plain.tflite']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("is not installed: pip install 'edgesr[tflite]'")


def test_plans_that_are_none(command: Command, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    for text in ("not json", "[]", '{"schema": "9.0"}', '{"schema": "1.0"}'):
        plan.write_text(text)
        assert "plan.json" in command("convert", "plain", "-o", tmp_path / "x", "--bits", plan).error
    plan.write_bytes(b"\xff\xfe\x00")
    assert "plan.json" in command("convert", "plain", "-o", tmp_path / "x", "--bits", plan).error


def test_folders_without_pictures(command: Command, tmp_path: Path) -> None:
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    empty.mkdir()
    broken.mkdir()
    (broken / "a.png").write_bytes(b"no picture")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(broken / "flat.png")
    for folder, words in (
        (empty, "no pictures"),
        (tmp_path / "absent", "no such folder"),
        (broken, "(2 skipped"),
    ):
        line = command("convert", "plain", "-o", tmp_path / "x", "--calib", folder).error
        assert str(folder) in line
        assert words in line


def test_a_picture_is_not_a_folder_of_pictures(command: Command, tmp_path: Path, photos: Path) -> None:
    line = command("convert", "plain", "-o", tmp_path / "x", "--calib", photos / "0.png").error
    assert "not a folder" in line


def test_full_disk_is_the_machines_fault(
    command: Command, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.tflite"
    output.write_text("older")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "disk is full" in command("convert", "plain", "-o", output, "--calib", photos, *QUICK).error
    assert output.read_text() == "older"
    assert list(tmp_path.iterdir()) == [output]
