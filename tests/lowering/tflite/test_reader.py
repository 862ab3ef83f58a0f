"""Reading a program gives back the typed graph that was written; what edgesr never writes is refused."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from typed_programs import graph_of, one_input, random_conv, two_inputs

from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.lowering.arrange import arrange
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.quantize import FIXED_GRIDS, SIGMOID
from edgesr.quantization.typed import QConv2d, Quantize, Requantize, TypedGraph, TypedNode

Q, R = QParams(0.1, 5), QParams(0.03, -100)
RNG = np.random.default_rng(0)


def float_conv(groups: int = 1, **geometry: object) -> ops.Conv2d:
    weight = RNG.normal(size=(6, 6 // groups, 3, 3)).astype(np.float32)
    bias = RNG.normal(size=6).astype(np.float32)
    return ops.Conv2d(weight, bias, groups=groups, **geometry)  # type: ignore[arg-type]


def floats(*steps: ops.Op | tuple[ops.Op, str]) -> TypedGraph:
    nodes: list[TypedNode] = []
    for index, step in enumerate(steps):
        op, inputs = step if isinstance(step, tuple) else (step, nodes[-1].name if nodes else "image")
        nodes.append(TypedNode(f"n{index}", op, tuple(inputs.split())))
    return graph_of(nodes, 6)


SAME = ops.Padding(1, 1, 1, 1)
GRAPHS: dict[str, TypedGraph] = {
    "float conv": floats(float_conv(padding=SAME, relu=True)),
    "float conv strided": floats(float_conv(stride=(2, 1), dilation=(1, 2), padding=SAME)),
    "float depthwise": floats(float_conv(groups=6)),
    "float grouped": floats(float_conv(groups=3)),
    "float activations": floats(
        ops.Relu(), ops.LeakyRelu(0.1), ops.PRelu(RNG.normal(size=6).astype(np.float32)), ops.Sigmoid(),
        ops.Clamp(-0.1, 0.7), ops.Clamp(-np.inf, 0.3), ops.Tanh(),
    ),
    "float attention": floats(
        ops.Slice(1, 4), (ops.Mean(), "n0"), (ops.Std(), "n0"), (ops.Add(), "n1 n2"), (ops.Mul(), "n0 n3"),
        (ops.Sub(), "n1 n0"),
    ),
    "float arithmetic": floats(
        (ops.Add(relu=True), "image image"), (ops.Sub(), "n0 image"), (ops.Mul(), "n1 n0"),
        (ops.Concat(), "n0 n1 n2"),
    ),
    "float shapes": floats(
        ops.Pad(ops.Padding(1, 2, 3, 0)), ops.MaxPool((3, 2), (2, 1)), (ops.ResizeBilinear(), "n1 image"),
        ops.ResizeBilinear(2), ops.Repeat(4), ops.PixelShuffle(2),
    ),
    "resized like a tensor that is not the first of its size": floats(
        ops.LeakyRelu(0.5), ops.MaxPool((3, 3), (2, 2)), (ops.ResizeBilinear(), "n1 n0")
    ),
    "resized by a factor to a size that exists": floats(
        ops.ResizeBilinear(2), ops.MaxPool((2, 2), (2, 2)), (ops.ResizeBilinear(2), "n1")
    ),
    "concat of 9": floats((ops.Concat(), " ".join(["image"] * 9))),
    "int8 conv": graph_of(one_input(random_conv(RNG, 6, 9, padding=SAME, relu=True), Q, R), 6),
    "int8 odd padding": graph_of(one_input(random_conv(RNG, 6, 9, padding=ops.Padding(2, 0, 1, 1)), Q, R), 6),
    "int8 4 bit": graph_of(one_input(random_conv(RNG, 6, 9, bits=4), Q, R), 6),
    "int8 4 bit odd size": graph_of(one_input(random_conv(RNG, 3, 5, bits=4), Q, R), 3),
    "int8 one output": graph_of(one_input(random_conv(RNG, 6, 1), Q, R), 6),
    "int8 depthwise": graph_of(one_input(random_conv(RNG, 6, 12, groups=6, dilation=(2, 2)), Q, R), 6),
    "int8 grouped": graph_of(one_input(random_conv(RNG, 6, 12, groups=3, stride=(2, 2)), Q, R), 6),
    "int8 requantize": graph_of(one_input(Requantize(), Q, R), 6),
    "int8 sigmoid": graph_of(one_input(ops.Sigmoid(), Q, SIGMOID), 6),
    "int8 tanh": graph_of(one_input(ops.Tanh(), Q, FIXED_GRIDS[ops.Tanh]), 6),
    "int8 slice": graph_of(one_input(ops.Slice(2, 5), Q, Q), 6),
    "int8 leaky": graph_of(one_input(ops.LeakyRelu(0.1), Q, R), 6),
    "int8 sum": graph_of(two_inputs(ops.Add(relu=True), Q, R, Q, 6), 6),
    "int8 shuffle": graph_of(
        [*one_input(random_conv(RNG, 6, 12), Q, R), TypedNode("up", ops.PixelShuffle(2), ("op",), R)], 6
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_round_trip(name: str) -> None:
    graph = GRAPHS[name]
    for packed in (False, True):
        back = read(write({"s": graph}, 13, b"{}", packed))
        assert list(back) == ["s"]
        assert back["s"].equals(arrange(graph))
        assert all(
            a.flags.writeable for node in back["s"] for a in vars(node.op).values() if hasattr(a, "flags")
        )


def test_variants_keep_their_names_and_graphs() -> None:
    program = write({"low": GRAPHS["int8 conv"], "high": GRAPHS["float conv"]}, 13, b"{}")
    back = read(program)
    assert list(back) == ["low", "high"]
    assert back["low"].equals(arrange(GRAPHS["int8 conv"])) and back["high"].equals(GRAPHS["float conv"])


def test_narrow_weights_read_as_4_bits_and_others_as_8() -> None:
    for peak, bits in ((7, 4), (8, 8)):
        op = QConv2d(np.full((1, 6, 1, 1), -peak, np.int8), np.ones(1, np.float32), np.zeros(1, np.int32))
        back = read(write({"s": graph_of(one_input(op, Q, R), 6)}, 5, b"{}"))["s"]["op"].op
        assert isinstance(back, QConv2d) and back.bits == bits


Change = Callable[[Any], None]


def changed(graph: TypedGraph, change: Change) -> bytes:
    """The program after `change` has been applied to the object form of the file."""
    model = schema.ModelT.InitFromPackedBuf(write({"s": graph}, 13, b"{}"), 0)
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def op_of(model: Any, kind: str) -> Any:
    code = getattr(schema.BuiltinOperator, kind)
    index = next(i for i, c in enumerate(model.operatorCodes) if c.builtinCode == code)
    return next(op for op in model.subgraphs[0].operators if op.opcodeIndex == index)


def tensor_of(model: Any, name: str) -> Any:
    return next(t for t in model.subgraphs[0].tensors if t.name == name.encode())


def rename_kind(old: str, new: str) -> Change:
    def change(model: Any) -> None:
        code = next(c for c in model.operatorCodes if c.builtinCode == getattr(schema.BuiltinOperator, old))
        code.builtinCode = getattr(schema.BuiltinOperator, new)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)

    return change


def set_option(kind: str, field: str, value: int) -> Change:
    return lambda model: setattr(op_of(model, kind).builtinOptions, field, value)


def set_grid(name: str, scale: float, zero: int = 0) -> Change:
    def change(model: Any) -> None:
        tensor_of(model, name).quantization.scale = np.array([scale], np.float32)
        tensor_of(model, name).quantization.zeroPoint = np.array([zero], np.int64)

    return change


def set_tensor(name: str, field: str, value: Any) -> Change:
    return lambda model: setattr(tensor_of(model, name), field, value)


def set_values(name: str, values: list[int]) -> Change:
    def change(model: Any) -> None:
        buffer = model.buffers[tensor_of(model, name).buffer]
        buffer.data = np.frombuffer(np.array(values, np.int32).tobytes(), np.uint8)

    return change


def set_zero_points(name: str) -> Change:
    def change(model: Any) -> None:
        quantization = tensor_of(model, name).quantization
        quantization.zeroPoint = quantization.zeroPoint + 1

    return change


CAT = graph_of([TypedNode("q", Quantize(), ("image",), Q), TypedNode("cat", ops.Concat(), ("q", "q"), Q)], 6)
SLICE, MEAN = floats(ops.Slice(1, 4)), floats(ops.Mean())
POOL = graph_of(one_input(ops.MaxPool((2, 2), (1, 1)), Q, Q), 6)
RELU6 = schema.ActivationFunctionType.RELU6
UNSIGNED = graph_of(one_input(random_conv(RNG, 6, 9), Q, QParams(0.03, 100)), 6)
FOREIGN: dict[str, tuple[TypedGraph, Change, str]] = {
    "unknown op": (floats(ops.Relu()), rename_kind("RELU", "FLOOR"), r"FLOOR \('n0'\)"),
    "int8 op without arithmetic": (
        graph_of(one_input(ops.LeakyRelu(0.1), Q, R), 6), rename_kind("LEAKY_RELU", "RELU"), r"RELU \('op'\)",
    ),
    "uint8": (UNSIGNED, set_tensor("op", "type", schema.TensorType.UINT8), r"CONV_2D \('op'\)"),
    "unequal concat": (CAT, set_grid("cat", 0.2), r"CONCATENATION \('cat'\)"),
    "concat of rows": (CAT, set_option("CONCATENATION", "axis", 1), "CONCATENATION"),
    "unequal pool": (POOL, set_grid("op", 0.2), r"MAX_POOL_2D \('op'\)"),
    "padded pool": (POOL, set_option("MAX_POOL_2D", "padding", schema.Padding.SAME), "MAX_POOL_2D"),
    "other sigmoid": (GRAPHS["int8 sigmoid"], set_grid("op", 0.01, -128), r"LOGISTIC \('op'\)"),
    "asymmetric weights": (GRAPHS["int8 conv"], set_zero_points("op/weight"), r"CONV_2D \('op'\)"),
    "relu6": (GRAPHS["float conv"], set_option("CONV_2D", "fusedActivationFunction", RELU6), "CONV_2D"),
    "strided same": (
        floats(float_conv(stride=(2, 2))), set_option("CONV_2D", "padding", schema.Padding.SAME), "CONV_2D",
    ),
    "stride 0": (floats(float_conv()), set_option("CONV_2D", "strideW", 0), "CONV_2D"),
    "fused into sub": (
        floats((ops.Sub(), "image image")), set_option("SUB", "fusedActivationFunction", 1), "SUB",
    ),
    "other tanh": (GRAPHS["int8 tanh"], set_grid("op", 1 / 256), r"TANH \('op'\)"),
    "slice of rows": (SLICE, set_values("n0/begin", [0, 1, 0, 1]), r"SLICE \('n0'\).* some of 6 channels"),
    "slice beyond": (SLICE, set_values("n0/begin", [0, 0, 0, 4]), "some of 6 channels"),
    "slice from below": (SLICE, set_values("n0/begin", [0, 0, 0, -1]), "some of 6 channels"),
    "slice of nothing": (SLICE, set_values("n0/size", [1, 13, 13, 0]), "some of 6 channels"),
    "slice of an open size": (SLICE, set_values("n0/size", [1, 13, 13, -1]), "some of 6 channels"),
    "slice of huge numbers": (SLICE, set_values("n0/size", [1, 13, 13, 2**31 - 1]), "some of 6 channels"),
    "slice of shorter rows": (SLICE, set_values("n0/size", [1, 13, 12, 3]), "some of 6 channels"),
    "slice of three axes": (SLICE, set_tensor("n0/size", "shape", [2, 2]), "not of four axes"),
    "mean of rows": (MEAN, set_values("n0/axes", [1, 3]), r"MEAN \('n0'\).* not over height and width"),
    "mean beyond": (MEAN, set_values("n0/axes", [1, 9]), "not over height and width"),
    "mean without its axes": (MEAN, set_option("MEAN", "keepDims", False), "not over height and width"),
    "int8 mean": (
        graph_of([*one_input(ops.MaxPool((1, 1), (1, 1)), Q, Q)], 6),
        rename_kind("MAX_POOL_2D", "SQRT"), r"SQRT \('op'\).* no int8 arithmetic",
    ),
    "product of unequal shapes": (
        floats(ops.MaxPool((2, 2), (2, 2)), (ops.Mul(), "n0 n0")),
        lambda model: setattr(op_of(model, "MUL"), "inputs", [0, op_of(model, "MUL").inputs[0]]),
        "Mul between shapes",
    ),
    "corners": (
        floats(ops.ResizeBilinear(2)), set_option("RESIZE_BILINEAR", "alignCorners", True), "RESIZE_BILINEAR",
    ),
    "no half pixels": (
        floats(ops.ResizeBilinear(2)), set_option("RESIZE_BILINEAR", "halfPixelCenters", False), "RESIZE_B",
    ),
    "wrong shape": (floats(ops.Relu()), set_tensor("n0", "shape", [1, 9, 12, 6]), r"\[1, 9, 12, 6\] of 'n0'"),
    "two of a name": (floats(ops.Relu(), ops.Sigmoid()), set_tensor("n1", "name", "n0"), "the name 'n0'"),
    "int8 picture": (GRAPHS["int8 conv"], set_tensor("image", "type", schema.TensorType.INT8), "'image'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_refused_by_op_and_tensor(name: str) -> None:
    graph, change, message = FOREIGN[name]
    assert read(changed(graph, lambda model: None))["s"].equals(arrange(graph))
    with pytest.raises(UserError, match=f"^signature 's': .*{message}"):
        read(changed(graph, change))


@pytest.mark.parametrize("name", ["int8 shuffle", "float shapes", "int8 4 bit"])
def test_damaged_files_never_do_worse_than_a_user_error(name: str) -> None:
    program = write({"s": GRAPHS[name]}, 13, b"{}", pack_int4=True)
    generator = np.random.default_rng(1)
    for size in generator.integers(0, len(program), 60):
        with pytest.raises(UserError):
            read(program[:size])
    refused = 0
    for _ in range(400):
        spoiled = bytearray(program)
        for place in generator.integers(0, len(program), 3):
            spoiled[place] = generator.integers(0, 256)
        try:
            read(bytes(spoiled))
        except UserError:
            refused += 1
    assert refused > 20
