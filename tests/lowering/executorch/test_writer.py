"""Programs as ExecuTorch runs them: op by op, constants, what is refused, and the converter's known traps."""

import numpy as np
import pytest
import torch
from typed_programs import graph_of, one_input, picture, random_conv, two_inputs

from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.lowering.arrange import arrange
from edgesr.lowering.executorch.kinds import Datatype
from edgesr.lowering.executorch.reader import read
from edgesr.lowering.executorch.writer import write, write_probe
from edgesr.quantization.affine import QParams
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import SIGMOID, quantize
from edgesr.quantization.reference import run
from edgesr.quantization.typed import (
    Dequantize,
    DynamicConv2d,
    QConv2d,
    Quantize,
    Requantize,
    TypedNode,
)
from edgesr_runtime.flatbuffer import Table
from edgesr_runtime.pte import read_pte, read_pte_metadata

from .programs import by_reference, check_equal, float_conv, needs_executorch, on_executorch, tiny

Q, R, S = QParams(1 / 128, 0), QParams(0.3, -20), QParams(0.011, 7)
SAME = ops.Padding(1, 1, 1, 1)
CHANNELS = 8


def conv(**geometry: object) -> QConv2d:
    return random_conv(np.random.default_rng(0), CHANNELS, 16, **geometry)  # type: ignore[arg-type]


INT8_OPS: dict[str, tuple[ops.Op, QParams, QParams]] = {
    "conv": (conv(padding=SAME), R, S),
    "conv and relu": (conv(padding=SAME, relu=True), R, S),
    "pointwise": (conv(kernel=(1, 1)), R, S),
    "4-bit grid": (conv(padding=SAME, bits=4), R, S),
    "grouped": (conv(padding=SAME, groups=4), R, S),
    "depthwise": (conv(padding=SAME, groups=CHANNELS), R, S),
    "strided": (conv(stride=(2, 2)), R, S),
    "dilated": (conv(dilation=(2, 2), padding=ops.Padding(2, 2, 2, 2)), R, S),
    "odd padding": (conv(padding=ops.Padding(0, 2, 1, 0)), R, S),
    "requantize": (Requantize(), Q, S),
    "leaky": (ops.LeakyRelu(0.1), Q, S),
    "sigmoid": (ops.Sigmoid(), R, SIGMOID),
    "tanh": (ops.Tanh(), S, QParams(1 / 128, 0)),
    "pool": (ops.MaxPool((3, 2), (2, 3)), Q, Q),
    "pad": (ops.Pad(ops.Padding(1, 0, 2, 3)), S, S),
    "slice": (ops.Slice(1, 5), Q, Q),
    "bilinear": (ops.ResizeBilinear(3), S, S),
    "shuffle": (ops.PixelShuffle(2), Q, Q),
}


@pytest.mark.parametrize("name", INT8_OPS)
def test_int8_ops(name: str) -> None:
    op, source, out = INT8_OPS[name]
    check_equal(one_input(op, source, out), CHANNELS)


@pytest.mark.parametrize("op", [ops.Add(), ops.Add(relu=True), ops.Sub(), ops.Mul()])
def test_int8_arithmetic(op: ops.Op) -> None:
    check_equal(two_inputs(op, Q, QParams(0.01, 3), S, CHANNELS), CHANNELS)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 9, 26])
def test_concatenations_of_any_width(count: int) -> None:
    nodes = two_inputs(ops.Concat(), Q, Q, Q, 3)
    nodes[-1] = TypedNode("op", ops.Concat(), tuple((["q", "flip"] * count)[:count]), Q)
    check_equal(nodes, 3)


def test_a_resize_to_the_size_of_another_tensor() -> None:
    nodes = [
        TypedNode("q", Quantize(), ("image",), Q),
        TypedNode("small", ops.MaxPool((3, 3), (3, 3)), ("q",), Q),
        TypedNode("op", ops.ResizeBilinear(), ("small", "q"), Q),
    ]
    check_equal(nodes, 3)
    assert read(write({"s": graph_of(nodes, 3)}, 12, b"{}"))["s"]["op"].inputs == ("small", "q")


@pytest.mark.parametrize("bias", [2**30, -(2**30), 2**24 + 1, -1])
def test_biases_come_out_exactly(bias: int) -> None:
    """A converter that keeps them in float32 loses the last bits of large ones."""
    weight = np.full((1, 1, 1, 1), 127, np.int8)
    op = QConv2d(weight, np.array([1e-3], np.float32), np.array([bias], np.int32))
    source, out = QParams(0.01, 0), QParams(0.01 * 1e-3 * 128, 0)
    opposite = QConv2d(-weight, op.scales, -op.bias)
    nodes = [
        *one_input(op, source, QParams(abs(bias) * 1e-5 / 100 + 1e-4, 0)),
        TypedNode("other", opposite, ("q",), out),
        TypedNode("both", Requantize(), ("other",), QParams(out.scale * 2, 3)),
    ]
    graph = graph_of(nodes, 1)
    image = picture(source, 8, 1)
    assert np.array_equal(on_executorch(graph, image), by_reference(graph, image))
    found = read(write({"s": graph}, 8, b"{}"))["s"]["other"].op
    assert isinstance(found, QConv2d) and found.bias.tolist() == [-bias]


