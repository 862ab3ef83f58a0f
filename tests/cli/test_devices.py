"""`edgesr devices` and the flags that name devices."""

import json
from pathlib import Path

import pytest
from command import QUICK, Command

from edgesr.devices.host import Agreement
from edgesr.devices.places import CPUS
from edgesr.devices.setups import SETUPS
from edgesr.steps import device_checks
from edgesr.steps.device_checks import Row


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Row:
    """What every device answers."""
    row = Row(
        "arm64", "Arm Cortex-A76, emulated", "cortex-a76", True, "serving_default", Agreement(7, 99, 1, 70.0)
    )
    row = Row(**{**row.__dict__, "failures": ("Arm Cortex-A76, emulated: 7 values differ",)})
    monkeypatch.setattr(device_checks, "setup", lambda name, stages: None)
    for module in ("checking", "conversion"):
        monkeypatch.setattr(f"edgesr.{module}.check_devices", lambda *_: (row,))
    return row


def test_the_list_names_every_place_and_setup(command: Command) -> None:
    out = command("devices").out
    assert all(name in out for name in (*CPUS, *SETUPS)) and "emulated" in out and "MB" in out


def test_help_shows_what_to_paste(command: Command) -> None:
    for arguments in (("devices", "--help"), ("devices", "setup", "--help")):
        outcome = command(*arguments)
        assert outcome.code == 0 and "edgesr devices setup arm64" in outcome.out


def test_an_unknown_setup_is_one_line(command: Command) -> None:
    assert "android-sdk" in command("devices", "setup", "frob").error


@pytest.mark.parametrize("flags", [("--on", "pixel"), ("--on", ""), ("--on", "arm64", "--cpu", "x86")])
def test_unknown_devices_are_one_line(
    command: Command, program: Path, photos: Path, flags: tuple[str, ...]
) -> None:
    line = command("check", program, "--reference", "plain", "--images", photos, *flags).error
    assert "arm64,android-libs" in line or "cortex-a53" in line


def test_check_tells_of_every_device(
    command: Command, program: Path, photos: Path, tmp_path: Path, row: Row
) -> None:
    figures = tmp_path / "check.json"
    outcome = command(
        "check", program, "--reference", "plain", "--images", photos, "--on", "arm64", "--json", figures
    )
    assert outcome.code == 1 and "7 values differ" in outcome.err and "7 of 99" in outcome.out
    record = json.loads(figures.read_text())
    assert [device["device"] for device in record["devices"]] == ["host", "arm64"]
    assert record["reference_mismatches"] == 7 and not record["gate"]["passed"]


def test_convert_writes_the_program_and_what_devices_say(
    command: Command, photos: Path, tmp_path: Path, row: Row
) -> None:
    output, figures = tmp_path / "p.tflite", tmp_path / "p.json"
    outcome = command(
        "convert", "plain", "-o", output, "--calib", photos, *QUICK, "--verify-on", "arm64", "--json", figures
    )
    assert outcome.code == 1 and output.exists()
    record = json.loads(figures.read_text())
    assert record["devices"][1]["reference_mismatches"] == 7 == record["reference_mismatches"]
    inspected = command("inspect", output, "--json")
    assert json.loads(inspected.out)["evidence"]["devices"] == record["devices"]
