"""The main road with the network that ships: convert, inspect, check, upscale."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import QUICK, Command
from PIL import Image

FLAGS = ("--method", "minmax", "--tile", "32", "--no-tune", "--json")

KEYS = {
    "program", "target", "bytes", "seconds", "scale", "images", "psnr_float", "psnr_quantized", "drop_db",
    "drop_db_worst", "drop_tiling_db", "worst_image", "psnr_to_float", "max_abs_error", "channel_mean_shift",
    "reference_mismatches", "int8_mac_share", "accelerated", "variants", "layers", "devices", "gate",
}  # fmt: skip
LAYER_KEYS = {
    "name", "kind", "weight_bits", "activation_bits", "container", "input_range", "output_range",
    "sensitivity", "variant",
}  # fmt: skip


def convert(command: Command, output: Path, photos: Path, *flags: str | Path) -> dict[str, object]:
    """Converts the plain network and returns its JSON."""
    record = output.with_suffix(".json")
    outcome = command("convert", "plain", "-o", output, "--calib", photos, *FLAGS, record, *flags)
    assert outcome.code in (0, 1), outcome
    return dict(json.loads(record.read_text()))


def test_the_main_road(command: Command, tmp_path: Path, photos: Path) -> None:
    program, check = tmp_path / "plain.tflite", tmp_path / "check.json"
    record = convert(command, program, photos, "--bits", "w8a8", "--max-drop", "1")
    assert record["reference_mismatches"] == 0
    assert record["accelerated"] == 1
    assert record["int8_mac_share"] == 1
    assert record["bytes"] == program.stat().st_size

    inspected = command("inspect", program)
    assert inspected.code == 0
    assert "tail" in inspected.out
    assert str(record["drop_db"]) in inspected.out
    information = json.loads(command("inspect", program, "--json").out)
    assert information["evidence"]["drop_db"] == record["drop_db"]
    assert information["layers"] == record["layers"]

    flags = ("--reference", "plain", "--images", photos, "--max-drop", "1", "--json", check)
    checked = command("check", program, *flags)
    assert checked.code == 0
    assert "passed" in checked.out
    assert json.loads(check.read_text())["images"] == 4

    assert command("upscale", program, photos / "0.png", tmp_path / "big.png").code == 0
    big = np.asarray(Image.open(tmp_path / "big.png").reduce(2), int)
    assert np.abs(big - np.asarray(Image.open(photos / "0.png"), int)).mean() < 3


@pytest.mark.parametrize("bits", ["w8a8", "f32", "w4a8"])
def test_the_json_holds_every_key(command: Command, tmp_path: Path, photos: Path, bits: str) -> None:
    record = convert(command, tmp_path / "p.tflite", photos, "--bits", bits)
    assert set(record) >= KEYS
    assert set(record["seconds"]) == {"calibrate", "search", "tune", "lower", "check"}  # type: ignore[call-overload]
    assert set(record["gate"]) >= {"max_drop", "passed"}  # type: ignore[call-overload]
    for layer in record["layers"]:  # type: ignore[attr-defined]
        assert set(layer) == LAYER_KEYS
        assert layer["container"] == ("f32" if bits == "f32" else "int8")
    widths = [layer["weight_bits"] for layer in record["layers"]]  # type: ignore[attr-defined]
    assert widths[0] == widths[-1] == (32 if bits == "f32" else 8)
    assert set(widths[1:-1]) == {{"w8a8": 8, "f32": 32, "w4a8": 4}[bits]}
    check = tmp_path / "check.json"
    command("check", tmp_path / "p.tflite", "--reference", "plain", "--images", photos, "--json", check)
    assert set(json.loads(check.read_text())) >= KEYS


def test_f32_is_the_network_itself(command: Command, tmp_path: Path, photos: Path) -> None:
    record = convert(command, tmp_path / "p.tflite", photos, "--bits", "f32", "--max-drop", "0.001")
    assert record["int8_mac_share"] == 0
    assert float(record["max_abs_error"]) <= 1  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_bytes(command: Command, tmp_path: Path, photos: Path) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        convert(command, tmp_path / f"{name}.tflite", photos, "--bits", "w8a8", "--seed", seed)
    a, b, c = ((tmp_path / f"{name}.tflite").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize("bits", ["auto", "w4a8", "f32"])
def test_a_plan_reproduces_the_program(command: Command, tmp_path: Path, photos: Path, bits: str) -> None:
    plan, first, second = tmp_path / "plan.json", tmp_path / "first.tflite", tmp_path / "second.tflite"
    convert(command, first, photos, "--bits", bits, "--plan", plan, "--seed", "5")
    convert(command, second, photos, "--bits", plan)
    assert first.read_bytes() == second.read_bytes()


def test_a_plan_of_another_network(command: Command, tmp_path: Path, photos: Path) -> None:
    plan = tmp_path / "plan.json"
    convert(command, tmp_path / "p.tflite", photos, "--bits", "w8a8", "--plan", plan)
    (tmp_path / "small.py").write_text(
        "from torch import nn\n\n\ndef make():\n"
        "    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))\n"
    )
    flags = ("--calib", photos, "--bits", plan, "--pixel-range", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        line = command("convert", "small:make", "-o", tmp_path / "x.tflite", *flags).error
    assert "belongs to another network: the plan lacks 0; the network lacks body.0, body.1, body.2" in line
    assert not (tmp_path / "x.tflite").exists()


def test_auto_keeps_the_drop(command: Command, tmp_path: Path, photos: Path) -> None:
    flags = ("--bits", "auto", "--max-drop", "0.02")
    record = convert(command, tmp_path / "p.tflite", photos, *flags)
    assert float(record["drop_db"]) <= 0.02  # type: ignore[arg-type]
    assert record["reference_mismatches"] == 0


def test_works_without_any_folder(command: Command, tmp_path: Path) -> None:
    output = tmp_path / "p.tflite"
    assert command("convert", "plain", "-o", output, "--calib-images", "2", *QUICK).code in (0, 1)
    assert output.exists()
