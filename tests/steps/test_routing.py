"""Thresholds between variants: priced as the runtime would route, and the fastest within the loss taken."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.evaluation.folder import Picture
from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import downscale
from edgesr.steps.routing import NEVER, TileErrors, curve, measure_tiles, pick, priced
from edgesr_runtime import ProgramInfo, upscale
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.metadata import ROUTED_VARIANTS, VARIANT_LISTS, Routing
from edgesr_runtime.program import Program, load_program
from edgesr_runtime.routing import routed

RANK = {"skip": 1e6, "low": 9.0, "mid": 4.0, "high": 0.0}
MS = {"low": 1.0, "mid": 10.0, "high": 20.0}


def tiles(detail: list[float], pictures: list[int], **errors: list[float]) -> TileErrors:
    """Skipping costs too much unless `errors` say otherwise; every variant is `RANK` away from the best."""
    known = {"skip": [1e9] * len(detail), **errors}
    return TileErrors(
        np.array(pictures),
        np.array(detail),
        {name: np.array(values) for name, values in known.items()},
        {name: np.full(len(detail), RANK[name]) for name in known},
    )


FOUR = tiles(
    [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1],
    low=[100, 200, 400, 400], mid=[100, 110, 100, 110], high=[100, 100, 100, 100],
)  # fmt: skip


def test_a_choice_is_priced_by_hand() -> None:
    found = priced(FOUR, MS, Routing(1.5, 3.5))
    assert found.shares == {"skip": 0.0, "low": 0.25, "mid": 0.5, "high": 0.25}
    assert found.milliseconds == (1 + 10 + 10 + 20) / 4
    assert found.loss == pytest.approx((10 * np.log10(210 / 200) + 0) / 2)


def test_gains_pay_for_nothing() -> None:
    better = tiles([1.0, 5.0], [0, 1], low=[50, 200], high=[100, 100])
    found = priced(better, {"low": 1.0, "high": 2.0}, Routing(NEVER, NEVER))
    assert found.loss == pytest.approx(10 * np.log10(2) / 2)
    assert found.change == pytest.approx(0)


@pytest.mark.parametrize("names", [names for names in VARIANT_LISTS if names[0] in ROUTED_VARIANTS])
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_prices_follow_the_runtimes_rule(names: tuple[str, ...], data: st.DataObject) -> None:
    """Each variant has its own error, so that the total tells where each tile went."""
    detail = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=8))
    skip, low, high = sorted(data.draw(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0])] * 3)))
    errors = {name: [float(10**rank)] * len(detail) for rank, name in enumerate(("skip", *names))}
    routing = Routing(low, high, skip)
    found = priced(tiles(detail, [0] * len(detail), **errors), {n: MS[n] for n in names}, routing)

    info = ProgramInfo(
        "1.0", "0", "x", 2, 1, 8, 0, names, routing, "rgb",
        None, (), None,  # type: ignore[arg-type]
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgesr_runtime.routing.complexity", lambda value: value)
        chosen = [routed(info)(value) for value in detail]  # type: ignore[arg-type]
    expected = {name: pytest.approx(chosen.count(name) / len(chosen)) for name in ("skip", *names)}
    assert found.shares == expected


def test_the_fastest_within_the_loss_is_taken() -> None:
    # The second tile needs the best variant, and so does all that is more complex.
    assert pick(FOUR, MS, 0.0).shares == {"skip": 0.0, "low": 0.25, "mid": 0.0, "high": 0.75}
    cheap = pick(FOUR, MS, 10.0)
    assert cheap.shares == {"skip": 0.0, "low": 1.0, "mid": 0.0, "high": 0.0}
    between = pick(FOUR, MS, 0.2)
    assert 0 < between.loss <= 0.2 and cheap.milliseconds < between.milliseconds < 20


@given(st.integers(1, 30), st.integers(0, 1000), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_nothing_faster_keeps_to_the_loss(count: int, seed: int, limit: float) -> None:
    draw = np.random.default_rng(seed)
    errors = {name: draw.uniform(1, 2, count).tolist() for name in MS}
    some = tiles(draw.uniform(0, 50, count).tolist(), draw.integers(0, 3, count).tolist(), **errors)
    found = pick(some, MS, limit)
    assert found.loss <= limit
    for other in curve(some, MS):
        assert other.loss > limit or other.milliseconds >= found.milliseconds


def test_where_all_thresholds_lose_more_the_least_is_lost() -> None:
    """The best variant never gets a tile without any detail, however bad the next one is at it."""
    flat = tiles([0.0, 0.0, 9.0], [0, 0, 0], mid=[200, 200, 200], high=[100, 100, 100])
    found = pick(flat, {"mid": 10.0, "high": 20.0})
    assert found.loss == pytest.approx(10 * np.log10(500 / 300))
    assert found.shares["high"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("names", [("mid", "high"), ("low", "high"), ("low", "mid")])
def test_two_variants_do(names: tuple[str, str]) -> None:
    ms: Mapping[str, float] = {name: MS[name] for name in names}
    found = pick(FOUR, ms, 10.0)
    assert found.shares == {"skip": 0.0, names[0]: 1.0, names[1]: 0.0}


@pytest.mark.parametrize("names", [("low", "mid", "high"), ("mid", "high")])
def test_flat_tiles_that_need_no_network_are_skipped(names: tuple[str, ...]) -> None:
    errors = {name: FOUR.errors[name].tolist() for name in MS}
    flat = tiles([0.5, 0.75, 3.0, 4.0], [0, 0, 1, 1], **errors, skip=[100.05, 900, 100, 100])
    found = pick(flat, {name: MS[name] for name in names}, 0.0)
    assert 0.5 < found.routing.skip < 0.75 and found.routing.skip <= found.routing.low <= found.routing.high
    assert found.shares["skip"] == 0.25  # the third would do without, but the second would not


def test_the_error_that_was_accepted_is_kept_for_new_thresholds() -> None:
    found = pick(FOUR, MS, 10.0)
    assert found.routing.error == RANK["low"]
    assert pick(FOUR, MS, 0.0).routing.error == RANK["low"] / 4


def test_perfect_and_flat_tiles_are_no_error() -> None:
    perfect = tiles([0.0, 0.0], [0, 0], low=[0, 0], high=[0, 0])
    assert pick(perfect, {"low": 1.0, "high": 2.0}).loss == 0


def test_tile_errors_add_up_to_the_pictures_psnr(program: object) -> None:
    """Seams, halos and the border of PSNR: nothing is counted twice or left out."""
    data = program.read_bytes()  # type: ignore[attr-defined]
    opened = load_program(data, "x", trusted=True)
    draw = np.random.default_rng(0)
    hr = draw.integers(0, 256, (2 * 53, 2 * 71, 3), np.uint8)
    info = opened.info
    found = measure_tiles(data, info, [Picture("a", hr)], 1)
    lr = downscale(hr, info.scale)
    sr = upscale(Program(info, LiteRtEngine(data, 1)), lr)
    total = found.errors[info.variants[0]].sum() / ((hr.shape[0] - 4) * (hr.shape[1] - 4))
    assert 10 * np.log10(255**2 / total) == pytest.approx(psnr_y(sr, hr, info.scale))
