"""Every tile goes to the variant that its detail asks for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr_runtime import Program, upscale
from edgesr_runtime.complexity import complexity
from edgesr_runtime.engines import Floats
from edgesr_runtime.metadata import ROUTED_VARIANTS, VARIANT_LISTS, Routing
from edgesr_runtime.routing import fixed, routed

from .test_upscale import RecordingEngine
from .tiny_program import tiny_info

FLAT = np.full((16, 16, 3), 90, np.uint8)
SOFT = (FLAT + np.arange(16, dtype=np.uint8)[:, None]).astype(np.uint8)
SHARP = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
BETWEEN = Routing(complexity(SOFT) / 2, complexity(SOFT) * 2)


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        (("low", "mid", "high"), ("low", "mid", "high")),
        (("low", "high"), ("low", "high", "high")),
        (("low", "mid"), ("low", "mid", "mid")),
        (("mid", "high"), ("mid", "mid", "high")),
        (("low",), ("low",) * 3),
        (("mid",), ("mid",) * 3),
        (("high",), ("high",) * 3),
    ],
)
def test_detail_decides_among_what_is_there(variants: tuple[str, ...], expected: tuple[str, ...]) -> None:
    choose = routed(tiny_info(variants=variants, routing=BETWEEN))
    assert tuple(choose(tile) for tile in (FLAT, SOFT, SHARP)) == expected


def test_a_tile_at_a_threshold_is_neither_below_nor_above() -> None:
    at = complexity(SOFT)
    assert routed(tiny_info(variants=ROUTED_VARIANTS, routing=Routing(at, at)))(SOFT) == "mid"


def test_without_thresholds_the_best_runs_alone() -> None:
    for variants in VARIANT_LISTS:
        choose = routed(tiny_info(variants=variants, routing=None))
        assert {choose(tile) for tile in (FLAT, SHARP)} == {variants[-1]}


def test_a_fixed_variant_must_be_there() -> None:
    assert fixed(tiny_info(variants=("low", "high")), "low")(SHARP) == "low"
    with pytest.raises(ValueError, match="the program has low, high"):
        fixed(tiny_info(variants=("low", "high")), "mid")


class Watching(RecordingEngine):
    """Notes whether each tile was flat."""

    def run(self, variant: str, batch: Floats) -> Floats:
        assert (variant == "low") == bool((batch == batch[0, 0, 0]).all())
        return super().run(variant, batch)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 90))
def test_each_tile_of_a_picture_is_routed_alone(height: int, width: int) -> None:
    """The left third of the picture is flat, the rest noise."""
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture[:, : width // 3] = 7
    engine = Watching(ROUTED_VARIANTS)
    info = tiny_info(variants=ROUTED_VARIANTS, routing=Routing(0.01, 0.01))
    enlarged = upscale(Program(info, engine), picture)
    np.testing.assert_array_equal(enlarged, picture.repeat(2, 0).repeat(2, 1))
    assert engine.ran and set(engine.ran) <= {"low", "high"}


def test_a_variant_that_is_asked_for_runs_everywhere() -> None:
    engine = RecordingEngine(ROUTED_VARIANTS)
    info = tiny_info(variants=ROUTED_VARIANTS, routing=BETWEEN)
    upscale(Program(info, engine), SHARP.repeat(3, 0), "mid")
    assert set(engine.ran) == {"mid"}
