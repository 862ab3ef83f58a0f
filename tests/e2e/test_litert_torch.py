"""Networks with ops that edgesr's graph lacks, through litert-torch from the command line to a picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import Command
from lowering.litert_torch.programs import needs_litert_torch
from PIL import Image

from edgesr.lowering.litert_torch.model import Model
from edgesr_runtime.metadata import LayerRecord
from edgesr_runtime.program import open_program, read_info

needs_litert_torch()

ROOM = ("--memory", "4GB")  # this process has imported the converter

FACTORY = """
import torch
from torch import nn
from torch.nn import functional as F

from edgesr.networks.source import load_network


class Helped(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.plain = load_network("plain").module
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 12, 3, padding=1)
        self.up = nn.PixelShuffle(2)
        self.last.weight.data *= 0.1
        self.last.bias.data *= 0

    def forward(self, x):
        return self.plain(x) + self.up(self.last(self.help(self.first(x))))


class Gelu(Helped):
    def help(self, x):
        return F.gelu(x)


class Attention(Helped):
    def help(self, x):
        return x * torch.softmax(F.adaptive_avg_pool2d(F.relu(x), 1), 1)


class Cancelling(Helped):
    def forward(self, x):
        large = 50 * self.up(self.last(F.gelu(self.first(x))))
        return (self.plain(x) + large) - large


class Refused(Helped):
    def help(self, x):
        return torch.linalg.svd(x)[0]
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"helped_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def flags(photos: Path) -> tuple[str | Path, ...]:
    return ("--converter", "litert-torch", "--calib", photos, "--tile", "32", "--json", "x.json")


@pytest.mark.parametrize("network", ["Gelu", "Attention"])
def test_a_network_converts(
    command: Command, own_module: str, photos: Path, flags: tuple[str | Path, ...], network: str
) -> None:
    path, model = Path("x.tflite"), f"{own_module}:{network}"
    outcome = command("convert", model, "-o", path, "--bits", "w8a8", "--max-drop", "0.5", *flags)
    assert outcome.code == 0, outcome
    (warning,) = (line for line in outcome.err.splitlines() if "litert-torch" in line)
    assert "no integer reference" in warning
    record = json.loads(Path("x.json").read_text())
    assert record["converter"] == "litert-torch" and record["reference_mismatches"] is None
    assert -0.1 < record["drop_db"] < 0.5 and record["drop_tiling_db"] is not None
    assert record["int8_mac_share"] == 1 and 0.5 < record["accelerated"] < 1
    assert record["milliseconds"]["serving_default"] > 0
    _check_layers({layer["name"]: layer for layer in record["layers"]})

    assert command("check", path, "--reference", model, "--images", photos, "--max-drop", "0.5").code == 0
    Image.open(next(photos.iterdir())).save("in.png")
    assert command("upscale", path, "in.png", "out.png", *ROOM).code == 0
    wide, narrow = (np.asarray(Image.open(name), float) for name in ("out.png", "in.png"))
    assert wide.shape == (2 * narrow.shape[0], 2 * narrow.shape[1], 3)
    assert np.abs(wide[::2, ::2] - narrow).mean() < 20


def _check_layers(layers: dict[str, dict[str, object]]) -> None:
    """Named as the user's modules are, and int8 on the ranges that were given."""
    assert {"plain.head", "plain.tail", "first", "last"} <= set(layers)
    for layer in layers.values():
        record = LayerRecord(**layer)  # type: ignore[arg-type]
        assert (record.container, record.weight_bits, record.activation_bits) == ("int8", 8, 8)
        assert record.input_range is not None and record.output_range is not None
    assert layers["plain.head"]["input_range"] == [0, 1]


def test_the_same_input_gives_the_same_bytes(
    command: Command, own_module: str, flags: tuple[str | Path, ...]
) -> None:
    for name in ("a.tflite", "b.tflite"):
        outcome = command("convert", f"{own_module}:Gelu", "-o", name, "--bits", "w8a8", *flags)
        assert outcome.code in (0, 1), outcome
    made = Path("a.tflite").read_bytes()
    assert made == Path("b.tflite").read_bytes()
    assert own_module.encode() not in made.replace(f"{own_module}:Gelu".encode(), b"")


def test_the_grids_in_the_file_are_those_that_were_given(
    command: Command, own_module: str, flags: tuple[str | Path, ...]
) -> None:
    command("convert", f"{own_module}:Gelu", "-o", "x.tflite", "--bits", "w8a8", *flags)
    ranges = {r.name: r.output_range for r in read_info(Path("x.tflite").read_bytes()).layers}
    checked = 0
    for step in Model(Path("x.tflite").read_bytes()).steps():
        bounds = ranges.get(step.outputs[0].name.decode())
        if step.kind == "CONV_2D" and bounds is not None:
            low, high = min(bounds[0], 0), max(bounds[1], 0)
            (scale,) = step.outputs[0].quantization.scale
            assert scale == pytest.approx((high - low) / 255, rel=1e-5)
            assert len(step.weight.quantization.scale) == step.weight.shape[0]
            checked += 1
    assert checked == len(ranges)


def test_float_loses_nothing(command: Command, own_module: str, flags: tuple[str | Path, ...]) -> None:
    outcome = command("convert", f"{own_module}:Attention", "-o", "x.tflite", "--bits", "f32", *flags)
    assert outcome.code == 0, outcome
    record = json.loads(Path("x.json").read_text())
    assert record["int8_mac_share"] == 0
    assert abs(record["drop_db"] - record["drop_tiling_db"]) < 1e-3
    assert read_info(Path("x.tflite").read_bytes()).calibration.images == 0


def test_auto_leaves_int8_to_the_layers_where_all_of_it_costs_too_much(
    command: Command, own_module: str, flags: tuple[str | Path, ...]
) -> None:
    """What cancels exactly in float is rounded to a coarse grid in int8."""
    outcome = command("convert", f"{own_module}:Cancelling", "-o", "x.tflite", *flags)
    assert outcome.code == 0, outcome
    assert "int8 loses" in outcome.err and "it became int8 with float32" in outcome.err
    assert json.loads(Path("x.json").read_text())["int8_mac_share"] == 1
    kinds = {step.kind for step in Model(Path("x.tflite").read_bytes()).steps()}
    assert {"QUANTIZE", "DEQUANTIZE", "SUB"} <= kinds
    open_program("x.tflite")


def test_what_the_converter_refuses_is_one_line(
    command: Command, own_module: str, flags: tuple[str | Path, ...]
) -> None:
    line = command("convert", f"{own_module}:Refused", "-o", "x.tflite", "--pixel-range", "1", *flags).error
    assert "litert-torch cannot convert the network" in line
    assert not Path("x.tflite").exists()
