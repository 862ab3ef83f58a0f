"""Programs that take more sizes than their tile: equal to the reference at all of them, or refused."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.tiny_program import tiny_info

from edgesr.errors import UserError
from edgesr.lowering.arrange import arrange
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.program import read_info
from edgesr_runtime.verify import check_structure
from lowering.executorch.programs import SIDE, Image, tiny
from lowering.resizable import FIXED, FOLLOWS, SIZES, noise, resizable


@cache
def program(name: str, form: str) -> bytes:
    variants, metadata = resizable(name, form)
    return write(variants, SIDE, metadata, resizable=True)


@cache
def engine(name: str, form: str) -> LiteRtEngine:
    return LiteRtEngine(program(name, form))


def both(name: str, form: str, height: int, width: int) -> tuple[Image, Image]:
    """What the program and the reference make of the same noise."""
    image, expected = noise(name, form, height, width)
    return engine(name, form).run("serving_default", image), expected


SIDES = st.integers(SIZES.min, SIZES.max)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["plain", "srvgg"]), SIDES, SIDES)
def test_int8_values_are_the_references_at_any_size(name: str, height: int, width: int) -> None:
    """Whatever was run before: one engine grows and shrinks."""
    assert np.array_equal(*both(name, "w8a8", height, width))


@pytest.mark.parametrize("name", FOLLOWS)
def test_networks_follow(name: str) -> None:
    assert np.array_equal(*both(name, "w8a8", SIZES.min, 41))
    assert read(program(name, "w8a8"))["serving_default"].equals(arrange(tiny(name).typed("w8a8")))


@pytest.mark.parametrize("name", ["imdn", "carn_m"])
def test_networks_in_part_in_float_follow(name: str) -> None:
    got, expected = both(name, "mixed", 40, 29)
    assert np.abs(got - expected).max() < 0.02 * tiny(name).tiles.pixel_range


@pytest.mark.parametrize("name", FIXED)
def test_what_cannot_follow_is_named(name: str) -> None:
    with pytest.raises(
        UserError, match=r"--dynamic-size: '.*esa.*' \(ResizeBilinear\) .*leave the option out"
    ):
        program(name, "w8a8")


def test_a_file_declares_a_tile_and_that_it_may_change() -> None:
    signature = check_structure(program("srvgg", "w8a8")).signatures["serving_default"]
    image, result = signature.inputs["image"], signature.outputs["sr"]
    assert image.resizable and result.resizable
    assert (image.shape, result.shape) == ((1, SIDE, SIDE, 3), (1, 4 * SIDE, 4 * SIDE, 3))
    assert read_info(program("srvgg", "w8a8")).sizes == SIZES
    static = check_structure(write({"s": tiny("srvgg").typed("w8a8")}, SIDE, b"{}")).signatures["s"]
    assert not static.inputs["image"].resizable


def test_the_engine_holds_to_the_range(capfd: pytest.CaptureFixture[str]) -> None:
    subject = engine("plain", "w8a8")
    assert subject.input_shape("serving_default") == (1, SIDE, SIDE, 3)
    for shape in ((1, 19, 24, 3), (1, 24, 61, 3), (1, 24, 24, 4), (2, 24, 24, 3), (24, 24, 3)):
        with pytest.raises(ValueError, match=r"expected float32 \(1, 24, 24, 3\), or .* 20 to 60, got"):
            subject.run("serving_default", np.zeros(shape, np.float32))
    for side in (24, 60, 24):
        subject.run("serving_default", np.zeros((1, side, side, 3), np.float32))
    assert capfd.readouterr() == ("", "")


def test_a_program_that_says_no_sizes_is_refused() -> None:
    metadata = tiny_info(tile=SIDE).to_json().encode()
    lying = write({"serving_default": tiny("plain").typed("w8a8")}, SIDE, metadata, resizable=True)
    with pytest.raises(UserError, match="more sizes than its metadata says"):
        LiteRtEngine(lying)
    with pytest.raises(UserError, match="does not fit its metadata"):
        read_info(lying)
