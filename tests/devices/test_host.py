"""The host device: equality with the reference is found out, and so is every difference."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor
from typed_programs import graph_of, one_input, random_conv

from edgesr.devices import host, litert
from edgesr.devices.host import Border, delegated, mismatches, segments
from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.lowering.tflite.writer import write
from edgesr.quantization import reference
from edgesr.quantization.affine import QParams
from edgesr.quantization.typed import Dequantize, QConv2d, Quantize, TypedGraph, TypedNode

IMAGE, MID, OUT = QParams(1 / 255, -128), QParams(0.02, 0), QParams(0.2, -3)
SAME = ops.Padding(1, 1, 1, 1)
SIDE = 12


def tiles(count: int = 2) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


def conv(seed: int, inputs: int = 3, outputs: int = 8, bits: int = 8) -> QConv2d:
    return random_conv(np.random.default_rng(seed), inputs, outputs, bits=bits, padding=SAME)


def whole(last: int = 3) -> TypedGraph:
    nodes = one_input(conv(0), IMAGE, MID)
    return graph_of([*nodes, TypedNode("last", conv(1, 8, last), ("op",), OUT)], 3)


def mixed() -> TypedGraph:
    """int8, a float PReLU, int8 again; the first part is read twice, and one value by nobody."""
    slope = np.linspace(-0.5, 1.5, 8).astype(np.float32)
    return TypedGraph(
        (
            TypedNode("image", ops.Input(3)),
            TypedNode("q", Quantize(), ("image",), IMAGE),
            TypedNode("a", conv(0), ("q",), MID),
            TypedNode("b", conv(1, 8, 8), ("a",), MID),
            TypedNode("f", Dequantize(), ("b",)),
            TypedNode("act", ops.PRelu(slope), ("f",)),
            TypedNode("soft", ops.Sigmoid(), ("act",)),
            TypedNode("r", Quantize(), ("soft",), QParams(1 / 255, -128)),
            TypedNode("small", ops.MaxPool((3, 3), (2, 2)), ("r",), QParams(1 / 255, -128)),
            TypedNode("back", ops.ResizeBilinear(), ("small", "act"), QParams(1 / 255, -128)),
            TypedNode("unread", ops.LeakyRelu(0.5), ("a",), MID),
            TypedNode("c", conv(2, 8, 3), ("back",), OUT),
            TypedNode("sr", Dequantize(), ("c",)),
        ),
        "sr",
    )


def test_an_int8_program_equals_the_reference_at_its_output() -> None:
    compared = mismatches(write({"s": whole()}, SIDE, b"{}"), tiles(), 1.0)
    assert (compared.mismatches, compared.values, compared.segments) == (0, 2 * 3 * SIDE**2, 1)
    assert compared.psnr_to_reference == math.inf


def test_every_segment_of_a_mixed_program_is_compared() -> None:
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1

    compared = mismatches(write({"s": mixed()}, SIDE, b"{}"), tiles(3), 1.0, progress=count)
    assert compared.mismatches == 0 and compared.segments == 2
    assert compared.values == 3 * SIDE**2 * (8 + 8 + 3)  # b, unread and sr
    assert compared.psnr_to_reference >= 60
    assert seen == 3


def test_segments_and_their_borders() -> None:
    graph = mixed()
    first, second = segments(graph)
    assert {n.name for n in first} == {"q", "a", "b", "unread"}
    assert {n.name for n in second} == {"r", "small", "back", "c"}
    assert Border.of(first, graph) == Border(("image",), ("b", "unread"), ())
    assert Border.of(second, graph) == Border(("soft",), ("sr",), ("act",))


def test_a_float_program_has_nothing_to_compare_but_its_output() -> None:
    graph = graph_of([TypedNode("a", ops.LeakyRelu(0.1), ("image",))], 3)
    compared = mismatches(write({"s": graph}, SIDE, b"{}"), tiles(), 255.0)
    assert (compared.mismatches, compared.values, compared.segments) == (0, 0, 0)
    assert compared.psnr_to_reference > 100


def test_variants_are_compared_one_by_one() -> None:
    compared = mismatches(write({"low": whole(), "high": mixed()}, SIDE, b"{}"), tiles(), 1.0, threads=2)
    assert list(compared.variants) == ["low", "high"]
    assert [v.segments for v in compared.variants.values()] == [1, 2]
    assert compared.segments == 3 and compared.mismatches == 0


def test_a_kernel_that_rounds_otherwise_is_found_out() -> None:
    """Packed weights run in a kernel that is not XNNPACK's; fine grids show its rounding."""
    generator = np.random.default_rng(5)
    inner = random_conv(generator, 8, 8, bits=4, padding=SAME)
    last = random_conv(generator, 8, 3, bits=4, padding=SAME)
    change: dict[str, dict[str, Any]] = {
        "b": {"op": inner, "qparams": QParams(0.004, 0)},
        "last": {"op": last, "qparams": QParams(0.02, 0)},
    }
    for graph in (whole(), mixed()):
        nodes = tuple(replace(n, **change[n.name]) if n.name in change else n for n in graph)
        program = write({"s": TypedGraph(nodes, graph.output)}, SIDE, b"{}", pack_int4=True)
        compared = mismatches(program, tiles(), 1.0)
        assert 0 < compared.mismatches < compared.values / 2


