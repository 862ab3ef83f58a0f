"""Programs as LiteRT runs them: bytes, order of channels, concatenation, padding, mixed formats."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typed_programs import graph_of, one_input, random_conv, run_both

from edgesr.devices.host import delegated
from edgesr.devices.litert import Runner
from edgesr.graph import ops
from edgesr.lowering.arrange import arrange
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.reference import run
from edgesr.quantization.typed import Dequantize, QConv2d, Quantize, TypedGraph, TypedNode

Q, R = QParams(1 / 128, 0), QParams(0.3, -20)
SIDE = 12
SAME = ops.Padding(1, 1, 1, 1)


def float_conv(seed: int, inputs: int, outputs: int, kernel: int = 3, groups: int = 1) -> ops.Conv2d:
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(outputs, inputs // groups, kernel, kernel)).astype(np.float32) / kernel
    edge = kernel // 2
    bias = generator.normal(size=outputs).astype(np.float32)
    return ops.Conv2d(weight, bias, padding=ops.Padding(edge, edge, edge, edge), groups=groups)


def floats(*steps: tuple[str, ops.Op, str], channels: int = 3) -> TypedGraph:
    return graph_of([TypedNode(name, op, tuple(inputs.split())) for name, op, inputs in steps], channels)


def image(channels: int = 3, side: int = SIDE) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-1, 1, (1, side, side, channels)).astype(np.float32)


def litert(graph: TypedGraph, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    side = picture.shape[1]
    return Runner(write({"s": graph}, side, b"{}"), "s")(picture)["sr"].transpose(0, 3, 1, 2)


def check_float(graph: TypedGraph, channels: int = 3) -> None:
    picture = image(channels)
    expected = run(graph, torch.from_numpy(picture.transpose(0, 3, 1, 2).copy()))[graph.output].numpy()
    got = litert(graph, picture)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 2e-5 * (1 + np.abs(expected).max())


FLOAT_OPS: dict[str, ops.Op] = {
    "conv": float_conv(0, 3, 5),
    "depthwise": float_conv(1, 3, 6, groups=3),
    "even kernel": float_conv(2, 3, 4, kernel=2),
    "relu": ops.Relu(),
    "leaky": ops.LeakyRelu(0.1),
    "prelu": ops.PRelu(np.array([0.1, -0.2, 1.5], np.float32)),
    "sigmoid": ops.Sigmoid(),
    "clamp": ops.Clamp(-0.2, 0.3),
    "clamp below": ops.Clamp(-0.2, np.inf),
    "clamp above": ops.Clamp(-np.inf, 0.3),
    "pool": ops.MaxPool((3, 2), (2, 3)),
    "pad": ops.Pad(ops.Padding(1, 0, 2, 3)),
    "bilinear": ops.ResizeBilinear(3),
    "tanh": ops.Tanh(),
    "slice": ops.Slice(1, 3),
    "mean": ops.Mean(),
    "deviation": ops.Std(),
}


@pytest.mark.parametrize("name", FLOAT_OPS)
def test_float_ops(name: str) -> None:
    check_float(floats(("op", FLOAT_OPS[name], "image")))


def test_float_arithmetic() -> None:
    check_float(
        floats(
            ("a", float_conv(0, 3, 4), "image"), ("b", float_conv(1, 3, 4), "image"), ("s", ops.Sub(), "a b"),
            ("m", ops.Mul(), "s a"), ("t", ops.Add(relu=True), "m b"), ("c", ops.Concat(), "t s a"),
        )
    )  # fmt: skip


@pytest.mark.parametrize("count", [2, 5, 6, 9, 16, 26])
def test_concatenations_of_any_width(count: int) -> None:
    graph = floats(
        ("a", ops.LeakyRelu(0.5), "image"),
        ("cat", ops.Concat(), " ".join((["image", "a"] * count)[:count])),
    )
    check_float(graph)
    widths = [len(node.inputs) for node in arrange(graph) if isinstance(node.op, ops.Concat)]
    assert all(2 <= width <= 5 for width in widths)
    nodes = [
        TypedNode("q", Quantize(), ("image",), Q),
        TypedNode("p", ops.MaxPool((1, 1), (1, 1)), ("q",), Q),
    ]
    nodes.append(TypedNode("cat", ops.Concat(), tuple((["q", "p"] * count)[:count]), Q))
    outcome = run_both(nodes, SIDE, 3)
    assert (outcome.mismatches, outcome.outside) == (0, ())


ORDER_GRAPHS = {
    "after a conv": floats(("a", float_conv(0, 3, 27), "image"), ("up", ops.PixelShuffle(3), "a")),
    "through activations": floats(
        ("a", float_conv(0, 3, 12), "image"), ("b", ops.LeakyRelu(0.2), "a"),
        ("c", ops.PRelu(np.linspace(0, 1, 12, dtype=np.float32)), "b"), ("up", ops.PixelShuffle(2), "c"),
    ),
    "through a sum": floats(
        ("a", float_conv(0, 3, 12), "image"), ("b", float_conv(1, 3, 12), "image"), ("s", ops.Add(), "a b"),
        ("up", ops.PixelShuffle(2), "s"),
    ),
    "nearest plus": floats(
        ("a", float_conv(0, 3, 12), "image"), ("n", ops.Repeat(4), "image"), ("s", ops.Add(), "a n"),
        ("up", ops.PixelShuffle(2), "s"),
    ),
    "twice": floats(
        ("a", float_conv(0, 3, 48), "image"), ("up", ops.PixelShuffle(2), "a"),
        ("up2", ops.PixelShuffle(2), "up"),
    ),
    "source read elsewhere": floats(
        ("a", float_conv(0, 3, 12), "image"), ("up", ops.PixelShuffle(2), "a"), ("b", ops.Sigmoid(), "a"),
        ("up2", ops.PixelShuffle(2), "b"), ("s", ops.Add(), "up up2"),
    ),
    "grouped conv": floats(("a", float_conv(0, 3, 12, groups=3), "image"), ("up", ops.PixelShuffle(2), "a")),
    "narrow groups": floats(("a", float_conv(0, 6, 12, groups=6), "image"), ("up", ops.PixelShuffle(2), "a"),
                            channels=6),
    "of the picture": floats(("up", ops.PixelShuffle(2), "image"), channels=12),
    "after a concat": floats(
        ("a", float_conv(0, 3, 6), "image"), ("c", ops.Concat(), "a a"), ("up", ops.PixelShuffle(2), "c"),
    ),
}  # fmt: skip
PERMUTED = {"twice", "source read elsewhere", "narrow groups", "of the picture", "after a concat"}


@pytest.mark.parametrize("name", ORDER_GRAPHS)
def test_pixel_shuffles_keep_pytorchs_channel_order(name: str) -> None:
    graph = ORDER_GRAPHS[name]
    check_float(graph, graph.nodes[0].op.channels)  # type: ignore[attr-defined]
    arranged = arrange(graph)
    assert any(node.name.endswith("/order") for node in arranged) == (name in PERMUTED)
    assert not any(isinstance(node.op, ops.PixelShuffle | ops.Repeat) for node in arranged)


@pytest.mark.parametrize(("channels", "outputs", "groups"), [(6, 12, 6), (3, 12, 3), (8, 32, 4), (8, 32, 2)])
def test_int8_channels_are_permuted_without_loss(channels: int, outputs: int, groups: int) -> None:
    conv = random_conv(np.random.default_rng(0), channels, outputs, groups=groups)
    nodes = [*one_input(conv, Q, R), TypedNode("up", ops.PixelShuffle(2), ("op",), R)]
    outcome = run_both(nodes, SIDE, channels)
    assert (outcome.mismatches, outcome.outside) == (0, ())
    graph = graph_of(nodes, channels)
    picture = torch.from_numpy(image(channels).transpose(0, 3, 1, 2).copy())
    assert torch.equal(run(graph, picture)[graph.output], run(arrange(graph), picture)[graph.output])


def test_repeats_that_nothing_shuffles_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="'n' repeats channels"):
        arrange(floats(("n", ops.Repeat(4), "image"), ("s", ops.Sigmoid(), "n")))


@pytest.mark.parametrize(
    ("padding", "stride", "split"),
    [(SAME, (1, 1), False), (ops.Padding(), (2, 2), False), (SAME, (2, 2), True),
     (ops.Padding(2, 2, 2, 2), (1, 1), True), (ops.Padding(0, 2, 0, 2), (1, 1), True)],
)  # fmt: skip
def test_padding_that_tflite_cannot_say_becomes_an_op(
    padding: ops.Padding, stride: tuple[int, int], split: bool
) -> None:
    weight = float_conv(0, 3, 4)
    graph = floats(("a", ops.Conv2d(weight.weight, weight.bias, stride, padding), "image"))
    check_float(graph)
    assert any(isinstance(node.op, ops.Pad) for node in arrange(graph)) == split


def test_the_same_graph_gives_the_same_bytes() -> None:
    def program() -> bytes:
        op = random_conv(np.random.default_rng(3), 3, 12, padding=SAME)
        nodes = [*one_input(op, Q, R), TypedNode("up", ops.PixelShuffle(2), ("op",), R)]
        return write({"s": graph_of(nodes, 3)}, SIDE, b"{}")

    assert program() == program()


def test_variants_share_their_constants() -> None:
    op = random_conv(np.random.default_rng(3), 3, 64, (9, 9))
    low, high = graph_of(one_input(op, Q, R), 3), graph_of(one_input(op, Q, QParams(0.5, 0)), 3)
    alone = [len(write({"s": graph}, SIDE, b"{}")) for graph in (low, high)]
    both = len(write({"low": low, "high": high}, SIDE, b"{}"))
    assert op.weight.nbytes > 15_000
    assert both < sum(alone) - op.weight.nbytes + 500


def test_packed_weights_are_smaller_and_still_run() -> None:
    op = random_conv(np.random.default_rng(3), 5, 33, bits=4, padding=SAME)
    nodes = one_input(op, Q, QParams(0.05, 3))
    plain, packed = (write({"s": graph_of(nodes, 5)}, SIDE, b"{}", pack) for pack in (False, True))
    assert len(plain) - len(packed) > 0.45 * op.weight.nbytes
    answers = [Runner(program, "s")(image(5))["sr"] for program in (plain, packed)]
    assert np.abs(answers[0] - answers[1]).max() <= 0.05 * 1.01  # other kernels: one level at most
    assert (answers[0] == answers[1]).mean() > 0.9
    assert [op.kind for op in delegated(packed).variants["s"].outside] == ["CONV_2D"]


def test_a_float_prelu_between_int8_convolutions_stays_in_xnnpack() -> None:
    generator = np.random.default_rng(0)
    nodes = [
        *one_input(random_conv(generator, 3, 8, padding=SAME), Q, R),
        TypedNode("f", Dequantize(), ("op",)),
        TypedNode("act", ops.PRelu(generator.uniform(-0.5, 1.5, 8).astype(np.float32)), ("f",)),
        TypedNode("g", Quantize(), ("act",), R),
        TypedNode("last", random_conv(generator, 8, 3, padding=SAME), ("g",), QParams(1.0, 0)),
    ]
    outcome = run_both(nodes, SIDE, 3)
    assert (outcome.mismatches, outcome.outside) == (0, ())


def test_float_convolutions_of_one_input_are_one() -> None:
    steps = [("c", float_conv(2, 3, 4, kernel=1), "image")]
    steps += [(name, float_conv(seed, 3, width), "image") for seed, name, width in ((0, "a", 4), (1, "b", 6))]
    graph = floats(*steps, ("cat", ops.Concat(), "b c a"))
    check_float(graph)
    arranged = arrange(graph)
    assert [(n.name, n.op.kind) for n in arranged][1:] == [
        ("c", "Conv2d"), ("a/joined", "Conv2d"), ("a", "Slice"), ("b", "Slice"), ("cat", "Concat"),
    ]  # fmt: skip
    assert arrange(arranged).equals(arranged)
    picture = torch.from_numpy(image().transpose(0, 3, 1, 2).copy())
    assert torch.allclose(run(graph, picture)["cat"], run(arranged, picture)["cat"], atol=1e-5)


def test_contrast_attention_stays_in_xnnpack_and_equals_the_reference() -> None:
    """Float mean and deviation between int8 ops; the root alone may differ, in the last bit."""
    generator = np.random.default_rng(0)
    spread, gate = QParams(0.05, -128), QParams(1 / 256, -128)
    nodes = [
        *one_input(random_conv(generator, 3, 8, padding=SAME), Q, R),
        TypedNode("f", Dequantize(), ("op",)),
        TypedNode("mean", ops.Mean(), ("f",)),
        TypedNode("std", ops.Std(), ("f",)),
        TypedNode("sum", ops.Add(), ("std", "mean")),
        TypedNode("g", Quantize(), ("sum",), spread),
        TypedNode("small", random_conv(generator, 8, 8, (1, 1)), ("g",), QParams(0.02, 3)),
        TypedNode("gate", ops.Sigmoid(), ("small",), gate),
        TypedNode("gated", ops.Mul(), ("op", "gate"), R),
        TypedNode("last", random_conv(generator, 8, 3, padding=SAME), ("gated",), QParams(0.3, 0)),
    ]
    outcome = run_both(nodes, SIDE, 3)
    assert (outcome.mismatches, outcome.outside) == (0, ())
    assert outcome.distinct > 50
    kinds = [node.op.kind for node in arrange(graph_of(nodes, 3)) if node.name.startswith("std")]
    assert kinds == ["Mean", "SquaredDifference", "Mean", "Sqrt"]


def test_a_tile_too_small_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="'op' is empty"):
        write({"s": floats(("op", ops.MaxPool((7, 7), (3, 3)), "image"))}, 6, b"{}")


def test_int8_kinds_without_an_op_are_not_written_silently() -> None:
    class Unknown(ops.Op):
        pass

    with pytest.raises(NotImplementedError, match="Unknown"):
        write({"s": floats(("op", Unknown(), "image"))}, 6, b"{}")


def test_weights_of_one_output_channel() -> None:
    op = QConv2d(
        np.array([[[[127]], [[-127]], [[64]]]], np.int8),
        np.array([0.01], np.float32),
        np.array([7], np.int32),
    )
    outcome = run_both(one_input(op, Q, QParams(0.02, 0)), SIDE, 3)
    assert (outcome.mismatches, outcome.outside) == (0, ())