FLOAT_OPS: dict[str, ops.Op] = {
    "conv": float_conv(0, CHANNELS, 5),
    "depthwise": float_conv(1, CHANNELS, 16, groups=CHANNELS),
    "grouped": float_conv(2, CHANNELS, 16, groups=4),
    "relu": ops.Relu(),
    "leaky": ops.LeakyRelu(0.1),
    "prelu": ops.PRelu(np.linspace(-0.2, 1.5, CHANNELS, dtype=np.float32)),
    "sigmoid": ops.Sigmoid(),
    "tanh": ops.Tanh(),
    "clamp": ops.Clamp(-0.2, 0.3),
    "clamp below": ops.Clamp(-0.2, np.inf),
    "pool": ops.MaxPool((3, 2), (2, 3)),
    "pad": ops.Pad(ops.Padding(1, 0, 2, 3)),
    "bilinear": ops.ResizeBilinear(3),
    "slice": ops.Slice(1, 3),
    "mean": ops.Mean(),
    "deviation": ops.Std(),
    "shuffle": ops.PixelShuffle(2),
}


@pytest.mark.parametrize("name", FLOAT_OPS)
def test_float_ops(name: str) -> None:
    graph = graph_of([TypedNode("op", FLOAT_OPS[name], ("image",))], CHANNELS)
    image = picture(Q, 12, CHANNELS)
    expected, got = by_reference(graph, image), on_executorch(graph, image)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 2e-5 * (1 + np.abs(expected).max())


@pytest.mark.parametrize("name", ["conv", "pointwise", "grouped", "strided", "conv and relu"])
def test_dynamic_grids(name: str) -> None:
    """One grid for the picture, or for each pixel of a pointwise convolution; equal to the last bit."""
    source = INT8_OPS[name][0]
    assert isinstance(source, QConv2d)
    op = DynamicConv2d(
        source.weight, source.scales, (source.bias * source.scales).astype(np.float32), source.stride,
        source.padding, source.dilation, source.groups, source.relu,
    )  # fmt: skip
    graph = graph_of([TypedNode("op", op, ("image",))], CHANNELS)
    image = picture(Q, 12, CHANNELS)
    assert np.array_equal(on_executorch(graph, image), by_reference(graph, image))


def test_one_int8_tensor_may_be_read_in_int8_and_in_float_many_times() -> None:
    """One dequantization with several readers breaks the converter's partitions."""
    generator = np.random.default_rng(0)
    nodes = [
        *one_input(random_conv(generator, 3, 8, padding=SAME), Q, R),
        TypedNode("f", Dequantize(), ("op",)),
        TypedNode("a", ops.PRelu(generator.uniform(-0.5, 1.5, 8).astype(np.float32)), ("f",)),
        TypedNode("b", ops.Sigmoid(), ("f",)),
        TypedNode("ga", Quantize(), ("a",), R),
        TypedNode("gb", Quantize(), ("b",), R),
        TypedNode("sum", ops.Add(), ("ga", "op"), R),
        TypedNode("all", ops.Add(), ("sum", "gb"), R),
    ]
    check_equal(nodes, 3)


def test_a_clamp_after_an_int8_convolution() -> None:
    """The converter fails on it; in the typed graph it is one more convolution, whose grid ends there."""
    nodes = (single_input(), Node("conv", float_conv(0, 3, 8), ("image",)))
    graph = Graph((*nodes, Node("clamp", ops.Clamp(-0.5, 0.25), ("conv",))), "clamp")
    plan = Plan({"image": (-1, 1), "conv": (-3, 3), "clamp": (-0.5, 0.25)}, {"conv": (0.01,) * 8})
    typed = quantize(graph, plan)
    assert isinstance(typed["clamp"].op, QConv2d)
    image = picture(Q, 12, 3)
    got = on_executorch(typed, image)
    assert np.array_equal(got, by_reference(typed, image))
    assert (got.min(), got.max()) == pytest.approx((-0.5, 0.25), abs=0.01)


