"""`--bits auto` under budgets of bytes and milliseconds, and its search after an interruption."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Command

from edgesr.conversion import Options, convert
from edgesr.devices.costs import CostTable
from edgesr.evaluation.judge import Foreseen
from edgesr.quantization.plan import Plan
from edgesr.steps.measuring import Measuring
from edgesr.steps.work import Work

SMALL = ("--tile", "32", "--calib")


def record_of(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def test_a_compressed_file_is_made_small_enough_and_every_command_reads_it(
    command: Command, tmp_path: Path, photos: Path
) -> None:
    output, report = tmp_path / "plain.tflite.gz", tmp_path / "plain.json"
    flags = (*SMALL, photos, "--compress", "--max-drop", "3", "--json", report)
    assert command("convert", "plain", "-o", output, *flags).code == 0
    free = record_of(report)
    assert free["bytes"] == free["bytes_compressed"] == output.stat().st_size
    limit = int(free["bytes"] * 0.93)

    assert command("convert", "plain", "-o", output, *flags, "--max-bytes", str(limit)).code == 0
    record = record_of(report)
    assert record["bytes"] == output.stat().st_size <= limit == record["gate"]["max_bytes"]
    assert {layer["weight_bits"] for layer in record["layers"]} == {4, 8}
    assert record["reference_mismatches"] == 0

    assert command("inspect", output).code == 0
    assert command("upscale", output, photos / "0.png", tmp_path / "big.png").code == 0
    checked = ("--reference", "plain", "--images", photos, "--max-drop", "3", "--json", report)
    assert command("check", output, *checked).code == 0
    assert record_of(report)["bytes"] == output.stat().st_size


@pytest.mark.parametrize(("flag", "value"), [("--max-bytes", "1000"), ("--max-ms", "0.0001")])
def test_a_budget_that_nothing_keeps_fails_the_gate(
    command: Command, tmp_path: Path, photos: Path, flag: str, value: str
) -> None:
    output = tmp_path / "p.tflite"
    outcome = command("convert", "plain", "-o", output, *SMALL, photos, "--max-drop", "3", flag, value)
    assert outcome.code == 1 and output.is_file()
    assert "no choice of bits keeps to" in outcome.err
    assert f"{float(value):g} are allowed" in outcome.err


def test_milliseconds_bound_what_the_drop_may_buy(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a drop that cannot be reached, all that the milliseconds allow is spent, and no more."""
    monkeypatch.setattr(CostTable, "milliseconds", lambda self, typed, tile: 1.0 + floats(typed))

    def floats(typed: Any) -> int:
        return sum(node.op.kind == "Conv2d" for node in typed)

    options = Options("plain", tmp_path / "p.tflite", calib=photos, tile=32, max_drop=0, max_ms=3)
    result = convert(options)
    assert list(result.milliseconds.values()) == [3]
    assert any("within the budgets" in line for line in result.warnings)
    assert result.found is not None and result.found.moves


def test_an_interrupted_search_goes_on(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path / "cache"))
    whole, resumed = (
        Options("plain", tmp_path / name, calib=photos, tile=32, max_drop=0.0) for name in ("a", "b")
    )
    convert(whole)
    measured: list[Plan] = []
    measure = Measuring._foreseen

    def once(self: Measuring, plan: Plan) -> Foreseen:
        measured.append(plan)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return measure(self, plan)

    monkeypatch.setattr(Measuring, "_foreseen", once)
    with pytest.raises(KeyboardInterrupt):
        convert(resumed)
    monkeypatch.setattr(Work, "calibrated", lambda self: pytest.fail("calibrated again"))
    result = convert(resumed)
    assert measured[3].to_json() == measured[2].to_json()  # the one that was cut off is the first
    assert result.found is not None and len(result.found.steps) == len(measured) - 1
    assert resumed.output.read_bytes() == whole.output.read_bytes()
    assert not list((tmp_path / "cache" / "unfinished").iterdir())
