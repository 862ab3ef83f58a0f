"""The integer reference against LiteRT: equality of every value, for every int8 op kind."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typed_programs import Outcome, one_input, random_conv, run_both, two_inputs

from edgesr.graph import ops
from edgesr.quantization.affine import QParams
from edgesr.quantization.limits import fits
from edgesr.quantization.quantize import FIXED_GRIDS, SIGMOID
from edgesr.quantization.reference import is_integer_kind
from edgesr.quantization.typed import QConv2d, Quantize, Requantize, TypedNode

scales = st.floats(-7, 1).map(lambda e: float(np.float32(2.0**e)))
formats = st.builds(QParams, scales, st.integers(-128, 127))
ratios = st.floats(-3, 3).map(lambda e: 2.0**e)
zero_points = st.integers(-128, 127)
sides = st.integers(1, 9)
few = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def check_equal(outcome: Outcome) -> None:
    """No value differs, and XNNPACK, not another kernel, computed all of them."""
    assert outcome.outside == ()
    assert outcome.mismatches == 0


def rescaled(q: QParams, ratio: float, zero_point: int) -> QParams:
    return QParams(q.scale / ratio, zero_point)


@few
@given(formats, sides, st.integers(1, 70))
def test_quantize_and_dequantize(q: QParams, side: int, channels: int) -> None:
    check_equal(run_both(one_input(ops.MaxPool((1, 1), (1, 1)), q, q), side, channels))


@few
@given(formats, ratios, zero_points, sides, st.integers(1, 70))
def test_requantize(q: QParams, ratio: float, zero: int, side: int, channels: int) -> None:
    out = rescaled(q, ratio, zero)
    assume(q != out)
    check_equal(run_both(one_input(Requantize(), q, out), side, channels))


CONVOLUTIONS = {
    "1x1": (7, 5, {"kernel": (1, 1)}),
    "3x3 same": (3, 70, {"padding": ops.Padding(1, 1, 1, 1)}),
    "3x3 valid": (16, 33, {}),
    "1 channel": (1, 1, {"padding": ops.Padding(1, 1, 1, 1)}),
    "5x3": (4, 6, {"kernel": (5, 3), "padding": ops.Padding(2, 2, 1, 1)}),
    "2x2 same": (4, 6, {"kernel": (2, 2), "padding": ops.Padding(0, 1, 0, 1)}),
    "odd padding": (4, 6, {"padding": ops.Padding(2, 0, 1, 1)}),
    "stride 2": (5, 9, {"stride": (2, 2)}),
    "stride 2 padded": (5, 9, {"stride": (2, 2), "padding": ops.Padding(1, 1, 1, 1)}),
    "uneven stride": (5, 9, {"stride": (1, 3)}),
    "dilated": (6, 6, {"dilation": (2, 2), "padding": ops.Padding(2, 2, 2, 2)}),
    "relu": (8, 8, {"padding": ops.Padding(1, 1, 1, 1), "relu": True}),
    "of a transposed one": (6, 27, {"kernel": (4, 4), "padding": ops.Padding(1, 2, 1, 2)}),
    "grouped wide": (16, 64, {"groups": 4, "padding": ops.Padding(1, 1, 1, 1), "relu": True}),
    "4 bit": (8, 8, {"bits": 4}),
    "grouped": (8, 12, {"groups": 4, "padding": ops.Padding(1, 1, 1, 1)}),
    "depthwise": (9, 9, {"groups": 9, "padding": ops.Padding(1, 1, 1, 1)}),
    "depthwise twice": (5, 10, {"groups": 5}),
    "depthwise stride": (6, 6, {"groups": 6, "stride": (2, 2), "relu": True}),
    "depthwise dilated": (6, 6, {"groups": 6, "dilation": (2, 2)}),
    "wide": (70, 3, {"kernel": (5, 5), "padding": ops.Padding(2, 2, 2, 2)}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_convolution(name: str, seed: int) -> None:
    inputs, outputs, geometry = CONVOLUTIONS[name]
    generator = np.random.default_rng([seed, len(name)])
    op = random_conv(generator, inputs, outputs, **geometry)
    source = QParams(2.0 ** generator.uniform(-6, 0), int(generator.integers(-128, 128)))
    spread = source.scale * float(op.scales.mean()) * 40 * np.sqrt(op.weight[0].size) * 2 ** (op.bits - 6)
    out = QParams(spread, int(generator.integers(-128, 20)))
    outcome = run_both(one_input(op, source, out), 13 + seed, inputs)
    check_equal(outcome)
    assert outcome.distinct > 20  # else most values were clipped and prove nothing


@few
@given(
    formats, formats, ratios, zero_points, sides, st.integers(1, 70), st.sampled_from(["Add", "Relu", "Sub"])
)
def test_sum(a: QParams, b: QParams, ratio: float, zero: int, side: int, channels: int, kind: str) -> None:
    op = {"Add": ops.Add(), "Relu": ops.Add(relu=True), "Sub": ops.Sub()}[kind]
    out = rescaled(QParams(max(a.scale, b.scale), 0), ratio, zero)
    assume(fits(op, [a, b], out))
    check_equal(run_both(two_inputs(op, a, b, out, channels), side, channels))


@pytest.mark.parametrize("kind", [ops.Add(), ops.Sub(), ops.Mul()], ids=lambda op: op.kind)
@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_of_levels(kind: ops.Op, seed: int) -> None:
    """Rare ties and the last bit of a multiplier show only among many pairs."""
    generator = np.random.default_rng(seed)
    a, b, c = (float(2 ** generator.uniform(-1, 1)) for _ in range(3))
    formats = [QParams(a / 64, 0), QParams(b / 64, 0), QParams(c / 64, 0)]
    outcome = run_both(two_inputs(kind, *formats, 16), 128, 16)
    check_equal(outcome)
    assert outcome.values == 2**18 and outcome.distinct > 100


@few
@given(formats, formats, ratios, zero_points, sides, st.integers(1, 70))
def test_product(a: QParams, b: QParams, ratio: float, zero: int, side: int, channels: int) -> None:
    out = QParams(a.scale * b.scale * 60 * ratio, zero)
    check_equal(run_both(two_inputs(ops.Mul(), a, b, out, channels), side, channels))


@few
@given(formats, ratios, zero_points, st.floats(0.05, 1.5), st.booleans(), sides, st.integers(1, 70))
def test_leaky_relu(
    q: QParams, ratio: float, zero: int, slope: float, negative: bool, side: int, channels: int
) -> None:
    op, out = ops.LeakyRelu(-slope if negative else slope), rescaled(q, ratio, zero)
    assume(fits(op, [q], out))
    check_equal(run_both(one_input(op, q, out), side, channels))


@few
@given(formats, sides, st.integers(1, 70))
def test_sigmoid(q: QParams, side: int, channels: int) -> None:
    check_equal(run_both(one_input(ops.Sigmoid(), q, SIGMOID), side, channels))


@few
@given(formats, sides, st.integers(1, 70))
def test_tanh(q: QParams, side: int, channels: int) -> None:
    check_equal(run_both(one_input(ops.Tanh(), q, FIXED_GRIDS[ops.Tanh]), side, channels))


@few
@given(formats, st.tuples(st.integers(0, 69), st.integers(1, 70)), sides)
def test_slice(q: QParams, place: tuple[int, int], side: int) -> None:
    start, count = min(place[0], 70 - place[1]), place[1]
    check_equal(run_both(one_input(ops.Slice(start, start + count), q, q), side, 70))


@few
@given(formats, formats, ratios, zero_points, st.integers(2, 9), st.integers(1, 70), st.booleans(),
       st.sampled_from([ops.Add(), ops.Add(relu=True), ops.Sub(), ops.Mul()]))  # fmt: skip
def test_one_value_for_each_whole_channel(
    a: QParams, b: QParams, ratio: float, zero: int, side: int, channels: int, swapped: bool, op: ops.Op
) -> None:
    out = rescaled(QParams(max(a.scale, b.scale), 0), ratio, zero)
    if isinstance(op, ops.Mul):
        out = QParams(a.scale * b.scale * 60 * ratio, zero)
    assume(fits(op, [a, b], out))
    nodes = [
        TypedNode("q", Quantize(), ("image",), a),
        TypedNode("mean", ops.Mean(), ("image",)),
        TypedNode("g", Quantize(), ("mean",), b),
        TypedNode("op", op, ("g", "q") if swapped else ("q", "g"), out),
    ]
    check_equal(run_both(nodes, side, channels))


@few
@given(formats, st.integers(2, 5), sides, st.integers(1, 30))
def test_concat(q: QParams, count: int, side: int, channels: int) -> None:
    nodes = two_inputs(ops.Concat(), q, q, q, channels)
    nodes[-1] = TypedNode("op", ops.Concat(), (("q", "flip") * 3)[:count], q)
    check_equal(run_both(nodes, side, channels))


WINDOWS = st.sampled_from([(2, 2), (3, 3), (7, 3), (1, 3), (3, 1)])


@few
@given(formats, WINDOWS, st.integers(1, 3), st.integers(7, 17), st.integers(1, 70))
def test_max_pool(q: QParams, kernel: tuple[int, int], stride: int, side: int, channels: int) -> None:
    assume(stride <= min(kernel))  # else another kernel runs it, with the same values
    check_equal(run_both(one_input(ops.MaxPool(kernel, (stride, stride)), q, q), side, channels))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("kind", [ops.PixelShuffle, ops.DepthToSpace])
def test_shuffles(kind: type[ops.PixelShuffle] | type[ops.DepthToSpace], factor: int) -> None:
    q = QParams(0.5, 7)
    check_equal(run_both(one_input(kind(factor), q, q), 5, 3 * factor**2))


def test_repeat_and_shuffle() -> None:
    q = QParams(0.5, 7)
    nodes = one_input(ops.Repeat(9), q, q)
    check_equal(run_both([*nodes, TypedNode("up", ops.PixelShuffle(3), ("op",), q)], 5, 3))


@few
@given(formats, st.tuples(*[st.integers(0, 3)] * 4), sides, st.integers(1, 70))
def test_pad(q: QParams, amounts: tuple[int, int, int, int], side: int, channels: int) -> None:
    check_equal(run_both(one_input(ops.Pad(ops.Padding(*amounts)), q, q), side, channels))


@few
@given(formats, st.integers(1, 4), sides, st.integers(1, 70))
def test_bilinear_by_a_factor(q: QParams, factor: int, side: int, channels: int) -> None:
    check_equal(run_both(one_input(ops.ResizeBilinear(factor), q, q), side, channels))


@few
@given(formats, st.integers(2, 7), st.integers(7, 23), st.integers(1, 70))
def test_bilinear_back_to_a_tensor(q: QParams, kernel: int, side: int, channels: int) -> None:
    nodes = one_input(ops.MaxPool((kernel, kernel), (2, 1)), q, q)
    up = TypedNode("up", ops.ResizeBilinear(), ("op", "q"), q)
    check_equal(run_both([*nodes, up], side, channels))


def test_every_integer_kind_is_compared_with_litert() -> None:
    """A new kind needs a test above."""
    kinds = {kind.__name__ for kind in ops.Op.__subclasses__() if is_integer_kind(kind)}
    assert kinds == {
        "Quantize", "Dequantize", "Requantize", "QConv2d", "Add", "Sub", "Mul", "LeakyRelu", "Sigmoid",
        "Tanh", "Slice", "Concat", "MaxPool", "PixelShuffle", "DepthToSpace", "Repeat", "Pad",
        "ResizeBilinear",
    }  # fmt: skip


def test_sums_beyond_float32_stay_exact() -> None:
    """70 channels of 5x5 weights of 127 reach sums that float32 cannot hold."""
    op = QConv2d(
        np.full((2, 70, 5, 5), 127, np.int8), np.full(2, 1e-5, np.float32), np.array([1, -(2**30)], np.int32)
    )
    outcome = run_both(one_input(op, QParams(0.01, -128), QParams(0.03, 100)), 24, 70)
    check_equal(outcome)
