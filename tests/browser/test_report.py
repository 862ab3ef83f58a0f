"""The report in a real browser: usable by mouse and by keyboard, on a phone, on paper, by everybody."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from report.samples import sample

from browser.chromium import drive


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="module")
def seen(shots: Path) -> dict[str, Any]:
    """What the driver saw."""
    report = shots / "report.html"
    report.write_text(sample(), encoding="utf-8")
    return dict(json.loads(drive(report, shots)))


def pixels(shots: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(shots / f"{name}.png").convert("RGB")).astype(int)


def changed(shots: Path, first: str, second: str) -> np.ndarray:
    """Which columns of the stage differ between two screenshots, as shares of its width from the left."""
    before, after = pixels(shots, first), pixels(shots, second)
    differing = (np.abs(before - after).max(axis=2) > 8).mean(axis=0)
    return np.flatnonzero(differing > 0.25) / before.shape[1]


def test_it_asks_nothing_of_the_network_and_complains_of_nothing(seen: dict[str, Any]) -> None:
    assert seen["errors"] == []
    assert {url.partition(":")[0] for url in seen["requests"]} <= {"file", "data"}


def test_the_slider_by_keyboard(seen: dict[str, Any], shots: Path) -> None:
    states = seen["slider"]
    assert [states[name]["value"] for name in ("start", "keys", "home", "end")] == ["50", "70", "0", "100"]
    assert states["keys"]["says"] == "70 % bicubic, 30 % this program"
    moved = changed(shots, "start", "keys")
    assert 0.48 < moved.min() < 0.52 and 0.68 < moved.max() < 0.72
    whole = changed(shots, "home", "end")
    assert whole.min() < 0.02 and whole.max() > 0.97


def test_the_slider_by_pointer(seen: dict[str, Any], shots: Path) -> None:
    assert abs(int(seen["slider"]["dragged"]["value"]) - 25) <= 1
    moved = changed(shots, "end", "dragged")
    assert 0.23 < moved.min() < 0.27 and moved.max() > 0.97


def test_the_choice_by_keyboard(seen: dict[str, Any], shots: Path) -> None:
    assert "difference" in seen["slider"]["difference"]["says"]
    assert changed(shots, "dragged", "difference").max() > 0.9


def test_a_layer_is_told_of(seen: dict[str, Any]) -> None:
    layers = seen["layers"]
    assert "int8" in layers["first"] and "0.500" in layers["first"] and "in 0 … 1.00, out" in layers["first"]
    assert "grid found as it runs" in layers["second"] and "0.0200" in layers["second"]
    assert layers["hovered"] == layers["first"]


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_nothing_to_scroll_sideways(seen: dict[str, Any], screen: str) -> None:
    found = seen[screen]
    assert found["page"] <= found["window"]
    if screen == "phone":
        assert found["unfolded"]["page"] <= found["unfolded"]["window"] == 390


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_axe_finds_nothing(seen: dict[str, Any], screen: str) -> None:
    assert seen[screen]["findings"] == []


def test_on_paper_all_pictures_stand_side_by_side(seen: dict[str, Any], shots: Path) -> None:
    assert seen["print"] == {"layers": 8, "captions": 8, "controls": 0}
    assert (shots / "print.pdf").stat().st_size > 10_000


def test_without_script_too(seen: dict[str, Any]) -> None:
    assert seen["plain"] == {"layers": 8, "controls": 0}


def test_dark_and_light(shots: Path, seen: dict[str, Any]) -> None:
    assert pixels(shots, "desk")[5, 5].min() > 200
    assert pixels(shots, "phone")[5, 5].max() < 60
