"""Folders with more in them than good pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesr.errors import UserError
from edgesr.evaluation.folder import list_pictures, read_folder, read_pictures, skip_warnings


def write(path: Path, height: int = 6, width: int = 8, colour: int = 0) -> Path:
    Image.fromarray(np.full((height, width, 3), colour, np.uint8)).save(path)
    return path


def test_pictures_come_sorted_by_name_with_their_pixels(tmp_path: Path) -> None:
    for colour, name in enumerate(["b.png", "a.bmp", "c.PNG"]):
        write(tmp_path / name, colour=colour)
    folder = read_folder(tmp_path)
    assert [picture.name for picture in folder.pictures] == ["a.bmp", "b.png", "c.PNG"]
    assert [int(picture.rgb[0, 0, 0]) for picture in folder.pictures] == [1, 0, 2]
    assert folder.pictures[0].rgb.shape == (6, 8, 3)
    assert folder.skipped == ()


def test_other_files_hidden_files_and_sub_folders_are_no_pictures(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".a.png").write_text("x")
    (tmp_path / "sub.png").mkdir()
    write(tmp_path / "sub.png" / "b.png")
    assert list_pictures(tmp_path) == (tmp_path / "a.png",)


def test_broken_and_small_pictures_are_skipped_and_named(tmp_path: Path) -> None:
    write(tmp_path / "good.png")
    write(tmp_path / "small.png", height=3)
    (tmp_path / "text.jpg").write_text("no picture")
    half = write(tmp_path / "half.png", height=64, width=64)
    half.write_bytes(half.read_bytes()[:60])
    folder = read_folder(tmp_path, min_side=4)
    assert [picture.name for picture in folder.pictures] == ["good.png"]
    assert [name for name, _ in folder.skipped] == ["half.png", "small.png", "text.jpg"]
    assert dict(folder.skipped)["small.png"] == "8x3 pixels, at least 4x4 are needed"


def test_a_folder_without_a_usable_picture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere: no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no pictures in it"):
        read_folder(tmp_path)
    path = write(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png: not a folder"):
        read_folder(path)
    path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"no picture can be used \(1 skipped, first a\.png") as caught:
        read_folder(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))
    with pytest.raises(UserError, match="no picture can be used"):
        read_pictures([])


def test_warnings_name_and_count() -> None:
    lines = skip_warnings(Path("d"), [("a.png", "d/a.png is broken"), ("b.png", "too small")])
    assert lines == ("skipped d/a.png is broken", "skipped b.png: too small", "d: 2 pictures skipped")
    assert skip_warnings(Path("d"), []) == ()
