"""`edgesr simulate`: figures that say that they are simulated, and one clear line for whatever is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import Command, Outcome
from PIL import Image

from edgesr.quantization.simulation import METHODS

QUICK = ("--calib-images", "4", "--epochs", "3", "--iterations", "1")
WIDTHS = ("--weight-bits", "4", "--activation-bits", "5")


@pytest.fixture
def simulate(command: Command, photos: Path) -> "Simulate":
    return Simulate(command, photos)


class Simulate:
    """`edgesr simulate plain` with the photographs and whatever else is said."""

    def __init__(self, command: Command, photos: Path) -> None:
        self.command, self.photos = command, photos

    def __call__(self, *flags: str | Path, model: str = "plain", images: Path | None = None) -> Outcome:
        folders = ("--images", images or self.photos, "--calib", self.photos)
        return self.command("simulate", model, *folders, *WIDTHS, *flags)


def test_reports_everything_as_simulated(simulate: Simulate, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    outcome = simulate(*QUICK, "--json", path)
    assert outcome.code == 0 and outcome.out.count("simulated") >= 6
    record = json.loads(path.read_text())
    assert record["simulated"] is True
    assert (record["method"], record["weight_bits"], record["activation_bits"]) == ("adabm", 4, 5)
    assert (record["epochs"], record["iterations"], record["calibration_crops"]) == (3, 1, 4)
    assert record["images"] == len(record["pictures"]) == 4
    assert 15 < record["simulated_psnr_y"] < record["float_psnr_y"]
    assert 0 < record["simulated_ssim_y"] < record["float_ssim_y"] < 1
    drop = record["float_psnr_y"] - record["simulated_psnr_y"]
    assert record["simulated_drop_db"] == pytest.approx(drop, abs=1e-3)
    assert 4 <= record["simulated_fab"] <= 6
    assert record["simulated_fab"] == pytest.approx(
        np.mean([picture["simulated_fab"] for picture in record["pictures"]]), abs=1e-3
    )
    assert 0 < record["simulated_bit_ops"] < record["float_bit_ops"]
    assert set(record["seconds"]) == {"load", "calibrate", "clip", "tune", "judge"}
    assert set(record["details"]["layer_map"]) == {f"body.{i}" for i in range(4)}
    deployed = {"program", "psnr_quantized", "drop_db", "gate", "reference_mismatches"}
    assert not deployed & set(record)


def test_the_seed_decides_every_figure(simulate: Simulate, tmp_path: Path) -> None:
    records = []
    for seed in ("0", "0", "1"):
        simulate(
            "--calib-images",
            "2",
            "--epochs",
            "1",
            "--iterations",
            "1",
            "--seed",
            seed,
            "--json",
            tmp_path / "x",
        )
        records.append(json.loads((tmp_path / "x").read_text()) | {"seconds": None, "seed": None})
    assert records[0] == records[1]
    assert records[0]["simulated_psnr_to_float"] != records[2]["simulated_psnr_to_float"]


@pytest.mark.parametrize("method", ["pams", "minmax", "percentile", "omse"])
def test_baselines_share_the_interface(simulate: Simulate, tmp_path: Path, method: str) -> None:
    outcome = simulate("--method", method, "--calib-images", "4", "--json", tmp_path / "x")
    assert outcome.code == 0
    record = json.loads((tmp_path / "x").read_text())
    assert record["simulated_fab"] == 5 and record["epochs"] == 0 and "tune" not in record["seconds"]


def test_everything_and_by_tile(simulate: Simulate, tmp_path: Path) -> None:
    flags = ("--fully-quantized", "--by-tile", "--epochs", "0", "--calib-images", "4")
    assert simulate(*flags, "--json", tmp_path / "x").code == 0
    record = json.loads((tmp_path / "x").read_text())
    assert record["unit"] == "tile" and record["fully_quantized"] is True


def test_one_crop_turns_the_image_map_off(simulate: Simulate) -> None:
    outcome = simulate("--calib-images", "1", "--epochs", "0")
    assert outcome.code == 0
    assert "image map is off" in outcome.err


def test_pictures_that_say_nothing_are_named_and_skipped(
    simulate: Simulate, tmp_path: Path, photos: Path
) -> None:
    (tmp_path / "good.png").write_bytes((photos / "0.png").read_bytes())
    Image.new("RGB", (64, 64), "red").save(tmp_path / "flat.png")
    Image.new("RGB", (5, 5)).save(tmp_path / "tiny.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    outcome = simulate("--epochs", "0", "--calib-images", "2", images=tmp_path)
    assert outcome.code == 0 and "on 1 picture" in outcome.out
    assert all(name in outcome.err for name in ("flat.png", "tiny.png", "broken.png", "3 pictures skipped"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--method", "magic"], "Known methods: adabm, adabm-percentile, pams, minmax, percentile, omse"),
        (["--weight-bits", "1"], "--weight-bits 1: give 2 to 8"),
        (["--activation-bits", "9"], "--activation-bits 9: give 2 to 8"),
        (["--calib-images", "0"], "--calib-images 0"),
        (["--epochs", "-1"], "--epochs -1"),
        (["--iterations", "0"], "--iterations 0"),
        (["--method", "minmax", "--epochs", "2"], "minmax has nothing to tune"),
        (["--seed", "-1"], "--seed -1"),
        (["--pixel-range", "3"], "--pixel-range 3"),
        (["--scale", "3"], "x3"),
        (["--json", "/absent/x.json"], "cannot be written"),
    ],
)
def test_wrong_values_are_one_line(simulate: Simulate, flags: list[str], words: str) -> None:
    assert words in simulate(*flags).error


def test_what_is_missing_is_named(command: Command, photos: Path) -> None:
    assert "--images" in command("simulate", "plain", *WIDTHS).error
    assert "--weight-bits" in command("simulate", "plain", "--images", photos).error


def test_folders_without_a_usable_picture(simulate: Simulate, tmp_path: Path) -> None:
    absent, empty, flat, tiny = (tmp_path / name for name in ("absent", "empty", "flat", "tiny"))
    for folder in (empty, flat, tiny):
        folder.mkdir()
    Image.new("RGB", (64, 64)).save(flat / "a.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)).save(tiny / "a.png")
    cases = {absent: "no such folder", empty: "no pictures", flat: "one colour", tiny: "at least 16x16"}
    for folder, words in cases.items():
        for line in (
            simulate("--epochs", "0", "--calib-images", "1", images=folder).error,
            simulate("--epochs", "0", "--calib-images", "1", "--calib", folder).error,
        ):
            assert words in line and str(folder) in line


NO_BODY = """
from torch import nn


def make():
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
"""


def test_networks_without_a_body_are_refused(
    simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bodiless.py").write_text(NO_BODY)
    monkeypatch.chdir(tmp_path)
    assert "nothing lies between its head and its tail" in simulate(model="bodiless:make").error


OWN = """
import torch
from torch import nn


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head, self.body = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.tail, self.up = nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def forward(self, x):
        near = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return near + self.up(self.tail(torch.relu(self.body(torch.relu(self.head(x))))))
"""


def test_ones_own_network_with_a_stated_pixel_range(
    simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "owned.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    flags = ("--pixel-range", "255", "--epochs", "0", "--calib-images", "2", "--json", tmp_path / "x")
    assert simulate(*flags, model="owned:Own").code == 0
    record = json.loads((tmp_path / "x").read_text())
    assert record["details"]["layer_map"] == {"body": 0}
    assert record["simulated_psnr_y"] == record["float_psnr_y"]  # the body's noise meets a tail of zeros


def test_help_names_every_method_and_shows_what_to_paste(command: Command) -> None:
    outcome = command("simulate", "--help")
    assert outcome.code == 0
    assert all(name in outcome.out for name in METHODS)
    assert "edgesr simulate" in outcome.out.split("Examples", 1)[1]
