"""Any picture comes out whole, in its size, by the stated rounding."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr_runtime import Program, UserError, upscale
from edgesr_runtime.bicubic import enlarge
from edgesr_runtime.engines import Floats, LiteRtEngine
from edgesr_runtime.tiles import extract, plan_tiles
from edgesr_runtime.upscale import to_pixels, to_program_range

from .tiny_program import tiny_info, tiny_program

INT8 = Program(tiny_info(), LiteRtEngine(tiny_program(int8=True)))


@dataclass
class RecordingEngine:
    """Repeats pixels as the tiny program does, by numpy; notes which variants ran."""

    variants: tuple[str, ...] = ("low", "high")
    ran: list[str] = field(default_factory=list)

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return (1, 16, 16, 3)

    def run(self, variant: str, batch: Floats) -> Floats:
        self.ran.append(variant)
        return batch.repeat(2, 1).repeat(2, 2)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_any_size_is_enlarged_without_seams(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    enlarged = upscale(INT8, picture)
    assert enlarged.dtype == np.uint8
    np.testing.assert_array_equal(enlarged, picture.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("pixel_range", [1, 255])
def test_all_levels_survive_both_pixel_ranges(pixel_range: int) -> None:
    info = tiny_info(pixel_range=pixel_range)
    program = Program(info, LiteRtEngine(tiny_program(info)))
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(upscale(program, picture), picture.repeat(2, 0).repeat(2, 1))


def test_pixels_are_rounded_half_to_even_and_clipped() -> None:
    values = np.array([-1e9, -0.6, 0.5, 1.5, 2.5, 254.5, 255.4, 1e9, np.nan, np.inf, -np.inf], np.float32)
    to_pixels(values, 255)
    assert values.tolist() == [0, 0, 0, 2, 2, 254, 255, 255, 0, 255, 0]


def test_pixel_range_1_is_a_float32_division() -> None:
    values = np.arange(256, dtype=np.float32)
    to_program_range(values, 1)
    assert values.dtype == np.float32 and values[255] == 1
    np.testing.assert_array_equal(values, np.arange(256, dtype=np.float32) / np.float32(255))
    to_pixels(values, 1)
    np.testing.assert_array_equal(values, np.arange(256))


@pytest.mark.parametrize(("asked", "runs"), [(None, "high"), ("low", "low"), ("high", "high")])
def test_runs_the_asked_variant_or_the_best(asked: str | None, runs: str) -> None:
    engine = RecordingEngine()
    upscale(Program(tiny_info(variants=("low", "high")), engine), np.zeros((20, 5, 3), np.uint8), asked)
    assert engine.ran == [runs, runs]


def test_tells_its_progress() -> None:
    seen: list[tuple[int, int]] = []
    engine = RecordingEngine()
    program = Program(tiny_info(variants=("low", "high")), engine)
    upscale(program, np.zeros((20, 20, 3), np.uint8), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


class Blurring(RecordingEngine):
    """Each pixel becomes the mean of those up to 5 away along a row, zeros beyond the border."""

    def run(self, variant: str, batch: Floats) -> Floats:
        padded = np.pad(batch, ((0, 0), (0, 0), (5, 5), (0, 0)))
        mean = sum(padded[:, :, k : k + batch.shape[2]] for k in range(11)) / np.float32(11)
        return mean.repeat(2, 1).repeat(2, 2)


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_exactly_is_as_in_one_piece(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    info = tiny_info(variants=("low", "high"), halo=1, exact_halo=5)
    if min(height, width) < 16:  # what is smaller than a tile is mirrored, not padded
        picture = np.pad(picture, ((0, max(0, 16 - height)), (0, max(0, 16 - width)), (0, 0)), "edge")
    whole = Blurring().run("high", picture[None].astype(np.float32))[0]
    np.testing.assert_array_equal(
        upscale(Program(info, Blurring()), picture, exact=True), np.rint(whole).astype(np.uint8)
    )


@pytest.mark.parametrize(
    ("halo", "reason"), [(None, "does not know"), (8, "below half the program's tile of 16")]
)
def test_exactly_is_refused_with_a_reason(halo: int | None, reason: str) -> None:
    program = Program(tiny_info(exact_halo=halo), RecordingEngine())
    with pytest.raises(UserError, match=reason):
        upscale(program, np.zeros((4, 4, 3), np.uint8), exact=True)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_skipping_and_alpha_are_bicubic_tile_by_tile(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    info = tiny_info(variants=("low", "high"), halo=4)
    program = Program(info, RecordingEngine())
    skipped = upscale(program, picture, "skip")
    np.testing.assert_array_equal(upscale(program, picture)[..., 3], skipped[..., 3])
    np.testing.assert_array_equal(upscale(program, picture[..., :3], "skip"), skipped[..., :3])
    assert not program.engine.ran[len(plan_tiles(height, width, 16, 4).tiles) :]
    for tile in plan_tiles(height, width, 16, 4).tiles:
        square = np.empty((16, 16, 4), np.uint8)
        extract(picture, plan_tiles(height, width, 16, 4), tile, square)
        expected = enlarge(square, 2)
        y, x = 2 * tile.top, 2 * tile.left
        assert (skipped[y, x] == expected[y - 2 * tile.y, x - 2 * tile.x]).all()


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_refuses_what_is_no_time(seconds: float) -> None:
    program = Program(tiny_info(variants=("low", "high")), RecordingEngine())
    with pytest.raises(UserError, match="no time to keep to"):
        upscale(program, np.zeros((4, 4, 3), np.uint8), seconds=seconds)


def test_within_seconds_nothing_runs_beyond_them() -> None:
    engine = RecordingEngine()
    program = Program(tiny_info(variants=("low", "high")), engine)
    upscale(program, np.zeros((20, 20, 3), np.uint8), seconds=0.0)
    assert len(engine.ran) <= 2 * 4 + 4  # to measure, and what takes less than a microsecond


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_anything_but_rgb_is_a_programming_error(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        upscale(INT8, picture)


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(ValueError, match="no variant 'low'; the program has serving_default"):
        upscale(INT8, np.zeros((4, 4, 3), np.uint8), "low")