def test_a_reference_that_is_wrong_by_one_level_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = reference.requantization_scales
    monkeypatch.setattr(reference, "requantization_scales", lambda *a: right(*a) * np.float32(1.001))
    compared = mismatches(write({"s": whole()}, SIDE, b"{}"), tiles(), 1.0)
    assert compared.mismatches > 0
    assert 20 < compared.psnr_to_reference < 80


def test_a_probe_that_changes_the_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    build = litert.probe_program

    def spoiled(program: bytes, variant: str, names: object = ()) -> bytes:
        return build(write({"s": whole()}, SIDE, b"{}"), "s") if not names else build(program, variant, names)  # type: ignore[arg-type]

    monkeypatch.setattr(litert, "probe_program", spoiled)
    with pytest.raises(UserError, match="answers otherwise"):
        mismatches(write({"s": mixed()}, SIDE, b"{}"), tiles(), 1.0)


def test_the_psnr_is_that_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference whose every output is off by 0.01 is 40 dB away at a peak of 1, 88 dB at one of 255."""
    right = host.run

    def off(graph: TypedGraph, image: Tensor | None = None, **more: object) -> dict[str, Tensor]:
        return {name: value + 0.01 for name, value in right(graph, image, **more).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(host, "run", off)
    graph = graph_of([TypedNode("a", ops.Relu(), ("image",))], 3)
    program = write({"s": graph}, SIDE, b"{}")
    assert mismatches(program, tiles(), 1.0).psnr_to_reference == pytest.approx(40.0, abs=0.01)
    assert mismatches(program, tiles(), 255.0).psnr_to_reference == pytest.approx(88.13, abs=0.01)


@pytest.mark.parametrize("wrong", [tiles()[:, :8], tiles()[..., :1], tiles(0)])
def test_tiles_of_another_size_are_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError):
        mismatches(write({"s": whole()}, SIDE, b"{}"), wrong, 1.0)


def test_damaged_programs_are_user_errors() -> None:
    program = write({"s": whole()}, SIDE, b"{}")
    for call in (lambda data: mismatches(data, tiles(), 1.0), delegated):
        with pytest.raises(UserError, match="sound"):
            call(program[: len(program) // 2])


def test_a_fully_delegated_program() -> None:
    found = delegated(write({"low": whole(), "high": whole(5)}, SIDE, b"{}"))
    assert found.share == 1.0
    assert [(v.ops, v.outside, v.share) for v in found.variants.values()] == [(4, (), 1.0)] * 2


def test_ops_outside_the_delegate_are_named_in_every_variant() -> None:
    strided = graph_of(one_input(ops.MaxPool((2, 2), (3, 3)), IMAGE, IMAGE), 3)
    narrow = graph_of(one_input(conv(0, bits=4), IMAGE, MID), 3)
    found = delegated(write({"low": strided, "mid": narrow, "high": whole()}, SIDE, b"{}", pack_int4=True))
    outside = {name: [(op.kind, op.name) for op in v.outside] for name, v in found.variants.items()}
    assert outside == {"low": [("MAX_POOL_2D", "op")], "mid": [("CONV_2D", "op")], "high": []}
    assert [v.ops for v in found.variants.values()] == [3, 3, 4]
    assert found.share == pytest.approx(8 / 10)
    assert found.variants["mid"].share == pytest.approx(2 / 3)


def test_an_op_between_two_delegates_is_found() -> None:
    """Two delegated parts around one op that is not."""
    nodes = [
        *one_input(conv(0), IMAGE, MID),
        TypedNode("leak", ops.LeakyRelu(0.001), ("op",), MID),
        TypedNode("end", conv(1, 8, 3), ("leak",), OUT),
    ]
    found = delegated(write({"s": graph_of(nodes, 3)}, SIDE, b"{}")).variants["s"]
    assert [(op.kind, op.name) for op in found.outside] == [("LEAKY_RELU", "leak")]


def test_nothing_is_written_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    program = write({"s": mixed()}, SIDE, b"{}")
    mismatches(program, tiles(1), 1.0)
    delegated(program)
    assert capfd.readouterr() == ("", "")
