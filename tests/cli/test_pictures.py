"""Pictures as people have them: every mode and kind goes in, broken ones are named and skipped."""

from pathlib import Path

import numpy as np
import pytest
from command import QUICK, Command
from PIL import Image

from edgesr.conversion import Options, convert


@pytest.fixture
def odd_pictures(tmp_path: Path, photos: Path) -> Path:
    """One of each kind, and among them what cannot be used."""
    folder = tmp_path / "odd"
    folder.mkdir()
    rgb = Image.open(photos / "0.png")
    rgb.convert("L").save(folder / "grey.png")
    rgb.convert("RGBA").save(folder / "rgba.png")
    rgb.convert("P").save(folder / "palette.png")
    rgb.convert("CMYK").save(folder / "cmyk.jpg")
    deep = np.asarray(rgb.convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(folder / "turned.jpg", exif=exif)
    rgb.save(folder / "moving.webp", save_all=True, append_images=[rgb.rotate(180)], lossless=True)
    rgb.crop((0, 0, 20, 24)).save(folder / "small.png")  # smaller than a tile, and still of use
    half = (photos / "1.png").read_bytes()
    (folder / "truncated.png").write_bytes(half[: len(half) // 2])
    (folder / "text.jpg").write_text("no picture")
    Image.new("RGB", (2, 2)).save(folder / "tiny.png")
    return folder


SKIPPED = ("truncated.png", "text.jpg", "tiny.png")


def test_calibration_takes_every_kind(command: Command, tmp_path: Path, odd_pictures: Path) -> None:
    outcome = command("convert", "plain", "-o", tmp_path / "x.tflite", "--calib", odd_pictures, *QUICK)
    assert outcome.code in (0, 1)
    assert all(any(name in line for line in outcome.err.splitlines()) for name in SKIPPED)
    assert "3 pictures skipped" in outcome.err
    assert "8 usable pictures, 16 were asked for" in outcome.err


def test_check_takes_every_kind(command: Command, program: Path, odd_pictures: Path) -> None:
    outcome = command("check", program, "--reference", "plain", "--images", odd_pictures, "--max-drop", "9")
    assert outcome.code == 0
    assert "on 8 pictures" in outcome.out
    assert "3 pictures skipped" in outcome.err


def test_upscale_takes_every_kind(
    command: Command, tmp_path: Path, program: Path, odd_pictures: Path
) -> None:
    outcome = command("upscale", program, odd_pictures, tmp_path / "big")
    assert outcome.code == 0
    made = {path.name: Image.open(path).size for path in (tmp_path / "big").iterdir()}
    assert set(made) == {f"{p.stem}.png" for p in odd_pictures.iterdir()} - {"truncated.png", "text.png"}
    assert made["grey.png"] == (224, 192)
    assert made["turned.png"] == (192, 224)
    assert made["tiny.png"] == (4, 4)
    assert "2 pictures skipped" in outcome.err


def test_upscale_gives_each_picture_a_result_of_its_own(
    command: Command, tmp_path: Path, program: Path
) -> None:
    """Pictures of one name keep their extension, and a picture may be called as one of those."""
    folder = tmp_path / "alike"
    folder.mkdir()
    for grey, name in enumerate(("a.jpg", "a.png", "a.jpg.png")):
        Image.new("RGB", (8, 8), (90 * grey,) * 3).save(folder / name)
    assert command("upscale", program, folder, tmp_path / "big").code == 0
    made = {path.name for path in (tmp_path / "big").iterdir()}
    assert made == {"a.jpg.png", "a.png.png", "a.jpg.png.png"}


def test_a_pictures_name_is_shown_as_it_is(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    folder = tmp_path / "edited"
    folder.mkdir()
    (folder / "photo [bold].png").write_bytes((photos / "0.png").read_bytes())
    outcome = command("check", program, "--reference", "plain", "--images", folder, "--max-drop", "99")
    assert outcome.code == 0
    assert "photo [bold].png" in " ".join(outcome.out.split())
    assert "on 1 picture (" in outcome.out


def test_upscale_of_a_broken_picture(
    command: Command, tmp_path: Path, program: Path, odd_pictures: Path
) -> None:
    line = command("upscale", program, odd_pictures / "truncated.png", tmp_path / "x.png").error
    assert "truncated.png" in line
    assert not (tmp_path / "x.png").exists()


def test_upscale_never_overwrites_unasked(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    target = tmp_path / "big.png"
    target.write_bytes(b"mine")
    assert "--force" in command("upscale", program, photos / "0.png", target).error
    assert target.read_bytes() == b"mine"
    assert command("upscale", program, photos / "0.png", target, "--force", "--threads", "1").code == 0
    assert Image.open(target).size == (224, 192)
    assert "it is the input" in command("upscale", program, target, target, "--force").error


def test_upscale_refuses_what_it_cannot_write(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    picture = photos / "0.png"
    assert "no such file" in command("upscale", program, tmp_path / "absent.png", tmp_path / "x.png").error
    assert ".xyz" in command("upscale", program, picture, tmp_path / "x.xyz").error
    assert "cannot be written" in command("upscale", program, picture, tmp_path / "no" / "x.png").error
    (tmp_path / "file").write_text("x")
    assert "give a folder" in command("upscale", program, photos, tmp_path / "file").error
    assert "no pictures" in command("upscale", program, tmp_path, tmp_path / "new").error
    assert not (tmp_path / "new").exists()


def test_one_picture_has_to_do(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "0.png").write_bytes((photos / "0.png").read_bytes())
    options = Options("plain", tmp_path / "x", calib=tmp_path / "one", bits="w8a8", method="minmax", tile=32)
    assert any("both calibrates and judges" in line for line in convert(options).warnings)


def test_upscale_by_routes_and_within_a_time(
    command: Command, tmp_path: Path, program: Path, photos: Path
) -> None:
    def enlarged(*flags: str) -> bytes:
        outcome = command("upscale", program, photos / "0.png", tmp_path / "x.png", "--force", *flags)
        assert outcome.code == 0
        return Image.open(tmp_path / "x.png").tobytes()

    assert enlarged("--route", "skip") == enlarged("--seconds", "0")
    assert enlarged("--route", "skip") != enlarged() == enlarged("--seconds", "60")
    refused = command("upscale", program, photos / "0.png", tmp_path / "y.png", "--route", "low")
    assert "has no variant 'low'" in refused.error


def test_upscale_keeps_alpha_and_says_where_it_cannot(
    command: Command, tmp_path: Path, program: Path, odd_pictures: Path
) -> None:
    assert command("upscale", program, odd_pictures / "rgba.png", tmp_path / "x.png").err == ""
    assert Image.open(tmp_path / "x.png").mode == "RGBA"
    outcome = command("upscale", program, odd_pictures / "rgba.png", tmp_path / "x.jpg")
    assert outcome.code == 0 and "JPEG has no alpha" in outcome.err


def test_upscale_within_a_memory(command: Command, tmp_path: Path, program: Path, photos: Path) -> None:
    target = tmp_path / "x.png"
    assert "no amount of memory" in command("upscale", program, photos, target, "--memory", "much").error
    assert "give --memory" in command("upscale", program, photos / "0.png", target, "--memory", "1MB").error
    assert not target.exists()
    assert command("upscale", program, photos / "0.png", target, "--memory", "1GiB").code == 0
