"""The float pass over the crops, and the first ranges that come of it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgesr.graph import ops
from edgesr.graph.execute import run
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.quantization.maps import moving_average
from edgesr.quantization.simulation.crops import Crops
from edgesr.quantization.simulation.observation import (
    BATCH,
    averaged,
    observe,
    opened,
    percentiles,
    subsample,
)

from ..toy import picture_levels, residual


def crops(pixels: torch.Tensor) -> Crops:
    return Crops(pixels, torch.arange(float(len(pixels))), 1)


def test_each_batch_is_one_row_and_a_smaller_last_one_counts() -> None:
    graph, pixels = residual(), picture_levels(BATCH + 3, 8)
    steps: list[int] = []
    seen = observe(graph, ["a", "sum", "a"], crops(pixels), lambda: steps.append(0))
    assert set(seen) == {"a", "sum"} and len(steps) == 2
    values = run(graph, pixels, keep=["a", "sum"])
    for name, found in seen.items():
        parts = values[name].split(BATCH)
        assert found.low.tolist() == pytest.approx([float(p.min()) for p in parts], rel=1e-5, abs=1e-6)
        assert found.high.tolist() == pytest.approx([float(p.max()) for p in parts], rel=1e-5)
        spread = [float(p.flatten(1).std(1).mean()) for p in parts]
        assert found.spread.tolist() == pytest.approx(spread, rel=1e-5)
        largest = [float(p.flatten(1).abs().amax(1).mean()) for p in parts]
        assert found.largest.tolist() == pytest.approx(largest, rel=1e-5)
        low, high = averaged(found)
        assert low == pytest.approx(0.9 * found.low[0] + 0.1 * found.low[1])
        assert high == pytest.approx(0.9 * found.high[0] + 0.1 * found.high[1])
        assert found.extremes == (found.low.min(), found.high.max())


def test_percentiles_cut_both_ends_off_each_batch() -> None:
    pixels = torch.linspace(0, 1, (BATCH + 1) * 192).view(-1, 3, 8, 8)
    found = observe(residual(), ["image"], crops(pixels), lambda: None)["image"]
    low, high = percentiles(found)
    step = 1 / ((BATCH + 1) * 192 - 1)
    first, last = BATCH * 192 - 1, 191  # steps that the batches span
    assert low == pytest.approx((0.9 * 0.01 * first + 0.1 * (first + 1 + 0.01 * last)) * step, rel=1e-3)
    assert high == pytest.approx((0.9 * 0.99 * first + 0.1 * (first + 1 + 0.99 * last)) * step, rel=1e-3)


def test_crops_of_one_colour_say_nothing_unless_all_are() -> None:
    graph, pixels = residual(), picture_levels(3, 8)
    flat = torch.full((2, 3, 8, 8), 0.5)
    mixed, alone = (
        observe(graph, ["a"], crops(p), lambda: None)["a"] for p in (torch.cat([flat, pixels]), pixels)
    )
    assert averaged(mixed) == pytest.approx(averaged(alone), rel=1e-5)
    assert mixed.spread.tolist() == pytest.approx(alone.spread.tolist(), rel=1e-5)
    assert observe(graph, ["image"], crops(flat), lambda: None)["image"].extremes == (0.5, 0.5)


def test_a_single_value_has_no_spread() -> None:
    graph = Graph((single_input(1), Node("mean", ops.Mean(), ("image",))), "mean")
    seen = observe(graph, ["mean"], crops(torch.rand(2, 1, 4, 4)), lambda: None)
    assert seen["mean"].spread.tolist() == [0.0]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.floats(0, 1))
def test_moving_averages_stay_within_what_they_average(values: list[float], decay: float) -> None:
    average = moving_average(np.array(values), decay)
    assert min(values) - 1e-6 <= average <= max(values) + 1e-6
    assert moving_average(np.array(values), 1.0) == values[0]
    assert moving_average(np.array(values), 0.0) == values[-1]


@given(st.floats(-1e4, 1e4))
def test_dead_ranges_are_opened_and_others_left(low: float) -> None:
    start, end = opened((low, low))
    assert start == low and end > low and end - low <= 2e-5 * max(1, abs(low))
    assert opened((low, low + 5)) == (low, low + 5)


def test_subsamples_are_spread_over_the_whole_tensor() -> None:
    values = torch.arange(1000).view(10, 100)
    part = subsample(values, 64)
    assert 50 <= len(part) <= 64
    assert part[0] == 0 and part[-1] > 950 and len(part.diff().unique()) == 1
    assert torch.equal(subsample(values, 5000), values.flatten())