def test_a_float_clamp_between_int8_convolutions() -> None:
    generator = np.random.default_rng(0)
    nodes = [
        *one_input(random_conv(generator, 3, 8, padding=SAME), Q, R),
        TypedNode("f", Dequantize(), ("op",)),
        TypedNode("clamp", ops.Clamp(-2.0, 3.0), ("f",)),
        TypedNode("g", Quantize(), ("clamp",), S),
        TypedNode("last", random_conv(generator, 8, 3, padding=SAME), ("g",), R),
    ]
    check_equal(nodes, 3)


def datatypes(program: bytes) -> set[int]:
    """Number formats that a file's delegates declare."""
    found = set()
    for method in read_pte(program).methods.values():
        start, size = (int.from_bytes(method.payload[at : at + 4], "little") for at in (10, 14))
        graph = Table.root(method.payload[start : start + size], b"XN01")
        for value in graph.tables(2, 10_000):
            body = value.table(1)
            tensor = body.table(0) if body and value.number(0, "B") == 2 else body
            assert tensor
            found.add(tensor.number(0, "h"))
    return found


def test_4_bit_weights_are_never_declared_as_4_bits() -> None:
    """XNNPACK's 4-bit format stops the process for 3x3 kernels and does not load for pointwise ones."""
    for kernel in ((1, 1), (3, 3)):
        op = random_conv(np.random.default_rng(3), 4, 8, kernel, bits=4)
        found = datatypes(write({"s": graph_of(one_input(op, Q, R), 4)}, 12, b"{}"))
        assert Datatype.INT8_PER_CHANNEL in found
        assert found <= set(Datatype)


REFUSED = {
    "unequal scales": [*two_inputs(ops.Concat(), Q, R, R, 3)],
    "mixes float32 and int8": [
        TypedNode("q", Quantize(), ("image",), Q), TypedNode("op", ops.Add(), ("q", "image"), Q),
    ],
    "has no int8 arithmetic": one_input(ops.PRelu(np.zeros(3, np.float32)), Q, Q),
    "another grid than its kernel": one_input(ops.Sigmoid(), Q, Q),
    "does not fit 3 channels": one_input(random_conv(np.random.default_rng(0), 4, 4), Q, R),
    "too far apart": one_input(Requantize(), QParams(1e-3, 0), QParams(1e3, 0)),
    "has no kernel there": [TypedNode("op", ops.ResizeNearest(2), ("image",))],
    "other formats than it says": [TypedNode("op", Requantize(), ("image",), Q)],
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_xnnpack_cannot_run_is_refused_before_it_is_written(reason: str) -> None:
    with pytest.raises(UserError, match=rf"'op' \(\w+\) .*{reason}.*--target tflite"):
        write({"s": graph_of(REFUSED[reason], 3)}, 12, b"{}")


def test_a_tile_too_small_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="'op' is empty"):
        write({"s": graph_of([TypedNode("op", ops.MaxPool((7, 7), (3, 3)), ("image",))], 3)}, 6, b"{}")


def test_variants_share_their_constants() -> None:
    op = random_conv(np.random.default_rng(3), 3, 64, (9, 9))
    low, high = graph_of(one_input(op, Q, R), 3), graph_of(one_input(op, Q, QParams(0.5, 0)), 3)
    alone = [len(write({"s": graph}, 12, b"{}")) for graph in (low, high)]
    both = write({"low": low, "high": high}, 12, b"{}")
    assert op.weight.nbytes > 15_000
    assert len(both) < sum(alone) - op.weight.nbytes
    assert list(read(both)) == ["low", "high"]


def test_the_default_variant_is_the_method_that_apps_call() -> None:
    program = write({"serving_default": graph_of(one_input(conv(), Q, R), CHANNELS)}, 12, b'{"scale": 2}')
    assert read_pte(program).methods["serving_default"].name == "forward"
    assert read_pte_metadata(program) == b'{"scale": 2}'
    needs_executorch()
    from executorch.extension.pybindings import _C

    module = _C._load_for_executorch_from_buffer(program)
    assert module.run_method("edgesr", ()) == ['{"scale": 2}']
    (result,) = module.forward((torch.zeros(1, CHANNELS, 12, 12),))
    assert result.shape == (1, 16, 10, 10)


def test_inner_tensors_can_be_looked_at() -> None:
    needs_executorch()
    from executorch.extension.pybindings import _C

    graph = arrange(tiny("rlfn").typed("w8a8"))
    names = [node.name for node in graph.nodes[1:] if node.name != graph.output]
    image = torch.from_numpy(tiny("rlfn").image().transpose(0, 3, 1, 2).copy())
    program = _C._load_program_from_buffer(data := write_probe(graph, image.shape[2], names))
    *inner, result = program.load_method("probe").call((image,))
    expected = run(graph, image, keep=[*names, graph.output])
    assert torch.equal(result, expected[graph.output]) and data
    for name, value in zip(names, inner, strict=True):
        assert torch.equal(value.permute(0, 3, 1, 2), expected[name]), name
