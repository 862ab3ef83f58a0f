"""`edgesr bench` shows every variant and layer, and says the same in JSON."""

import json
from pathlib import Path

from command import Command


def test_shows_and_writes_the_same(command: Command, program: Path, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    outcome = command("bench", program, "--runs", "2", "--json", path)
    assert outcome.code == 0, outcome
    record = json.loads(path.read_text())
    (variant,) = record["variants"].values()
    assert record["target"] == "tflite" and record["threads"] == 1 and variant["outside"] == []
    assert all(layer["name"] in outcome.out for layer in variant["layers"])
    assert variant["milliseconds"] > 0
    assert variant["megapixels_per_second"] > 0


def test_refuses_what_is_no_program(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"TFL3 but nothing more")
    assert str(path) in command("bench", path).error
    assert "no such" in command("bench", tmp_path / "missing.tflite").error
