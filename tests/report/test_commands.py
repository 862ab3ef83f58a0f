"""`--report` of the commands: the page tells what the JSON does, and nothing is left half done."""

import base64
import io
import json
from pathlib import Path
from shutil import copy

import numpy as np
import pytest
from command import QUICK, Command
from PIL import Image

from edgesr.evaluation.resize import downscale, upscale_bicubic
from edgesr_runtime.pictures import load_rgb
from report.html import Element, Page, read

LIMIT = 4_000_000
HOSTILE = "<script>alert(1)<script>.png"


@pytest.fixture(scope="module")
def hostile(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photographs, one of them by a name that a page must not believe."""
    folder = tmp_path_factory.mktemp("hostile")
    for path in photos.iterdir():
        copy(path, folder / path.name)
    (folder / "0.png").rename(folder / HOSTILE)
    return folder


def checked(page: Path, record: dict[str, object]) -> Page:
    text = page.read_text(encoding="utf-8")
    assert len(text) < LIMIT
    found = read(text)
    for name, value in found.figures.items():
        if name in record:
            assert value == ("" if record[name] is None else str(record[name])), name
    assert found.figures["drop_db"] == str(record["drop_db"])
    return found


def decoded(image: Element) -> np.ndarray:
    """The pixels of a picture within a page."""
    content = base64.b64decode(str(image.attributes["src"]).partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize(("target", "bits"), [("tflite", "auto"), ("executorch", "w8a8")])
def test_a_conversion(command: Command, tmp_path: Path, photos: Path, target: str, bits: str) -> None:
    output, page, figures = tmp_path / "p.bin", tmp_path / "p.html", tmp_path / "p.json"
    flags = ("--target", target, "--bits", bits, "--calib", photos, "--tile", "32", "--max-drop", "1")
    outcome = command("convert", "plain", "-o", output, *flags, "--report", page, "--json", figures)
    assert outcome.code == 0, outcome
    record = json.loads(figures.read_text())
    found = checked(page, record)
    assert {"bytes", "bytes_compressed", "psnr_float", "reference_mismatches"} <= set(found.figures)
    assert f"1 of 4 drawn from {photos.name}, held back from calibration" in found.text
    assert ("ai-edge-litert" if target == "tflite" else "executorch") in found.text
    assert len(found.all("rect", class_="int8")) >= 6
    assert found.all("svg", class_="histogram")
    assert ("What the search tried" in found.text) == (bits == "auto")


def test_a_check(command: Command, tmp_path: Path, program: Path, hostile: Path) -> None:
    page, figures = tmp_path / "p.html", tmp_path / "p.json"
    flags = ("--reference", "plain", "--images", hostile, "--max-drop", "1")
    assert command("check", program, *flags, "--report", page, "--json", figures).code == 0
    found = checked(page, json.loads(figures.read_text()))
    assert len(found.all("script")) == 1
    assert HOSTILE in found.text
    assert "all 4 usable ones of" in found.text
    assert len(found.all("figure", class_="compare")) == 2
    for role, score in zip(found.all("span", class_="role"), found.all("span", class_="name"), strict=False):
        (shown,) = [i for i in found.all("img") if i.attributes["alt"] == f"{score.text}: bicubic"]
        lr = downscale(load_rgb(hostile / score.text), 2)
        assert (decoded(shown) == upscale_bicubic(lr, 2)).all(), role.text
    assert not found.all("svg", class_="histogram")


def test_a_report_changes_no_byte_of_the_program(command: Command, tmp_path: Path, photos: Path) -> None:
    flags = ("--calib", photos, *QUICK, "--max-drop", "1")
    for name, more in (("a", ()), ("b", ("--report", tmp_path / "b.html"))):
        assert command("convert", "plain", "-o", tmp_path / name, *flags, *more).code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_where_no_report_can_be_written(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    nowhere, output = tmp_path / "no" / "such.html", tmp_path / "p.tflite"
    line = command("convert", "plain", "-o", output, "--report", nowhere).error
    assert f"{nowhere} cannot be written: its folder does not exist" in line
    assert "choose another name" in command("convert", "plain", "-o", output, "--report", output).error
    assert not output.exists()
    check = ("check", program, "--reference", "plain", "--images", photos)
    before = program.read_bytes()
    assert "choose another name" in command(*check, "--report", program).error
    assert "cannot be written" in command(*check, "--report", nowhere).error
    assert program.read_bytes() == before


def test_a_failed_gate_is_reported(command: Command, tmp_path: Path, photos: Path) -> None:
    page = tmp_path / "p.html"
    flags = ("--calib", photos, *QUICK, "--bits", "w4a8", "--no-tune", "--max-drop", "0", "--report", page)
    assert command("convert", "plain", "-o", tmp_path / "p.tflite", *flags).code == 1
    found = read(page.read_text(encoding="utf-8"))
    assert "Gate failed: it loses" in found.text
    assert found.all("rect", class_="int4")
