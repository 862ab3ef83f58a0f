"""Every kind of picture comes in as the same 8-bit RGB; every bad one is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesr_runtime.errors import UserError
from edgesr_runtime.pictures import check_target, is_picture_name, load_rgb, save_rgb

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
GREY_AS_RGB = np.repeat(GREY[:, :, None], 3, axis=2)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_reads_rgb_as_it_is(tmp_path: Path) -> None:
    loaded = load_rgb(saved(tmp_path / "a.png", Image.fromarray(RGB)))
    assert loaded.dtype == np.uint8 and loaded.flags.writeable and loaded.flags.c_contiguous
    np.testing.assert_array_equal(loaded, RGB)


def test_repeats_grey(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load_rgb(saved(tmp_path / "a.png", Image.fromarray(GREY))), GREY_AS_RGB)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_drops_alpha_without_blending(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB if mode == "RGBA" else GREY)
    image.putalpha(Image.fromarray(GREY))
    expected = RGB if mode == "RGBA" else GREY_AS_RGB
    np.testing.assert_array_equal(load_rgb(saved(tmp_path / "a.png", image)), expected)


@pytest.mark.parametrize("transparency", [None, 1, bytes([0, 128, 255])])
@pytest.mark.filterwarnings("error")
def test_reads_palettes_with_and_without_transparency(tmp_path: Path, transparency: object) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2])
    options = {} if transparency is None else {"transparency": transparency}
    loaded = load_rgb(saved(tmp_path / "a.png", image, **options))
    assert loaded.tolist() == [[[10, 20, 30], [40, 50, 60], [70, 80, 90]]]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_scales_16_bit_grey(tmp_path: Path, name: str) -> None:
    levels = np.array([[0, 128, 129, 256, 257, 32768, 65406, 65407, 65535]], np.uint16)
    loaded = load_rgb(saved(tmp_path / name, Image.fromarray(levels)))
    expected = np.round(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(loaded, np.repeat(expected[:, :, None], 3, axis=2))


def test_scales_16_bit_grey_in_32_bit_containers(tmp_path: Path) -> None:
    levels = np.array([[0, 257, 65535]], np.int32)
    loaded = load_rgb(saved(tmp_path / "a.tif", Image.fromarray(levels)))
    assert loaded[0, :, 0].tolist() == [0, 1, 255]


def test_reads_16_bit_pgm(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 2 1 65535\n" + np.array([257, 65535], ">u2").tobytes())
    assert load_rgb(path)[0, :, 0].tolist() == [1, 255]


def test_reads_one_bit(tmp_path: Path) -> None:
    image = Image.fromarray(GREY > 100)
    expected = np.where(GREY_AS_RGB > 100, 255, 0)
    np.testing.assert_array_equal(load_rgb(saved(tmp_path / "a.png", image)), expected)


def test_reads_cmyk(tmp_path: Path) -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    loaded = load_rgb(saved(tmp_path / "a.tif", image))
    assert loaded.shape == (8, 8, 3) and loaded[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright_by_exif(tmp_path: Path, name: str, orientation: int) -> None:
    flat = np.zeros((16, 32), np.uint8)
    flat[:8, :8] = 255  # a white corner at the top left of the stored pixels
    exif = Image.Exif()
    exif[0x0112] = orientation
    loaded = load_rgb(saved(tmp_path / name, Image.fromarray(flat), exif=exif))
    expected = {
        1: flat,
        2: flat[:, ::-1],
        3: flat[::-1, ::-1],
        4: flat[::-1],
        5: flat.T,
        6: flat.T[:, ::-1],
        7: flat.T[::-1, ::-1],
        8: flat.T[::-1],
    }[orientation]
    np.testing.assert_array_equal(loaded[:, :, 0] > 127, expected > 127)


def test_turns_16_bit_upright(tmp_path: Path) -> None:
    levels = np.array([[0, 257, 65535]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    loaded = load_rgb(saved(tmp_path / "a.png", Image.fromarray(levels), exif=exif))
    assert loaded[:, :, 0].tolist() == [[0], [1], [255]]


@pytest.mark.filterwarnings("error")
def test_a_damaged_exif_block_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(GREY), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\1\x12")
    assert load_rgb(path).shape == (5, 7, 3)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.apng", "a.tif"])
def test_takes_the_first_frame(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    options = {"format": "PNG"} if name == "a.apng" else {}
    path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], **options)
    red, green, blue = load_rgb(path)[4, 4]
    assert red > 240 and green < 16 and blue < 16


def truncated(path: Path) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    saved(path, Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-3000])
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


BAD_PICTURES = {
    "missing.png": (lambda p: p, "no such file"),
    "folder.png": (lambda p: p.mkdir() or p, "it is a folder"),
    "empty.png": (lambda p: written(p, b""), "empty"),
    "text.png": (lambda p: written(p, b"not a picture at all"), "format is none of"),
    "script.eps": (lambda p: written(p, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "none of"),
    "cut.png": (truncated, "damaged"),
    "cut.jpg": (truncated, "damaged"),
    "cut.bmp": (truncated, "damaged"),
    "cut.tif": (truncated, "damaged"),
    "flat.ppm": (lambda p: written(p, b"P6 0 4 255\n"), "pixels|damaged|format"),
    "float.tif": (lambda p: saved(p, Image.fromarray(np.ones((2, 2), np.float32))), "float"),
    "deep.tif": (lambda p: saved(p, Image.fromarray(np.full((2, 2), 70000, np.int32))), "beyond 16 bits"),
    "negative.tif": (lambda p: saved(p, Image.fromarray(np.full((2, 2), -1, np.int32))), "beyond 16 bits"),
    "nul\0.png": (lambda p: p, "null"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_refuses_what_is_no_picture(tmp_path: Path, name: str) -> None:
    make, reason = BAD_PICTURES[name]
    path = make(tmp_path / name)
    with pytest.raises(UserError, match=reason) as caught:
        load_rgb(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_refuses_a_decompression_bomb_but_is_silent_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    load_rgb(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(UserError, match="more than 20 pixels"):
        load_rgb(path)


@pytest.mark.parametrize("extension", [".png", ".PNG", ".webp", ".bmp", ".tif", ".tiff", ".ppm"])
def test_saves_without_loss(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a{extension}"
    save_rgb(path, RGB)
    np.testing.assert_array_equal(load_rgb(path), RGB)
    assert list(tmp_path.iterdir()) == [path]


def test_saves_jpeg_close_by(tmp_path: Path) -> None:
    smooth = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    save_rgb(tmp_path / "a.jpg", smooth[:, ::-1])
    assert np.abs(load_rgb(tmp_path / "a.jpg").astype(int) - smooth).max() <= 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a.xyz", "use one of .bmp"), ("a", "use one of"), ("missing/a.png", "folder does not exist")],
)
def test_refuses_bad_targets_before_and_while_saving(tmp_path: Path, name: str, reason: str) -> None:
    for attempt in (lambda: save_rgb(tmp_path / name, RGB), lambda: check_target(tmp_path / name)):
        with pytest.raises(UserError, match=reason):
            attempt()
    assert not list(tmp_path.iterdir())


def test_refuses_pictures_beyond_the_format(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="WEBP cannot hold 17000x1"):
        save_rgb(tmp_path / "a.webp", np.zeros((1, 17000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "rgb", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3)), np.zeros((0, 2, 3), np.uint8)]
)
def test_saving_anything_but_rgb_is_a_programming_error(tmp_path: Path, rgb: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        save_rgb(tmp_path / "a.png", rgb)


def test_knows_picture_names() -> None:
    assert is_picture_name("A.JPeG") and is_picture_name("x/y.png")
    assert not is_picture_name("a.txt") and not is_picture_name("a.eps") and not is_picture_name("png")
