"""Networks of the user's own: a factory, and a program saved with torch.export."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from command import QUICK, Command
from torch import nn

from edgesr.conversion import Options, convert
from edgesr.errors import UserError
from edgesr.networks.source import load_network

FACTORY = """
from edgesr.networks.source import load_network
from torch import nn


class Levels(nn.Module):
    def __init__(self, plain):
        super().__init__()
        self.plain = plain

    def forward(self, x):
        return self.plain(x / 255) * 255


def unit():
    return load_network("plain").module


def levels():
    return Levels(unit())


class Halved(nn.Module):
    def __init__(self, plain):
        super().__init__()
        self.plain = plain
        self.more = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 48, 3, padding=1), nn.PixelShuffle(4))
        nn.init.normal_(self.more[1].weight, std=1e-3)
        nn.init.zeros_(self.more[1].bias)

    def forward(self, x):
        return self.plain(x) + self.more(x)


def halved():
    return Halved(unit())


def without_weights():
    return nn.Upsample(scale_factor=2)
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"factories_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize(("factory", "pixel_range"), [("unit", 1), ("levels", 255)])
def test_a_factory(own_module: str, photos: Path, factory: str, pixel_range: int) -> None:
    """What white is at its input shows on the calibration pictures."""
    options = Options(
        f"{own_module}:{factory}", Path("x.tflite"), calib=photos, bits="w8a8", method="minmax", tile=32
    )
    result = convert(options)
    assert result.info.pixel_range == pixel_range
    assert result.evidence.comparison.mismatches == 0
    assert result.evidence.verdict.drop < 1


def test_tiles_have_the_sides_that_a_network_asks_for(own_module: str, photos: Path) -> None:
    name = f"{own_module}:halved"
    options = Options(name, Path("x.tflite"), pixel_range=1, calib=photos, bits="w8a8", tile=33)
    with pytest.raises(UserError, match="--tile 33: this network takes multiples of 2 pixels"):
        convert(options)
    assert not options.output.exists()
    assert convert(replace(options, tile=34)).evidence.comparison.mismatches == 0


@pytest.mark.parametrize("method", ["adabm", "minmax"])
def test_a_network_without_weights(own_module: str, photos: Path, method: str) -> None:
    name = f"{own_module}:without_weights"
    result = convert(Options(name, Path("x.tflite"), pixel_range=1, calib=photos, method=method, tile=32))
    assert result.evidence.comparison.mismatches == 0


@pytest.mark.parametrize("dynamic", [True, False])
def test_an_exported_program(command: Command, tmp_path: Path, photos: Path, dynamic: bool) -> None:
    sides = {2: torch.export.Dim("height", min=8, max=999), 3: torch.export.Dim("width", min=8, max=999)}
    module: nn.Module = load_network("plain").module
    program = torch.export.export(
        module, (torch.zeros(1, 3, 48, 40),), dynamic_shapes=(sides,) if dynamic else None
    )
    torch.export.save(program, tmp_path / "net.pt2")
    output = tmp_path / "net.tflite"
    outcome = command(
        "convert", tmp_path / "net.pt2", "-o", output, "--calib", photos, "--max-drop", "1", *QUICK
    )
    assert outcome.code == 0, outcome
    outcome = command(
        "check", output, "--reference", tmp_path / "net.pt2", "--images", photos, "--max-drop", "1"
    )
    assert outcome.code == 0, outcome
