"""Grids that edgesr chooses survive a quantizer that looks at largest magnitudes alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.lowering.litert_torch.model import Model
from edgesr.lowering.litert_torch.quantizer import on_grid, rounded, settled
from edgesr.quantization.affine import quantize_weight
from edgesr.quantization.weights import omse_scales
from edgesr.steps.litert_torch import extremes
from edgesr_runtime.errors import UserError

from .programs import float_net, noise


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 40), st.floats(1e-4, 1e4))
def test_the_grid_is_found_again_from_the_largest_magnitude(
    seed: int, channels: int, count: int, size: float
) -> None:
    generator = np.random.default_rng(seed)
    weight = (generator.standard_t(3, size=(channels, count)) * size).astype(np.float32)
    scales = omse_scales(weight, 8)
    made = rounded(weight, 0)
    found = np.abs(made).max(axis=1) / np.float32(127)
    np.testing.assert_allclose(found, scales, rtol=3e-7)
    np.testing.assert_array_equal(np.rint(made / found[:, None]), quantize_weight(weight, scales, 8))


def test_channels_lie_along_any_axis() -> None:
    weight = np.random.default_rng(0).normal(size=(1, 3, 3, 4)).astype(np.float32)
    weight[..., 2] *= 100
    expected = np.moveaxis(rounded(np.moveaxis(weight, 3, 0), 0), 0, 3)
    np.testing.assert_array_equal(rounded(weight, 3), expected)


@pytest.mark.parametrize("depthwise", [False, True])
def test_weights_of_a_program_and_nothing_else_are_rounded(depthwise: bool) -> None:
    before, after = Model(float_net(depthwise)), Model(on_grid(float_net(depthwise)))
    pairs = list(zip(before.steps(), after.steps(), strict=True))
    for old, new in pairs:
        for index, (tensor, changed) in enumerate(zip(old.inputs, new.inputs, strict=True)):
            values = before.constant(tensor)
            if values is None:
                continue
            if index == 1:
                values = rounded(values, 3 if old.kind == "DEPTHWISE_CONV_2D" else 0)
            np.testing.assert_array_equal(after.constant(changed), values)
    assert ("DEPTHWISE_CONV_2D" in [old.kind for old, _ in pairs]) == depthwise


def test_extremes_cover_what_the_program_computes() -> None:
    program = float_net()
    few, many = extremes(program, noise(1), 1), extremes(program, noise(4), 1)
    assert set(few) == {"head", "act", "body", "tail"}
    assert all(many[name][0] <= low and high <= many[name][1] for name, (low, high) in few.items())
    assert any(few[name] != many[name] for name in few)
    assert -1 <= many["act"][0] < many["act"][1] <= 1


def test_values_that_are_not_finite_have_no_range() -> None:
    model = Model(float_net())
    step = next(model.steps())
    bias = model.constant(step.inputs[2])
    assert bias is not None
    model.replace(step.inputs[2], np.full_like(bias, np.inf))
    with pytest.raises(UserError, match="not finite"):
        extremes(model.to_bytes(), noise(1), 1)


def test_pixels_have_the_grid_of_pixels() -> None:
    """Back to the op that makes the output's values, and no further."""
    found = settled(float_net(), {"tail": (-3.0, 4.0), "body": (-1.0, 1.0)}, 255)
    assert found == {"image": (0, 255), "up": (0, 255), "tail": (0, 255), "body": (-1, 1)}


def test_values_that_others_read_too_keep_their_range() -> None:
    model = Model(float_net())
    steps = tuple(model.steps())
    tail = steps[3].outputs[0]
    reader = model.graph.operators[1]
    reader.inputs = [*reader.inputs, model.graph.tensors.index(tail)]
    found = settled(model.to_bytes(), {"tail": (-3.0, 4.0)}, 1)
    assert found == {"image": (0, 1), "up": (0, 1), "tail": (-3, 4)}
