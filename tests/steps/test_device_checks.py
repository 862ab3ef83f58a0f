"""Judging a program at other places: what is run, what fails, and how it is summed up."""

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesr.devices.children import DeviceFault
from edgesr.devices.host import Agreement, Comparison
from edgesr.devices.places import Place
from edgesr.devices.remote import Recorded
from edgesr.evaluation.folder import Picture, read_folder
from edgesr.evaluation.resize import downscale
from edgesr.steps import device_checks
from edgesr.steps.device_checks import Crops, Row, all_rows, check_devices, failures_of, judged_on, prepared
from edgesr_runtime import upscale
from edgesr_runtime.program import open_program, read_program

PLACE = Place("arm64", "Arm Cortex-A76, emulated", "cortex-a76")
GOOD = Agreement(0, 100, 1, inf, 0.0, 0.5)


class Elsewhere:
    """Plays the place: this machine's answers, with a comparison of our choice."""

    def __init__(
        self, program: Any, agreement: Agreement, noise: float = 0.0, enlarged: tuple[Any, ...] = ()
    ) -> None:
        self.program, self.agreement, self.noise, self.enlarged = program, agreement, noise, enlarged
        self.variants = program.info.variants

    def comparison(self, tiles: Any, pixel_range: int) -> Comparison:
        return Comparison(dict.fromkeys(self.variants, self.agreement))

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return tuple(self.program.engine.input_shape(variant))

    def run(self, variant: str, batch: Any) -> Any:
        answer = self.program.engine.run(variant, batch)
        return answer + np.random.default_rng(0).normal(0, self.noise, answer.shape).astype(np.float32)


def rows(program: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, answer: Any) -> tuple[Row, ...]:
    here = open_program(program)

    def run(*_: object) -> Recorded:
        if isinstance(answer, Exception):
            raise answer
        found: Any = Elsewhere(here, *answer)
        return found

    monkeypatch.setattr(device_checks, "run_at", run)
    crops = Crops(here.info)
    for picture in read_folder(photos).pictures:
        crops.add(picture)

    def whole(lr: Any) -> Any:
        return np.repeat(np.repeat(lr, here.info.scale, 0), here.info.scale, 1)

    return check_devices(
        read_program(program), here, whole, crops.pictures, [PLACE], lambda *_: lambda note="": None
    )


def test_an_equal_program_passes(program: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = rows(program, photos, monkeypatch, (GOOD,))
    assert not row.failures and row.crops == 2 and row.drop == row.drop_here
    record = row.record()
    assert record["passed"] and record["title"] == PLACE.title and record["psnr_to_reference"] is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((replace(GOOD, mismatches=3),), "3 values differ"),
        ((replace(GOOD, psnr_to_reference=59.0),), "59.0 dB to the reference"),
        ((replace(GOOD, max_error=9.0),), "9.0 of 255"),
        ((GOOD, 0.05), "on this machine"),
    ],
)
def test_what_is_wrong_is_said_with_the_place(
    program: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, words: str
) -> None:
    (row,) = rows(program, photos, monkeypatch, answer)
    assert len(row.failures) == 1 and words in row.failures[0]
    assert row.failures[0].startswith("Arm Cortex-A76, emulated: ")


@pytest.mark.parametrize("differing", [0, 3])
def test_pictures_by_the_runtime_for_android_are_held_to_those_of_python(
    program: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, differing: int
) -> None:
    here = open_program(program)
    crops = Crops(here.info)
    for picture in read_folder(photos).pictures:
        crops.add(picture)
    pictures = [upscale(here, downscale(crop.rgb, here.info.scale)) for crop in crops.pictures]
    pictures[1][0, :differing, 0] ^= 1
    (row,) = rows(program, photos, monkeypatch, (GOOD, 0.0, tuple(pictures)))
    assert row.record()["picture_mismatches"] == differing
    assert len(row.failures) == (1 if differing else 0)
    assert not differing or "3 values of pictures by the Java runtime" in row.failures[0]


def test_a_program_that_does_not_run_there_fails(
    program: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = rows(program, photos, monkeypatch, DeviceFault("it crashes"))
    assert row.failures == ("it crashes",) and row.agreement is None
    assert row.record()["reference_mismatches"] is None and not row.record()["passed"]


def test_mismatches_are_summed_over_the_devices() -> None:
    here = Comparison({"low": replace(GOOD, mismatches=1), "high": GOOD})
    there = Row("arm64", "A", "cortex-a76", True, "low", replace(GOOD, mismatches=4), failures=("x", "y"))
    gone = Row("arm64", "B", "cortex-a53", True, "", None, failures=("x",))
    found = all_rows(here, (there, gone))
    record = judged_on(found, {"reference_mismatches": 1})
    assert record["reference_mismatches"] == 5 and len(record["devices"]) == 4
    assert [row["passed"] for row in record["devices"]] == [False, True, False, False]
    assert record["devices"][0]["device"] == "host"
    assert failures_of(found) == ("x", "y")
    assert judged_on((), {"reference_mismatches": 1}) == {"reference_mismatches": 1, "devices": []}


def test_crops_have_the_tile_with_most_detail(program: Path) -> None:
    info = open_program(program).info
    side = info.tile * info.scale
    flat = np.full((2 * side, 3 * side, 3), 90, np.uint8)
    busy = flat.copy()
    busy[side : 2 * side, side : 2 * side] = np.random.default_rng(0).integers(0, 256, (side, side, 3))
    crops = Crops(info, 1)
    crops.add(Picture("flat", flat))
    crops.add(Picture("busy", busy))
    (found,) = crops.pictures
    assert found.name == "busy" and (found.rgb == busy[side : 2 * side, side : 2 * side]).all()
    crops.add(Picture("small", busy[side : side + 9, side : side + 7]))  # smaller than a tile
    assert len(crops.pictures) == 1


def test_places_are_set_up_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(device_checks, "setup", lambda name, stages: asked.append(name))
    quiet: Any = lambda *_: lambda note="": None  # noqa: E731
    assert len(prepared(["arm64", "android-libs"], ["cortex-a53"], quiet)) == 3
    assert asked == ["arm64", "android-libs", "android-java"]
    assert prepared(["host"], ["cortex-a53"], quiet) == ()
