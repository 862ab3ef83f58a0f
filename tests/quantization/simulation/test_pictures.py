"""Whole pictures and tiles."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgesr.graph.execute import tensor
from edgesr.quantization.simulation.crops import SIDE
from edgesr.quantization.simulation.forward import Rounded, Rounding
from edgesr.quantization.simulation.pictures import spans, upscale
from edgesr.quantization.simulation.simulated import Simulated, bit_operations
from edgesr.steps.deployment import whole_picture
from edgesr_runtime.complexity import complexity

from ..toy import residual


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def by_detail() -> Simulated:
    """The float network, which says 5 bits where there is detail and 3 where there is none."""
    graph = residual()
    weight = tensor(graph["a"].op.weight)  # type: ignore[attr-defined]

    def roundings(pixels: torch.Tensor, detail: torch.Tensor) -> dict[str, Rounding]:
        return {"a": Rounding((lambda x: Rounded(x, 3 + 2 * (detail > 0).float()),), weight, 4)}

    return Simulated(graph, roundings, counted=("a",))


@given(st.integers(1, 1000), st.integers(1, 120))
def test_pieces_cover_an_axis_once_and_the_last_takes_the_rest(length: int, side: int) -> None:
    parts = spans(length, side)
    assert parts[0][0] == 0 and parts[-1][1] == length
    assert all(end == start for (_, end), (start, _) in pairwise(parts))
    assert all(end - start == side for start, end in parts[:-1])
    assert parts[-1][1] - parts[-1][0] <= max(2 * side - 1, 1)


@pytest.mark.parametrize("white", [1, 255])
def test_a_whole_picture_is_what_the_float_network_makes_where_nothing_is_rounded(white: int) -> None:
    lr = picture(11, 17)
    expected = whole_picture(by_detail().graph, white)(lr)
    result = upscale(by_detail(), lr, white, by_tile=False)
    assert result.sr.shape == (22, 34, 3) and result.sr.dtype == np.uint8
    assert np.abs(result.sr.astype(int) - expected.astype(int)).max() <= 1  # halves may round either way
    assert (result.sr == expected).mean() > 0.99


def test_tiles_are_routed_alone_and_averaged_plainly() -> None:
    """Two tiles, 96 and 100 pixels wide, of which the first is flat."""
    lr = picture(40, SIDE + 100)
    lr[:, :SIDE] = 7
    simulated = by_detail()
    tiled, whole = (upscale(simulated, lr, 255, by_tile) for by_tile in (True, False))
    assert tiled.bits == 4 and whole.bits == 5
    parts = [upscale(simulated, part, 255, False) for part in (lr[:, :SIDE], lr[:, SIDE:])]
    assert np.array_equal(tiled.sr, np.concatenate([part.sr for part in parts], axis=1))
    assert tiled.bit_operations == sum(part.bit_operations for part in parts)
    assert tiled.bit_operations < whole.bit_operations < bit_operations(simulated.graph, 40, SIDE + 100)


def test_the_detail_is_the_runtimes() -> None:
    seen: list[float] = []
    simulated = by_detail()

    def watch(pixels: torch.Tensor, detail: torch.Tensor) -> dict[str, Rounding]:
        seen.extend(detail.tolist())
        return dict(simulated.roundings(pixels, detail))

    lr = picture(12, 12)
    upscale(replace(simulated, roundings=watch), lr, 255, by_tile=False)
    assert seen == pytest.approx([complexity(lr)], rel=1e-6)
