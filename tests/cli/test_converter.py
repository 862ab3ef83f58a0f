"""`--converter litert-torch`: what it cannot do is refused at once; its programs are as usable as others."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command import Command
from PIL import Image

from edgesr.lowering.litert_torch import packages
from edgesr.lowering.litert_torch.model import Model, with_metadata
from edgesr.networks.source import load_network
from edgesr_runtime.program import METADATA_ENTRY, read_info

ROOM = ("--memory", "4GB")  # another test of this process may have imported the converter
THROUGH = ("convert", "plain", "--converter", "litert-torch", "-o", "x.tflite")


@pytest.fixture
def extra_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MODULES", ())


@pytest.mark.usefixtures("extra_is_there")
@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--target", "executorch"], "--target executorch"),
        (["--variants", "low,high"], "--variants low,high"),
        (["--bits", "w4a8"], "give auto, w8a8, f32"),
        (["--bits", "plan.json"], "--bits plan.json"),
        (["--tune"], "--tune"),
        (["--plan", "plan.json"], "--plan"),
        (["--report", "page.html"], "--report"),
        (["--verify-on", "arm64"], "--verify-on"),
        (["--tile", "4"], "--tile 4"),
    ],
)
def test_what_needs_a_graph_is_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert word in command(*THROUGH, *flags).error
    assert not list(tmp_path.iterdir())


def test_the_missing_extra_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MODULES", ("no_such_module",))
    line = command(*THROUGH).error
    assert "no-such-module" in line
    assert "pip install 'edgesr[litert-torch]'" in line


def test_a_network_that_the_graph_lacks_an_op_for_is_shown_the_way(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"normed_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "from torch import nn\n\n\ndef net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.LogSoftmax(1))\n"
    )
    monkeypatch.chdir(tmp_path)
    line = command("convert", f"{name}:net", "-o", "x.tflite").error
    assert "2 (LogSoftmax): the op" in line and "softmax" in line
    assert "--converter litert-torch" in line


@pytest.mark.usefixtures("extra_is_there")
def test_a_program_for_one_size_is_refused(command: Command, tmp_path: Path) -> None:
    program = torch.export.export(load_network("plain").module, (torch.zeros(1, 3, 48, 40),))
    torch.export.save(program, tmp_path / "net.pt2")
    line = command(
        "convert", tmp_path / "net.pt2", "--converter", "litert-torch", "-o", tmp_path / "x.tflite"
    ).error
    assert "40x48" in line and "dynamic" in line


@pytest.fixture
def foreign(program: Path, tmp_path: Path) -> Path:
    """A program that says that litert-torch made it."""
    data = program.read_bytes()
    info = read_info(data)
    model = Model(data)
    model.table.metadata = [m for m in model.table.metadata if m.name.decode() != METADATA_ENTRY]
    said = replace(info, evidence={**(info.evidence or {}), "converter": "litert-torch"})
    path = tmp_path / "foreign.tflite"
    path.write_bytes(with_metadata(model.to_bytes(), said.to_json().encode()))
    return path


def test_it_is_checked_in_decibels_alone(
    command: Command, foreign: Path, program: Path, photos: Path, tmp_path: Path
) -> None:
    records = []
    for path in (foreign, program):
        flags = ("--reference", "plain", "--images", photos, "--max-drop", "1", "--json", tmp_path / "j.json")
        outcome = command("check", path, *flags)
        assert outcome.code == 0, outcome
        records.append(json.loads((tmp_path / "j.json").read_text()))
        if path == foreign:
            assert "judged in dB alone" in outcome.err
            assert "not compared" in outcome.out
    theirs, ours = records
    assert theirs["converter"] == "litert-torch" and "converter" not in ours
    keys = ("reference_mismatches", "reference_values", "psnr_to_reference")
    assert [theirs[key] for key in keys] == [None] * 3
    assert theirs["drop_db"] == ours["drop_db"]
    assert theirs["accelerated"] == ours["accelerated"]
    assert theirs["int8_mac_share"] == ours["int8_mac_share"]


def test_its_gate_fails_in_decibels(command: Command, foreign: Path, photos: Path) -> None:
    outcome = command("check", foreign, "--reference", "plain", "--images", photos, "--max-drop", "0")
    assert outcome.code == 1
    assert "0 dB are allowed" in outcome.err


def test_a_report_on_it_is_refused(command: Command, foreign: Path, photos: Path, tmp_path: Path) -> None:
    flags = ("--reference", "plain", "--images", photos, "--report", tmp_path / "page.html")
    assert "litert-torch" in command("check", foreign, *flags).error
    assert not (tmp_path / "page.html").exists()


def test_it_is_shown_timed_and_run(command: Command, foreign: Path, tmp_path: Path) -> None:
    assert "litert-torch" in command("inspect", foreign).out
    outcome = command("bench", foreign, "--runs", "2", "--json", tmp_path / "bench.json")
    assert outcome.code == 0, outcome
    assert "cannot be read" in " ".join(outcome.out.split())
    (variant,) = json.loads((tmp_path / "bench.json").read_text())["variants"].values()
    assert variant["milliseconds"] > 0 and variant["layers"] == []
    Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(tmp_path / "in.png")
    assert command("upscale", foreign, tmp_path / "in.png", tmp_path / "out.png", *ROOM).code == 0
    assert Image.open(tmp_path / "out.png").size == (14, 18)
