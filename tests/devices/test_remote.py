"""Running a program elsewhere, held to running it here: this machine's own Python plays the other device."""

import sys
from pathlib import Path

import numpy as np
import pytest
from typed_programs import graph_of, one_input, random_conv

from edgesr.devices import children, places
from edgesr.devices.children import DeviceFault
from edgesr.devices.host import mismatches
from edgesr.devices.places import Command, Place
from edgesr.devices.remote import run_at, runs
from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.typed import Dequantize, Quantize, TypedGraph, TypedNode

SIDE = 12
GRID = QParams(0.02, 0)
SAME = ops.Padding(1, 1, 1, 1)


class Here(Place):
    """A place whose Python is this one; `script` runs before the runner, to have something go wrong."""

    script = ""

    def python(self) -> Command:
        if not self.script:
            return Command((sys.executable,))
        code = f"import sys, os; {self.script}"
        return Command((sys.executable, "-c", code))


def here(script: str = "") -> Here:
    kind = type("Scripted", (Here,), {"script": script})
    place: Here = kind("arm64", "a device")
    return place


def tiles(count: int = 2) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


def program() -> bytes:
    """Two variants: one int8 from end to end, one with a float op between int8 ones."""
    draw = np.random.default_rng(0)
    first = random_conv(draw, 3, 8, padding=SAME)
    last = random_conv(draw, 8, 3, padding=SAME)
    whole = graph_of([*one_input(first, GRID, GRID), TypedNode("last", last, ("op",), GRID)], 3)
    mixed = TypedGraph(
        (
            TypedNode("image", ops.Input(3)),
            *one_input(first, GRID, GRID),
            TypedNode("f", Dequantize(), ("op",)),
            TypedNode("soft", ops.Sigmoid(), ("f",)),
            TypedNode("r", Quantize(), ("soft",), QParams(1 / 255, -128)),
            TypedNode("c", last, ("r",), GRID),
            TypedNode("sr", Dequantize(), ("c",)),
        ),
        "sr",
    )
    return write({"low": whole, "high": mixed}, SIDE, b"{}")


def test_elsewhere_is_compared_as_here() -> None:
    data, seen = program(), []
    recorded = run_at(here(), data, tiles(), 1, progress=lambda: seen.append(1))
    ours, theirs = mismatches(data, tiles(), 1), recorded.comparison(tiles(), 1)
    assert len(seen) == runs(read(data), 2) == 2 + 2 * 2
    for name, agreement in ours.variants.items():
        other = theirs.variants[name]
        assert (other.mismatches, other.values, other.segments) == (0, agreement.values, agreement.segments)
        assert other.seconds > 0


def test_what_differs_there_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = run_at(here(), program(), tiles(), 1)
    for _, values in recorded.answers.values():
        values["sr"][0, 0, 0, 0, 0] += 1.0
    compared = recorded.comparison(tiles(), 1)
    assert compared.mismatches == 2 and compared.variants["low"].max_error == pytest.approx(255, rel=1e-4)


def test_a_probe_that_changes_the_answer_there_is_a_fault_of_the_device() -> None:
    recorded = run_at(here(), program(), tiles(), 1)
    recorded.answers["high", True][1]["sr"][0] += 1.0
    with pytest.raises(DeviceFault, match=r"a device: variant 'high' answers otherwise"):
        recorded.comparison(tiles(), 1)


def test_the_recorded_engine_replays_the_runs() -> None:
    recorded = run_at(here(), program(), tiles(), 1)
    assert recorded.variants == ("low", "high") and recorded.input_shape("low") == (1, SIDE, SIDE, 3)
    batch = recorded.images[1:]
    assert recorded.run("low", batch).shape == (1, SIDE, SIDE, 3)
    with pytest.raises(ValueError, match="not run there"):
        recorded.run("low", batch + 1)


def test_a_program_that_the_runtime_refuses_is_one_line() -> None:
    """As one for a newer runtime would be: an op of a version that nobody knows."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(program(), 0)
    for code in model.operatorCodes:
        code.version = 99
    builder = Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    newer = bytes(builder.Output())
    with pytest.raises(
        DeviceFault, match=r"a device: variant 'low' is refused there \(.*newer runtime"
    ) as caught:
        run_at(here(), newer, tiles(), 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        (
            "print('loading low', flush=True); os.kill(os.getpid(), 11)",
            DeviceFault,
            "variant 'low' crashes .*SIGSEGV",
        ),
        ("print('loading low', flush=True); os._exit(128 + 4)", DeviceFault, "SIGILL"),
        ("sys.exit('no numpy')", UserError, "no numpy"),
    ],
)
def test_whatever_ends_the_child_is_one_line(script: str, kind: type[UserError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        run_at(here(script), program(), tiles(), 1)
    assert str(caught.value).startswith("a device: ") and "\n" not in str(caught.value)


def test_an_endless_run_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "SECONDS", 0.5)
    with pytest.raises(DeviceFault, match="did not end"):
        run_at(here("print('loading low', flush=True); import time; time.sleep(60)"), program(), tiles(), 1)


def test_an_emulator_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path))
    places.refuse_old.cache_clear()
    with pytest.raises(UserError, match="edgesr devices setup arm64"):
        run_at(places.places(["arm64"])[0], program(), tiles(), 1)
