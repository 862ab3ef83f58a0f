"""`--dynamic-size` through the commands."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import QUICK, Command
from PIL import Image

from edgesr_runtime import open_program

pytest.importorskip("executorch", reason="the extra edgesr[executorch] is not installed")


@pytest.mark.parametrize("target", ["tflite", "executorch"])
def test_a_program_of_many_sizes(command: Command, tmp_path: Path, photos: Path, target: str) -> None:
    """Every command takes the file."""
    flags = ("--calib", photos, *QUICK, "--max-drop", "9", "--target", target)
    program, record, image = tmp_path / "program", tmp_path / "p.json", tmp_path / "big.png"
    sized = ("--dynamic-size", "16:48", "--json", record)
    assert command("convert", "plain", "-o", program, *flags, *sized).code == 0
    found = json.loads(record.read_text())
    assert found["sizes"] == {"min": 16, "max": 48} and found["gate"]["passed"]
    assert found["reference_mismatches"] == 0
    assert found["reference_sizes"] == [[16, 16], [48, 16], [16, 48]]

    assert command("upscale", program, photos / "0.png", image).code == 0
    small, big = (Image.open(path).size for path in (photos / "0.png", image))
    assert big == (2 * small[0], 2 * small[1])

    checked = ("--reference", "plain", "--images", photos, "--max-drop", "9", "--json", record)
    assert command("check", program, *checked).code == 0
    assert json.loads(record.read_text())["sizes"] == {"min": 16, "max": 48}
    assert "any height and width from 16 to 48" in command("inspect", program).out
    opened = open_program(program)
    batch = np.random.default_rng(0).random((1, 48, 17, 3), np.float32)
    assert opened.engine.run("serving_default", batch).shape == (1, 96, 34, 3)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--dynamic-size", "16"], "give MIN:MAX"),
        (["--dynamic-size", "64:16"], "the smaller number first"),
        (["--dynamic-size", "16:64", "--converter", "litert-torch"], "has no such thing: leave it out"),
        (["--dynamic-size", "16:31", "--tile", "32"], "the tile has 32 pixels: give --tile 16 to 31"),
    ],
)
def test_ranges_that_cannot_be(command: Command, tmp_path: Path, flags: list[str], words: str) -> None:
    output = tmp_path / "out.tflite"
    line = command("convert", "plain", "-o", output, *flags).error
    assert line.startswith("edgesr: --dynamic-size") and words in line
    assert not output.exists()
