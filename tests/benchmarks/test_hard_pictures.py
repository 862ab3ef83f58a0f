"""The hard pictures are the same each time, fit every scale, and reach the ends of the range."""

from pathlib import Path

import numpy as np
import pytest
from hard_pictures import PICTURES, main, paint

from edgesr.evaluation.folder import Picture, read_folder


@pytest.fixture(scope="module")
def painted() -> tuple[Picture, ...]:
    return paint()


def test_the_same_pixels_are_painted_again_and_read_back_from_the_folder(
    tmp_path: Path, painted: tuple[Picture, ...]
) -> None:
    main(tmp_path / "new")
    read = {picture.name: picture.rgb for picture in read_folder(tmp_path / "new").pictures}
    assert set(read) == {f"{name}.png" for name in PICTURES}
    for picture in painted:
        np.testing.assert_array_equal(picture.rgb, read[picture.name])


def test_scales_2_3_and_4_crop_nothing(painted: tuple[Picture, ...]) -> None:
    for picture in painted:
        height, width, channels = picture.rgb.shape
        assert (height % 12, width % 12, channels) == (0, 0, 3)


def test_every_picture_reaches_black_and_white(painted: tuple[Picture, ...]) -> None:
    for picture in painted:
        assert picture.rgb.dtype == np.uint8
        assert (picture.rgb.min(), picture.rgb.max()) == (0, 255), picture.name


def test_the_night_is_dark_and_clips_at_both_ends(painted: tuple[Picture, ...]) -> None:
    (night,) = (picture.rgb for picture in painted if picture.name == "night.png")
    assert np.median(night) < 40
    assert (night == 0).mean() > 0.02
    assert (night == 255).all(-1).any()
