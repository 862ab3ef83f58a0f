"""`--target executorch`: the same plan gives the same pixels, and every command takes the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Command
from PIL import Image

pytest.importorskip("executorch", reason="the extra edgesr[executorch] is not installed")

FLAGS = ("--method", "minmax", "--tile", "32", "--no-tune", "--max-drop", "9")


def convert(command: Command, output: Path, photos: Path, *flags: str | Path) -> dict[str, Any]:
    record = output.with_suffix(".json")
    outcome = command("convert", "plain", "-o", output, "--calib", photos, *FLAGS, "--json", record, *flags)
    assert outcome.code == 0, outcome
    assert "executorch" not in outcome.err.lower()  # the engine keeps its log to itself
    return dict(json.loads(record.read_text()))


@pytest.mark.parametrize("bits", ["w8a8", "w4a8"])
def test_both_formats_give_the_same_pixels(command: Command, tmp_path: Path, photos: Path, bits: str) -> None:
    plan, lite, torch = tmp_path / "plan.json", tmp_path / "p.tflite", tmp_path / "p.pte"
    convert(command, lite, photos, "--bits", bits, "--plan", plan)
    record = convert(command, torch, photos, "--bits", plan, "--target", "executorch")
    assert record["target"] == "executorch" and record["bytes"] == torch.stat().st_size
    assert record["reference_mismatches"] == 0 and record["accelerated"] == 1
    pictures = []
    for program in (lite, torch):
        picture = tmp_path / f"{program.suffix[1:]}.png"
        assert command("upscale", program, photos / "0.png", picture).code == 0
        pictures.append(np.asarray(Image.open(picture)))
    np.testing.assert_array_equal(*pictures)


def test_searched_programs_agree_within_the_gate(command: Command, tmp_path: Path, photos: Path) -> None:
    program, report = tmp_path / "p.pte", tmp_path / "check.json"
    flags = ("--method", "adabm", "--max-drop", "0.02", "--target", "executorch")
    outcome = command("convert", "plain", "-o", program, "--calib", photos, "--tile", "32", *flags)
    assert outcome.code == 0, outcome
    checked = ("--reference", "plain", "--images", photos, "--max-drop", "0.05", "--json", report)
    assert command("check", program, *checked).code == 0
    record = json.loads(report.read_text())
    assert record["target"] == "executorch" and record["reference_mismatches"] == 0
    assert record["psnr_to_reference"] is None or record["psnr_to_reference"] >= 60
    inspected = json.loads(command("inspect", program, "--json").out)
    assert inspected["layers"] == record["layers"]


def test_the_same_input_gives_the_same_bytes(command: Command, tmp_path: Path, photos: Path) -> None:
    for name in ("a", "b"):
        convert(command, tmp_path / f"{name}.pte", photos, "--bits", "w8a8", "--target", "executorch")
    assert (tmp_path / "a.pte").read_bytes() == (tmp_path / "b.pte").read_bytes()


def test_a_compressed_program(command: Command, tmp_path: Path, photos: Path) -> None:
    program = tmp_path / "p.pte.gz"
    record = convert(command, program, photos, "--bits", "w8a8", "--target", "executorch", "--compress")
    assert record["bytes"] == program.stat().st_size
    assert command("upscale", program, photos / "0.png", tmp_path / "big.png").code == 0


@pytest.mark.parametrize("keep", [8, 40, 3000, -100])
def test_a_damaged_program_is_refused_in_one_line(
    command: Command, tmp_path: Path, photos: Path, keep: int
) -> None:
    program, damaged = tmp_path / "p.pte", tmp_path / "damaged.pte"
    convert(command, program, photos, "--bits", "w8a8", "--target", "executorch")
    damaged.write_bytes(program.read_bytes()[:keep])
    for arguments in (
        ("inspect", damaged),
        ("upscale", damaged, photos / "0.png", tmp_path / "x.png"),
        ("check", damaged, "--reference", "plain", "--images", photos),
    ):
        assert "damaged.pte" in command(*arguments).error
