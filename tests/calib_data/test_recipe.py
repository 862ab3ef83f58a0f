"""The shipped calibration set is what its recipe paints, and covers what photographs contain."""

from pathlib import Path

import numpy as np
import pytest
from brushes import SIDE, Leaves, cloud, rgb
from measure import MEASURES, pictures
from numpy.typing import NDArray
from PIL import Image
from recipe import SCENES, main, plan

from edgesr_runtime.complexity import complexity

FOLDER = Path(__file__).parents[2] / "calib_data"
SHIPPED = sorted(path.name for path in FOLDER.glob("*.png"))

# Fifths of the complexities of photographs are close to these (see the set's README).
COMPLEXITY_BINS = (0, 10, 16, 22, 29, 100)


def load(name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(FOLDER / name).convert("RGB"))


@pytest.fixture(scope="module")
def shipped() -> list[NDArray[np.uint8]]:
    return [load(name) for name in SHIPPED]


@pytest.mark.parametrize("name", ["00_leaves.png", "17_shallow_focus.png", "25_fibres.png", "31_patches.png"])
def test_recipe_reproduces_the_shipped_pixels(name: str) -> None:
    painted = dict(plan())[name]().convert("RGB")
    np.testing.assert_array_equal(np.asarray(painted), load(name))


def test_recipe_names_every_shipped_picture_and_no_other() -> None:
    assert [name for name, _ in plan()] == SHIPPED
    assert len(SHIPPED) == 32


def test_pictures_are_rgb_of_one_size_and_small_on_disk(shipped: list[NDArray[np.uint8]]) -> None:
    assert {picture.shape for picture in shipped} == {(SIDE, SIDE, 3)}
    assert sum((FOLDER / name).stat().st_size for name in SHIPPED) < 3_000_000


def test_complexities_run_from_smooth_to_busy(shipped: list[NDArray[np.uint8]]) -> None:
    counts, _ = np.histogram([complexity(picture) for picture in shipped], COMPLEXITY_BINS)
    assert min(counts) >= 2
    assert max(counts) <= len(shipped) / 2


def test_set_reaches_pure_black_and_pure_white(shipped: list[NDArray[np.uint8]]) -> None:
    assert min(picture.min() for picture in shipped) == 0
    assert sum((picture == 255).all(-1).mean() > 0.2 for picture in shipped) >= 2


def test_most_pictures_imitate_photographs() -> None:
    photographic = {"leaves", "landscape", "shallow_focus", "facade", "night"}
    assert sum(count for name, _, count in SCENES if name in photographic) >= 24


@pytest.mark.parametrize(
    ("measure", "tolerance"),
    [("complexity c", 6), ("luminance, mean", 15), ("luminance, deviation", 10), ("spectral slope", 0.5)],
)
def test_medians_are_near_those_of_photographs(
    measure: str, tolerance: float, shipped: list[NDArray[np.uint8]], data_dir: Path
) -> None:
    photographs = list(pictures([data_dir / "train" / "bsds400"]))[::10]
    ours, theirs = (np.median([MEASURES[measure](p) for p in sample]) for sample in (shipped, photographs))
    assert ours == pytest.approx(theirs, abs=tolerance)


def test_noise_has_the_spectrum_that_was_asked_for() -> None:
    noise = cloud(np.random.default_rng(0), 2.5)
    picture = np.repeat((128 + 30 * noise).clip(0, 255)[..., None], 3, axis=2).astype(np.uint8)
    assert MEASURES["spectral slope"](picture) == pytest.approx(-2.5, abs=0.15)


def test_radii_follow_the_power_law() -> None:
    radii = Leaves(smallest=4, largest=400, exponent=3).radii(np.random.default_rng(0))
    assert radii.min() >= 4 and radii.max() <= 400
    # Above r there are (r**-2 - largest**-2) / (smallest**-2 - largest**-2) of them.
    assert (radii > 8).mean() == pytest.approx(0.25, abs=0.03)


def test_colours_invert_their_opponent_coordinates() -> None:
    red, green, blue = np.moveaxis(rgb(np.array([[100.0, 30.0, 12.0]])), -1, 0)
    assert (red + green + blue) / 3 == pytest.approx(100)
    assert red - blue == pytest.approx(30)
    assert green - (red + blue) / 2 == pytest.approx(12)


def test_main_writes_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipe.SCENES", SCENES[-1:])
    main(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["00_patches.png"]
