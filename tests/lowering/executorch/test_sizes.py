"""Programs that take more sizes than their tile: equal to the reference at all of them, or refused."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.tiny_program import tiny_info

from edgesr.errors import UserError
from edgesr.lowering.arrange import arrange
from edgesr.lowering.executorch.kinds import Kind
from edgesr.lowering.executorch.reader import labelled_nodes, read
from edgesr.lowering.executorch.writer import write
from edgesr_runtime.executorch_engine import ExecuTorchEngine
from edgesr_runtime.metadata import RESIZABLE_SCHEMA, SizeRange
from edgesr_runtime.program import read_info
from edgesr_runtime.pte import read_pte

from ..resizable import FIXED, FOLLOWS, SIZES, noise, resizable
from .programs import SIDE, Image, by_reference, needs_executorch, tiny

INT8, MIXED, FLOAT = "w8a8", "mixed", "f32"


@cache
def program(name: str, form: str) -> bytes:
    variants, metadata = resizable(name, form)
    return write(variants, SIDE, metadata, SIZES.max)


@cache
def engine(name: str, form: str) -> ExecuTorchEngine:
    needs_executorch()
    return ExecuTorchEngine(program(name, form))


def both(name: str, form: str, height: int, width: int) -> tuple[Image, Image]:
    """What the program and the reference make of the same noise."""
    image, expected = noise(name, form, height, width)
    return engine(name, form).run("serving_default", image), expected


SIDES = st.integers(SIZES.min, SIZES.max)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["plain", "srvgg"]), SIDES, SIDES)
def test_int8_values_are_the_references_at_any_size(name: str, height: int, width: int) -> None:
    """Whatever was run before: one engine grows and shrinks."""
    got, expected = both(name, INT8, height, width)
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("name", FOLLOWS)
def test_networks_follow(name: str) -> None:
    for height, width in ((SIZES.max, SIZES.min), (SIZES.min, 29)):
        assert np.array_equal(*both(name, INT8, height, width)), (height, width)
    assert read(program(name, INT8))["serving_default"].equals(arrange(tiny(name).typed(INT8)))


@pytest.mark.parametrize("form", [MIXED, FLOAT, "dynamic"])
@pytest.mark.parametrize("name", ["plain", "imdn", "carn_m"])
def test_float_values_are_those_of_a_program_of_one_size(name: str, form: str) -> None:
    """To the last bit: the same kernels in the same order, and a pixel shuffle that changes nothing."""
    for side in (SIDE, SIZES.max, SIZES.min):
        got, expected = both(name, form, side, side)
        levels = np.random.default_rng(side * side).integers(0, 256, (1, side, side, 3))
        image = (levels * np.float32(tiny(name).tiles.pixel_range / 255)).astype(np.float32)
        static = ExecuTorchEngine(write({"serving_default": tiny(name).typed(form)}, side, b"{}"))
        assert np.array_equal(got, static.run("serving_default", image)), side
        assert np.abs(got - expected).max() < 0.02 * tiny(name).tiles.pixel_range


@pytest.mark.parametrize("name", FIXED)
def test_what_cannot_follow_is_named(name: str) -> None:
    with pytest.raises(
        UserError, match=r"--dynamic-size: '.*esa.*' \(ResizeBilinear\) .*leave the option out"
    ):
        program(name, INT8)


def test_a_file_declares_the_largest_size_and_computes_for_a_tile() -> None:
    method = read_pte(program("srvgg", INT8)).methods["serving_default"]
    assert method.resizable
    assert (method.takes, method.gives) == ((1, 3, 60, 60), (1, 3, 240, 240))
    assert read_info(program("srvgg", INT8)).sizes == SIZES
    static = write({"s": tiny("srvgg").typed(INT8)}, SIDE, b"{}")
    assert not read_pte(static).methods["s"].resizable
    kinds = {kind for kind, _ in labelled_nodes(static, "s")}
    assert kinds ^ {kind for kind, _ in labelled_nodes(program("srvgg", INT8), "serving_default")} == {
        Kind.RESHAPE,
        Kind.TRANSPOSED_CONV,
    }


def test_the_engine_holds_to_the_range() -> None:
    subject = engine("plain", INT8)
    assert subject.input_shape("serving_default") == (1, SIDE, SIDE, 3)
    for shape in ((1, 19, 24, 3), (1, 24, 61, 3), (1, 24, 24, 4), (2, 24, 24, 3), (24, 24, 3)):
        with pytest.raises(ValueError, match=r"expected float32 \(1, 24, 24, 3\), or .* 20 to 60, got"):
            subject.run("serving_default", np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="float64"):
        subject.run("serving_default", np.zeros((1, 24, 24, 3)))


def test_a_program_that_says_no_sizes_is_refused() -> None:
    needs_executorch()
    info = tiny_info(tile=SIDE)
    lying = write({"serving_default": tiny("plain").typed(INT8)}, SIDE, info.to_json().encode(), SIZES.max)
    with pytest.raises(UserError, match="more sizes than its metadata says"):
        ExecuTorchEngine(lying)
    with pytest.raises(UserError, match="does not fit its metadata"):
        read_info(lying)


def test_variants_of_one_program_all_follow() -> None:
    needs_executorch()
    graphs = {"low": tiny("plain").typed("w4a8"), "high": tiny("plain").typed(INT8)}
    info = tiny_info(
        schema=RESIZABLE_SCHEMA, tile=SIDE, scale=2, sizes=SizeRange(8, 2 * SIDE), variants=tuple(graphs)
    )
    data = write(graphs, SIDE, info.to_json().encode(), 2 * SIDE)
    assert read_info(data) == info and list(read(data)) == ["low", "high"]
    subject = ExecuTorchEngine(data)
    image = np.random.default_rng(0).random((1, 9, 2 * SIDE, 3), np.float32)
    for name, graph in graphs.items():
        expected = by_reference(graph, image).transpose(0, 2, 3, 1)
        assert np.array_equal(subject.run(name, image), expected)
