"""A picture gives the same pixels whether it is decoded as a whole, in strips, or by way of the disk."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from edgesr_runtime.errors import UserError
from edgesr_runtime.pictures import load_picture, load_rgb
from edgesr_runtime.pictures.reading import in_strips, read_header, whole
from edgesr_runtime.pictures.source import Source

RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH = 150, 37  # more than a block of the spool
RGBA = RANDOM.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
RGB, GREY = RGBA[..., :3], RGBA[..., 0]
DEEP = RANDOM.integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)


def pillow(pixels: np.ndarray, **options: object) -> Callable[[Path], None]:
    mode = options.pop("mode", None)
    image = Image.fromarray(pixels)
    return lambda path: (image.convert(mode) if mode else image).save(path, **options)


def vips(pixels: np.ndarray, **options: object) -> Callable[[Path], None]:
    image = pyvips.Image.new_from_array(pixels)
    if pixels.dtype == np.uint16:
        image = image.copy(interpretation="rgb16")
    return lambda path: image.write_to_file(str(path), **options)


KINDS: dict[str, Callable[[Path], None]] = {
    "plain.jpg": pillow(RGB),
    "small-colours.jpg": pillow(RGB, subsampling=2, quality=60),
    "grey.jpg": pillow(GREY),
    "cmyk.jpg": pillow(RGB, mode="CMYK"),
    "progressive.jpg": pillow(RGB, progressive=True),
    "plain.png": pillow(RGB),
    "alpha.png": pillow(RGBA),
    "grey.png": pillow(GREY),
    "grey-alpha.png": pillow(RGBA, mode="LA"),
    "palette.png": pillow(RGB, mode="P"),
    "palette-transparent.png": pillow(RGB, mode="P", transparency=3),
    "grey-transparent.png": pillow(GREY // 64, transparency=2),
    "colour-transparent.png": pillow(RGB // 255 * 255, transparency=(0, 0, 0)),
    "bits.png": pillow(GREY > 100),
    "deep-grey.png": pillow(DEEP[..., 0]),
    "deep-grey-transparent.png": pillow(DEEP[..., 0] // 16384, transparency=2),
    "interlaced.png": vips(RGB, interlace=True),
    "interlaced-alpha.png": vips(RGBA, interlace=True),
    "plain.tif": pillow(RGB),
    "alpha.tif": pillow(RGBA),
    "deflate.tif": pillow(RGB, compression="tiff_deflate"),
    "tiled.tif": vips(RGB, tile=True, compression="lzw"),
    "cmyk.tif": pillow(RGB, mode="CMYK"),
    "palette.tif": pillow(RGB, mode="P"),
    "deep-grey.tif": pillow(DEEP[..., 0]),
}


def rows(source: Source, step: int = 50) -> np.ndarray:
    pixels = np.empty((source.height, source.width, source.channels), np.uint8)
    for top in range(0, source.height, step):
        source.read(pixels[top : top + step])
    return pixels


@pytest.mark.parametrize("name", KINDS)
def test_strips_are_the_whole(tmp_path: Path, name: str) -> None:
    KINDS[name](tmp_path / name)
    header = read_header(tmp_path / name)
    expected = load_picture(tmp_path / name)
    assert header.strips and header.alpha == (expected.shape[2] == 4) == ("transp" in name or "alpha" in name)
    assert header.spools == ("progressive" in name or "interlaced" in name)
    with in_strips(header, tmp_path, "this") as source:
        np.testing.assert_array_equal(rows(source), expected)
        source.rewind()
        np.testing.assert_array_equal(rows(source, 7), expected)
    np.testing.assert_array_equal(rows(whole(header)), expected)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("extension", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_go_by_way_of_the_disk(tmp_path: Path, extension: str, orientation: int) -> None:
    path = tmp_path / f"a.{extension}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB).save(path, exif=exif)
    header = read_header(path)
    assert header.spools == (orientation != 1)
    with in_strips(header, tmp_path, "this") as source:
        assert (source.height, source.width) == header.upright
        np.testing.assert_array_equal(rows(source), load_rgb(path))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_colour_is_scaled_exactly(tmp_path: Path, name: str) -> None:
    vips(DEEP, **({"compression": "none"} if name == "a.tif" else {}))(tmp_path / name)
    expected = (DEEP.astype(np.int64) * 255 + 32767) // 65535
    np.testing.assert_array_equal(load_picture(tmp_path / name), expected)


def test_16_bit_colour_without_pyvips_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vips(DEEP)(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "pyvips", None)
    with pytest.raises(UserError, match=r"a.png: 16-bit colour needs pyvips .*edgesr-runtime\[vips\]"):
        load_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    "name", ["plain.jpg", "progressive.jpg", "plain.png", "interlaced.png", "deflate.tif"]
)
def test_a_file_that_ends_in_the_middle_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    KINDS[name](path)
    header = read_header(path)
    if name.endswith("tif"):  # whose directory stands at its end
        data = bytearray(path.read_bytes())
        data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
        path.write_bytes(data)
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with (
        pytest.raises(UserError, match=f"{name} cannot be read as a picture: the file is damaged"),
        in_strips(header, tmp_path, "this") as source,
    ):
        rows(source)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_under_the_temporary_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    full = Path("/dev/full").open("w+b")  # noqa: SIM115 - closed by the block that asks for it
    monkeypatch.setattr("tempfile.TemporaryFile", lambda dir: full)
    with (
        pytest.raises(UserError, match=r"no temporary file of 1 MB .*No space left.*free some space"),
        in_strips(read_header(tmp_path / "a.png"), tmp_path, "this"),
    ):
        pass


def test_profiles_of_other_colours_are_left_behind(tmp_path: Path) -> None:
    for number, (space, kept) in enumerate(((b"RGB ", True), (b"CMYK", False), (b"GRAY", False))):
        profile = bytes(16) + space + bytes(108)
        path = tmp_path / f"{number}.png"
        Image.fromarray(RGB).save(path, icc_profile=profile)
        assert whole(read_header(path)).profile == (profile if kept else None)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match=r"pipe\.png is no ordinary file"):
        load_picture(tmp_path / "pipe.png")
