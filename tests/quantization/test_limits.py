"""The table of limits at its edges: what fits runs in XNNPACK and is exact, what does not leaves it."""

import numpy as np
import pytest
from typed_programs import graph_of, one_input, run_both, two_inputs

from edgesr.devices.litert import Runner
from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.limits import fits
from edgesr.quantization.typed import QConv2d, Requantize

IN = QParams(0.01, 3)
JUST_BELOW = 1 - 2.0**-20


def out_for(ratio: float) -> QParams:
    return QParams(float(np.float32(IN.scale) / np.float32(ratio)), -5)


SINGLE = {  # op -> ratios inside, ratios outside
    "requantize": (Requantize(), (2**-8, 1.0, 2**7), (2**-8 * JUST_BELOW, 2**7 / JUST_BELOW)),
    "leaky": (ops.LeakyRelu(0.5), (2**-7, 1.0, 2**7), (2**-7 * JUST_BELOW, 2**7 / JUST_BELOW)),
    "leaky steep": (ops.LeakyRelu(2.0), (2**-8, 2**6), (2**-8 * JUST_BELOW, 2**6 / JUST_BELOW)),
    "leaky negative": (ops.LeakyRelu(-1.0), (2**-8, 127.99), (2**-8 * JUST_BELOW, 127.998)),
    "leaky flat": (ops.LeakyRelu(0.0), (), (1.0,)),
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_input(name: str) -> None:
    op, inside, outside = SINGLE[name]
    for ratio in inside:
        assert fits(op, [IN], out_for(ratio)), ratio
        outcome = run_both(one_input(op, IN, out_for(ratio)), 16, 6)
        assert (outcome.mismatches, outcome.outside) == (0, ()), ratio
    for ratio in outside:
        assert not fits(op, [IN], out_for(ratio)), ratio
        assert run_both(one_input(op, IN, out_for(ratio)), 16, 6).outside, ratio


SUMS = [((2**-10, 2**-10), True), ((2**-10 * JUST_BELOW, 1.0), False), ((1.0, 2**-10 * JUST_BELOW), False),
        ((2**8 * JUST_BELOW, 2.0), True), ((2.0, 2**8), False), ((2**8, 2.0), False)]  # fmt: skip


@pytest.mark.parametrize(("ratios", "inside"), SUMS)
@pytest.mark.parametrize("op", [ops.Add(), ops.Sub()], ids=lambda op: op.kind)
def test_sums(op: ops.Op, ratios: tuple[float, float], inside: bool) -> None:
    a, b = (QParams(r / 64, zero) for r, zero in zip(ratios, (3, -60), strict=True))
    out = QParams(1 / 64, -5)
    assert fits(op, [a, b], out) == inside
    outcome = run_both(two_inputs(op, a, b, out, 6), 16, 6)
    assert (not outcome.outside) == inside
    assert not inside or outcome.mismatches == 0


@pytest.mark.parametrize(
    ("ratio", "inside"),
    [(2**-16, True), (2**-16 * JUST_BELOW, False), (2**8 * JUST_BELOW, True), (2**8, False)],
)
def test_products(ratio: float, inside: bool) -> None:
    a, b, out = QParams(ratio / 4, 3), QParams(0.5, -60), QParams(1 / 8, -5)
    assert fits(ops.Mul(), [a, b], out) == inside
    outcome = run_both(two_inputs(ops.Mul(), a, b, out, 6), 16, 6)
    assert (not outcome.outside) == inside
    assert not inside or outcome.mismatches == 0


def convolution(*scales: float) -> QConv2d:
    weight = np.random.default_rng(0).integers(-127, 128, (len(scales), 6, 1, 1)).astype(np.int8)
    return QConv2d(weight, np.array(scales, np.float32), np.zeros(len(scales), np.int32))


def test_a_convolution_just_below_its_limit_is_exact() -> None:
    op, out = convolution(256 * JUST_BELOW, 1.0, 2**-32), QParams(IN.scale, 0)
    assert fits(op, [IN], out)
    outcome = run_both(one_input(op, IN, out), 16, 6)
    assert (outcome.mismatches, outcome.outside) == (0, ())


def test_one_channel_beyond_the_limit_makes_litert_refuse_the_program() -> None:
    op, out = convolution(256.0, 1.0), QParams(IN.scale, 0)
    assert not fits(op, [IN], out)
    program = write({"s": graph_of(one_input(op, IN, out), 6)}, 16, b"{}")
    with pytest.raises(UserError, match="LiteRT refuses"):
        Runner(program, "s")


def test_ops_without_scales_of_their_own_always_fit() -> None:
    assert fits(ops.MaxPool((2, 2), (2, 2)), [IN], IN)
    assert fits(ops.Sigmoid(), [QParams(1e6, 0)], QParams(1 / 256, -128))
