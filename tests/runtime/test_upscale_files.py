"""Picture files of any size come out as the same pixels, or not at all."""

import errno
import os
import resource
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import edgesr_runtime.upscale_files as module
from edgesr_runtime import Manner, Program, UserError, upscale, upscale_file
from edgesr_runtime.engines import Floats
from edgesr_runtime.memory import MEGABYTE, held, parse_size
from edgesr_runtime.pictures import load_picture

from .test_upscale import RecordingEngine
from .tiny_program import tiny_info, tiny_program

PICTURE = np.random.default_rng(0).integers(0, 256, (70, 45, 4), dtype=np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROGRAM = Program(tiny_info(variants=("low", "high")), RecordingEngine())
EXPECTED = upscale(PROGRAM, PICTURE)


@pytest.fixture(params=["whole", "strips"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By Pillow, or by libvips as though the whole did not fit."""
    if request.param == "strips":
        for name in ("_reading", "_writing"):
            every = getattr(module, name)
            monkeypatch.setattr(module, name, lambda *a, every=every: [w for w in every(*a) if w.strips])
    return str(request.param)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(PICTURE).save(path, icc_profile=PROFILE)
    return path


@pytest.mark.parametrize("name", ["out.png", "out.tif"])
def test_alpha_and_profile_go_along(source: Path, way: str, name: str) -> None:
    assert upscale_file(PROGRAM, source, source.with_name(name)) == ()
    np.testing.assert_array_equal(load_picture(source.with_name(name)), EXPECTED)
    assert Image.open(source.with_name(name)).info["icc_profile"] == PROFILE
    assert {path.name for path in source.parent.iterdir()} == {"in.png", name}


def test_alpha_is_left_out_with_a_word_where_there_is_none(source: Path, way: str) -> None:
    (note,) = upscale_file(PROGRAM, source, source.with_name("out.jpg"))
    assert "out.jpg: JPEG has no alpha" in note
    result = Image.open(source.with_name("out.jpg"))
    assert not result.getexif()
    assert result.mode == "RGB" and result.size == (90, 140) and result.info["icc_profile"] == PROFILE


def test_jpeg_is_close_by(tmp_path: Path, way: str) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)[..., None].repeat(3, 2)
    Image.fromarray(smooth).save(tmp_path / "in.png")
    upscale_file(PROGRAM, tmp_path / "in.png", tmp_path / "out.jpg")
    result = load_picture(tmp_path / "out.jpg").astype(int)
    assert np.abs(result - upscale(PROGRAM, smooth)).max() <= 4


@pytest.mark.parametrize("name", ["out.bmp", "out.ppm", "out.webp"])
def test_formats_that_need_the_whole(source: Path, name: str) -> None:
    notes = upscale_file(PROGRAM, source, source.with_name(name))
    result = load_picture(source.with_name(name))
    np.testing.assert_array_equal(result[..., :3], EXPECTED[..., :3])
    assert (result.shape[2] == 3) == bool(notes) == (name != "out.webp")


def test_a_turned_picture_is_upright(source: Path, way: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PICTURE).save(source, exif=exif)
    upscale_file(PROGRAM, source, source.with_name("out.png"))
    expected = upscale(PROGRAM, np.rot90(PICTURE, 3))
    np.testing.assert_array_equal(load_picture(source.with_name("out.png")), expected)


class Stopped(Exception):
    pass


class FailingEngine(RecordingEngine):
    """Fails at one run, then works again."""

    left = 3

    def run(self, variant: str, batch: Floats) -> Floats:
        self.left -= 1
        if self.left == 0:
            raise UserError("the engine has failed")
        return super().run(variant, batch)


def fails_without_a_trace(
    source: Path, expected: type[BaseException], work: Callable[[Path], object]
) -> BaseException:
    """Run `work` on a target that holds something, and on one that does not."""
    before = threads()
    old, new = source.with_name("old.png"), source.with_name("new.png")
    old.write_bytes(b"mine")
    for target in (old, new):
        with pytest.raises(expected) as caught:
            work(target)
    assert old.read_bytes() == b"mine"
    old.unlink()
    assert list(source.parent.iterdir()) == [source]
    assert threads() == before
    upscale_file(PROGRAM, source, new)
    np.testing.assert_array_equal(load_picture(new), EXPECTED)
    return caught.value


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("edgesr")}


@pytest.mark.parametrize("interruption", [Stopped, KeyboardInterrupt])
@pytest.mark.parametrize("last", [1, 5, 6, 24])
def test_stops_at_any_tile(source: Path, way: str, last: int, interruption: type[BaseException]) -> None:
    def progress(done: int, total: int) -> None:
        assert total == 24
        if done == last:
            raise interruption

    fails_without_a_trace(
        source, interruption, lambda target: upscale_file(PROGRAM, source, target, progress=progress)
    )


def test_an_engines_error_ends_one_picture(source: Path, way: str) -> None:
    def work(target: Path) -> None:
        program = Program(PROGRAM.info, FailingEngine())
        with pytest.raises(UserError, match="engine has failed"):
            upscale_file(program, source, target)
        assert not target.exists() or target.read_bytes() == b"mine"
        upscale_file(program, source, source.with_name("next.png"))
        np.testing.assert_array_equal(load_picture(source.with_name("next.png")), EXPECTED)
        source.with_name("next.png").unlink()
        raise Stopped

    fails_without_a_trace(source, Stopped, work)


def test_a_full_disk_is_told(source: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def work(target: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", refuse)
            upscale_file(PROGRAM, source, target)

    assert "the disk is full; free some space" in str(fails_without_a_trace(source, UserError, work))


@pytest.mark.parametrize("name", ["full.png", "full.jpg", "full.tif"])
def test_a_device_without_room_is_told(source: Path, way: str, name: str) -> None:
    """Where the encoder itself meets the full disk."""
    target = source.with_name(name)
    target.symlink_to("/dev/full")
    with pytest.raises(UserError, match=rf"{name} cannot be written"):
        upscale_file(PROGRAM, source, target)


@pytest.mark.parametrize("quality", [30, 95])
def test_a_jpeg_that_ends_in_the_middle(source: Path, way: str, quality: int) -> None:
    cut = source.with_name("cut.jpg")
    Image.fromarray(PICTURE[..., :3]).save(cut, quality=quality)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cut\.jpg cannot be read as a picture: the file is damaged"):
        upscale_file(PROGRAM, cut, source.with_name("out.png"))
    assert {path.name for path in source.parent.iterdir()} == {"in.png", "cut.jpg"}


def test_too_little_memory_is_told_before_any_work(source: Path) -> None:
    seen: list[int] = []
    with pytest.raises(UserError, match=r"in\.png: enlarging it takes (\d+) MB .* give --memory \1MB"):
        upscale_file(
            PROGRAM, source, source.with_name("out.png"),
            memory=MEGABYTE, progress=lambda done, total: seen.append(done),
        )  # fmt: skip
    assert not seen and list(source.parent.iterdir()) == [source]


def test_a_file_that_claims_to_be_huge_is_refused_before_its_tiles_are_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "in.png")
    content = bytearray((tmp_path / "in.png").read_bytes())
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "in.png").write_bytes(content)
    planned: list[int] = []
    plan_for = module.plan_for
    monkeypatch.setattr(
        module, "plan_for", lambda info, *sides: planned.append(sides[0] * sides[1]) or plan_for(info, *sides)
    )
    with pytest.raises(UserError, match=r"in\.png: enlarging it takes \d+ MB"):
        upscale_file(PROGRAM, tmp_path / "in.png", tmp_path / "out.png")
    assert max(planned) == 100_000


def test_large_pictures_without_pyvips_name_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (3000, 3000)).save(tmp_path / "in.png")
    monkeypatch.setitem(sys.modules, "pyvips", None)
    monkeypatch.setattr(module, "held", lambda: 60 * MEGABYTE)
    with pytest.raises(UserError, match=r"in.png: more than fits into 200 MB needs pyvips .*\[vips\]"):
        upscale_file(PROGRAM, tmp_path / "in.png", tmp_path / "out.png", memory=200 * MEGABYTE)


def test_a_picture_that_the_format_cannot_hold(tmp_path: Path) -> None:
    Image.new("RGB", (9000, 1)).save(tmp_path / "in.png")
    with pytest.raises(UserError, match=r"out\.webp: WEBP cannot hold 18000x2 pixels"):
        upscale_file(PROGRAM, tmp_path / "in.png", tmp_path / "out.webp")


def test_seconds_are_kept_to_and_zero_skips_all(source: Path, way: str) -> None:
    engine = RecordingEngine()
    program = Program(PROGRAM.info, engine)
    upscale_file(program, source, source.with_name("out.png"), Manner(seconds=3600.0))
    measured = len(engine.ran)
    assert engine.ran.count("high") >= 24
    upscale_file(program, source, source.with_name("none.png"), Manner(seconds=0.0))
    ran = engine.ran[measured:]
    assert len(ran) <= 8 + 24 * 2 and ran.count("high") <= 4 + 24
    skipped = upscale(program, PICTURE, "skip")
    upscale_file(program, source, source.with_name("skip.png"), Manner(route="skip"))
    np.testing.assert_array_equal(load_picture(source.with_name("skip.png")), skipped)


SCRIPT = """
import sys
from pathlib import Path
from edgesr_runtime import open_program, upscale_file
program = open_program(sys.argv[1], trusted=True)
upscale_file(program, sys.argv[2], sys.argv[3], memory=int(sys.argv[4]))
# Not getrusage, which begins with what the parent held.
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) * 1024)
"""


def test_the_whole_process_keeps_to_the_budget(tmp_path: Path) -> None:
    """12 megapixels make 48, of which Pillow's copies alone would take 240 MB."""
    info = tiny_info(tile=256, halo=4)
    (tmp_path / "p.tflite").write_bytes(tiny_program(info))
    row = np.random.default_rng(0).integers(0, 256, (1, 4000, 3), dtype=np.uint8)
    picture = row.repeat(3000, 0)
    Image.fromarray(picture).save(tmp_path / "in.png", compress_level=1)
    budget = 260 * MEGABYTE
    arguments = [str(tmp_path / name) for name in ("p.tflite", "in.png", "out.tif")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments, str(budget)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert int(done.stdout) <= budget
    result = np.asarray(Image.open(tmp_path / "out.tif").crop((0, 5990, 8000, 6000)))
    np.testing.assert_array_equal(result, picture[-5:].repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MB", 512 * 10**6),
        ("1GiB", 2**30),
        ("0.5 gb", 5 * 10**8),
        ("300000KB", 3 * 10**8),
        ("8MiB", 2**23),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "512", "MB", "-1MB", "0MB", "1TB", "1e9MB", "nanMB", f"{10**400}GB"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="no amount of memory"):
        parse_size(text)


def test_tells_what_the_process_holds() -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 10 * MEGABYTE < held() <= peak


def test_a_system_that_does_not_tell_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert held() == 0
