"""Convolutions with a dynamic grid: bit for bit LiteRT's own values, and the rules of the grid."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.devices.host import delegated, mismatches
from edgesr.graph import ops
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.dynamic import dynamic_grid
from edgesr.quantization.quantize import quantize
from edgesr.quantization.typed import DynamicConv2d

from .toy import conv, graph_of, plan_for

TILE = 12


def geometry(op: ops.Conv2d, **changes: object) -> ops.Conv2d:
    return replace(op, **changes)  # type: ignore[arg-type]


SHAPES = {
    "3x3": conv(1, 8, 8),
    "pointwise": conv(1, 8, 8, 1),
    "relu": geometry(conv(1, 8, 8), relu=True),
    "grouped": geometry(conv(1, 4, 8), groups=2),
    "grouped pointwise": geometry(conv(1, 4, 8, 1), groups=2),
    "dilated": geometry(conv(1, 8, 8), dilation=(2, 2), padding=ops.Padding(2, 2, 2, 2)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_values_are_litert_s(shape: str) -> None:
    graph = graph_of(
        ("head", conv(0, 3, 8), "image"), ("body", SHAPES[shape], "head"), ("tail", conv(2, 8, 3), "body")
    )
    typed = quantize(graph, plan_for(graph, body="w8a8-dynamic", tail="f32", head="f32"))
    assert isinstance(typed["body"].op, DynamicConv2d)
    program = write({"serving_default": typed}, TILE, b"{}")
    tiles = np.random.default_rng(0).integers(0, 256, (3, TILE, TILE, 3), np.uint8)
    compared = mismatches(program, tiles, 1)
    assert compared.mismatches == 0 and compared.values > 0 and compared.segments == 1
    assert compared.psnr_to_reference == float("inf")
    assert delegated(program).share == 1


def test_reading_gives_back_what_was_written() -> None:
    graph = graph_of(("a", conv(0, 3, 8), "image"), ("b", conv(1, 8, 3), "a"))
    typed = quantize(graph, plan_for(graph, b="w8a8-dynamic"))
    again = read(write({"x": typed}, TILE, b"{}"))["x"]
    assert isinstance(again["b"].op, DynamicConv2d) and again["b"].op.same_as(typed["b"].op)


def test_a_depthwise_convolution_is_float_instead() -> None:
    graph = graph_of(("a", conv(0, 3, 4), "image"), ("b", geometry(conv(1, 1, 4), groups=4), "a"))
    typed = quantize(graph, plan_for(graph, b="w8a8-dynamic"))
    assert isinstance(typed["b"].op, ops.Conv2d)


VALUES = st.floats(-1e4, 1e4, width=32).filter(lambda value: value == 0 or abs(value) > 1e-30)
"""A picture whose largest value is near the smallest float32 has no grid: 255 / span is infinite."""


@settings(deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=12), st.booleans())
def test_a_grid_holds_zero_and_every_value_to_half_a_step(values: list[float], by_pixel: bool) -> None:
    x = torch.tensor(values).view(1, -1, 1, 1)
    grid = dynamic_grid(x, by_pixel)
    assert grid.levels(torch.zeros(1, 1, 1, 1)) == 0
    # The zero point is rounded too, so an end may lie half a step outside.
    error = (grid.levels(x) * grid.scale - x).abs()
    assert (error <= grid.scale * 1.001 + 1e-30).all()


def test_pictures_and_pixels_have_grids_of_their_own() -> None:
    x = torch.rand(2, 3, 4, 5)
    assert dynamic_grid(x, by_pixel=False).scale.shape == (2, 1, 1, 1)
    assert dynamic_grid(x, by_pixel=True).scale.shape == (2, 1, 4, 5)
