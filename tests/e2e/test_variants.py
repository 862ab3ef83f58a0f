"""`--variants`: several programs in one file, routed tile by tile, and told in evidence and plan."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Command

from edgesr.conversion import Options, convert
from edgesr.networks.plain import PlainNet
from edgesr_runtime import open_program

NETWORK = """
import torch
from torch import nn


class Wide(nn.Module):
    def __init__(self, scale):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Conv2d(3, 48, 3, padding=1)
        self.body = nn.Sequential(*(nn.Conv2d(48, 48, 3, padding=1) for _ in range(6)))
        self.tail = nn.Conv2d(48, 3 * scale**2, 3, padding=1)
        self.up = nn.PixelShuffle(scale)
        self.scale = scale

    def forward(self, image):
        anchor = nn.functional.interpolate(image, scale_factor=self.scale, mode="nearest")
        return self.up(self.tail(self.body(self.head(image)))) / 20 + anchor


def x2():
    return Wide(2)


def x3():
    return Wide(3)
"""


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network beside which the shipped one is small."""
    (tmp_path / "wide.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(photos: Path, output: Path, **changes: Any) -> Options:
    return Options("wide:x2", output, calib=photos, pixel_range=255, tile=32, max_drop=3.0, **changes)


def test_variants_share_one_file_and_are_routed(command: Command, wide: Path, photos: Path) -> None:
    output, plan, report = wide / "p.tflite", wide / "plan.json", wide / "p.json"
    flags = ("--calib", photos, "--pixel-range", "255", "--tile", "32", "--max-drop", "3")
    variants = ("--bits", "w8a8", "--variants", "low,high", "--plan", plan, "--json", report)
    assert command("convert", "wide:x2", "-o", output, *flags, *variants).code == 0
    record = json.loads(report.read_text())
    assert record["variants"] == ["low", "high"] == list(record["milliseconds"])
    assert record["milliseconds"]["low"] < record["milliseconds"]["high"]
    assert record["reference_mismatches"] == 0
    assert sum(record["routing"]["shares"].values()) == pytest.approx(1, abs=1e-3)
    assert {layer["variant"] for layer in record["layers"]} == {"low", "high"}

    program = open_program(output)
    assert program.info.variants == ("low", "high") and program.info.routing is not None
    assert program.info.routing.low == record["routing"]["low"]

    for route in ("auto", "low", "high"):
        picture = wide / f"{route}.png"
        assert command("upscale", output, photos / "0.png", picture, "--route", route).code == 0
    assert (wide / "low.png").read_bytes() != (wide / "high.png").read_bytes()
    missing = command("upscale", output, photos / "0.png", wide / "x.png", "--route", "mid").error
    assert "only low, high" in missing

    again = wide / "again.tflite"
    assert command("convert", "wide:x2", "-o", again, *flags, "--bits", plan).code == 0
    assert again.read_bytes() == output.read_bytes()
    both = ("--bits", plan, "--variants", "low,high")
    assert "the plan file says" in command("convert", "wide:x2", "-o", again, *flags, *both).error


def test_one_form_is_enough_where_int8_loses_nothing(wide: Path, photos: Path) -> None:
    result = convert(options(photos, wide / "p.tflite", variants=("mid", "high"), method="minmax"))
    assert result.info.variants == ("high",) and result.info.routing is None
    assert any("'mid' is left out" in warning for warning in result.warnings)


def test_a_variant_that_saves_nothing_is_left_out(tmp_path: Path, photos: Path) -> None:
    """The shipped network is its own small one."""
    output = tmp_path / "p.tflite"
    result = convert(
        Options("plain", output, calib=photos, tile=32, max_drop=3.0, bits="w8a8", variants=("low", "high"))
    )
    assert result.info.variants == ("high",) and result.info.routing is None
    assert any("'low' is left out: its" in warning for warning in result.warnings)


def test_a_scale_without_a_small_network(wide: Path, photos: Path) -> None:
    three = Options(
        "wide:x3", wide / "p.tflite", calib=photos, pixel_range=255, tile=32, max_drop=9.0, bits="w8a8",
        variants=("low", "mid", "high"),
    )  # fmt: skip
    result = convert(three)
    assert result.info.variants == ("high",)
    reasons = " ".join(result.warnings)
    assert "no small network for x3" in reasons and "only --bits auto" in reasons


@pytest.mark.parametrize("names", ["high,low", "low,low", "best", "low;mid"])
def test_unknown_names_and_orders(command: Command, tmp_path: Path, names: str) -> None:
    line = command("convert", "plain", "-o", tmp_path / "p.tflite", "--variants", names).error
    assert f"--variants {names}" in line and "low,mid,high" in line


def test_the_small_network_takes_any_white() -> None:
    import torch

    network = PlainNet(2).eval()
    picture = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        expected = network(picture) * 255
        torch.testing.assert_close(network.for_white(255)(picture * 255), expected, rtol=1e-5, atol=1e-3)
