"""`--dynamic-size`: what it may say, which networks follow, and pictures to prove a program on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lowering.executorch.programs import needs_executorch, tiny
from runtime.tiny_program import tiny_info

from edgesr.devices import host
from edgesr.errors import UserError
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.graph.ops import MaxPool
from edgesr.steps.deployment import write_program
from edgesr.steps.evidence import compare_with_reference
from edgesr.steps.sizes import LARGEST, check_network, pictures, size_range, with_sizes
from edgesr_runtime import engines
from edgesr_runtime.metadata import SCHEMA, SizeRange

TILE = 24


@given(st.integers(-5, LARGEST + 5), st.integers(-5, LARGEST + 5))
def test_a_range_is_two_numbers_the_smaller_first(low: int, high: int) -> None:
    if 1 <= low <= high <= LARGEST:
        assert size_range(f"{low}:{high}") == SizeRange(low, high)
    else:
        with pytest.raises(UserError, match="give MIN:MAX"):
            size_range(f"{low}:{high}")


@given(st.text(max_size=8))
def test_anything_else_is_refused_in_a_line(text: str) -> None:
    try:
        sizes = size_range(text)
    except UserError as error:
        assert f"--dynamic-size {text}: give MIN:MAX" in str(error)
    else:
        assert text.split(":") == [text.split(":")[0], text.split(":")[1]] and sizes.min <= sizes.max


@pytest.mark.parametrize(
    "text", ["16", "16:", ":16", "16-32", "16:32:64", "1e1:20", "16: 32", "\u0661:9", ""]
)
def test_forms_that_are_not_taken(text: str) -> None:
    with pytest.raises(UserError, match="the smaller number first"):
        size_range(text)


def test_the_tile_is_one_of_the_sizes() -> None:
    graph = tiny("plain").graph
    check_network(SizeRange(16, 64), 64, 2, graph)
    with pytest.raises(
        UserError, match=r"--dynamic-size 16:64: the tile has 65 pixels: give --tile 16 to 64"
    ):
        check_network(SizeRange(16, 64), 65, 2, graph)


def test_networks_that_cannot_follow() -> None:
    with pytest.raises(UserError, match=r"'.*' \(ResizeBilinear\)"):
        check_network(SizeRange(16, 64), 24, 4, tiny("rlfn").graph)
    pool = Graph((single_input(), Node("pool", MaxPool((5, 5), (1, 1)), ("image",))), "pool")
    with pytest.raises(UserError, match=r"--dynamic-size 4:9: 'pool' is empty.*give other sizes"):
        check_network(SizeRange(4, 9), 8, 1, pool)
    with pytest.raises(UserError, match="makes 1 pixels of 5, not 5"):
        check_network(SizeRange(5, 9), 8, 1, pool)


def test_the_schema_says_whether_a_program_has_sizes() -> None:
    info = tiny_info(schema=SCHEMA, tile=TILE)
    assert with_sizes(info, None) is info
    found = with_sizes(info, SizeRange(8, 32))
    assert (found.schema, found.sizes) == ("1.2", SizeRange(8, 32))


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 60))
def test_pictures_reach_both_ends(low: int, tile: int, more: int) -> None:
    sizes = SizeRange(low, low + tile + more)
    square, tall, wide = (p.shape for p in pictures(np.zeros((low + tile, low + tile, 3), np.uint8), sizes))
    assert square == (1, low, low, 3)
    assert tall[1] == wide[2] == sizes.max and tall[2] == wide[1]
    assert tall[2] in sizes


def test_pictures_are_the_tile_mirrored() -> None:
    tile = np.arange(7 * 7 * 3, dtype=np.uint8).reshape(7, 7, 3)
    _, (tall,), _ = pictures(tile, SizeRange(5, 16))
    assert tall.shape == (16, 5, 3)
    assert np.array_equal(tall[:7], tile[:, :5]) and np.array_equal(tall[7:14], tall[6::-1])


def made(form: str) -> bytes:
    info = with_sizes(tiny_info(tile=TILE, scale=2), SizeRange(16, 48))
    return write_program({"serving_default": tiny("plain").typed(form)}, info, "executorch")


def compared(program: bytes) -> host.Comparison:
    tiles = np.random.default_rng(0).integers(0, 256, (1, TILE, TILE, 3), np.uint8)
    return compare_with_reference(program, tiles, 1, 1, lambda: None)[0]


def test_other_sizes_are_held_to_the_reference() -> None:
    needs_executorch()
    found = compared(made("w8a8"))
    assert found.sizes == ((16, 16), (48, 16), (16, 48))
    assert found.mismatches == 0 and found.psnr_to_reference == np.inf
    assert found.values == 3 * 4 * (TILE**2 + 16 * 16 + 2 * 16 * 48)
    mixed = compared(made("mixed"))
    assert mixed.mismatches == 0 and mixed.psnr_to_reference >= 60
    static = write_program(
        {"serving_default": tiny("plain").typed("w8a8")}, tiny_info(tile=TILE), "executorch"
    )
    assert compared(static).sizes == ()


@pytest.mark.parametrize(("form", "counted"), [("w8a8", 3), ("f32", 0)])
def test_a_difference_at_another_size_is_found(
    form: str, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value of each picture is off: counted where all must be equal, and seen in dB in any case."""
    needs_executorch()

    class Wrong:
        def __init__(self, *arguments: Any) -> None:
            self.engine = engines.engine_for(*arguments)

        def run(self, variant: str, batch: engines.Floats) -> engines.Floats:
            answer = self.engine.run(variant, batch)
            answer[0, -1, -1, 0] += 0.5
            return answer

    monkeypatch.setattr(host, "engine_for", Wrong)
    found = compared(made(form))
    assert found.mismatches == counted and found.psnr_to_reference < 60
    assert found.variants["serving_default"].max_error == pytest.approx(127.5, abs=0.1)
