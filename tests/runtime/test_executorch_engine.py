"""The engine of .pte programs: shapes, threads, refusals, silence."""

import sys
from pathlib import Path

import numpy as np
import pytest
from lowering.executorch.programs import SKIPPED
from typed_programs import graph_of, one_input, picture, random_conv

from edgesr.graph import ops
from edgesr.lowering.executorch import container, emit
from edgesr.lowering.executorch.writer import write
from edgesr.quantization.affine import QParams
from edgesr_runtime.errors import UserError
from edgesr_runtime.executorch_engine import ExecuTorchEngine

Q, R = QParams(1 / 128, 0), QParams(0.3, -20)
SIDE = 12
SAME = ops.Padding(1, 1, 1, 1)


@pytest.fixture
def program() -> bytes:
    pytest.importorskip("executorch", reason=SKIPPED)
    low, high = (one_input(random_conv(np.random.default_rng(s), 3, 3, padding=SAME), Q, R) for s in (0, 1))
    return write({"low": graph_of(low, 3), "high": graph_of(high, 3)}, SIDE, b"{}")


def test_variants_and_shapes(program: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.pte").write_bytes(program)
    engine = ExecuTorchEngine(tmp_path / "p.pte")
    assert engine.variants == ("low", "high")
    assert engine.input_shape("high") == (1, SIDE, SIDE, 3)
    image = picture(Q, SIDE, 3)
    low, high = (engine.run(variant, image) for variant in engine.variants)
    assert low.shape == (1, SIDE, SIDE, 3) and low.dtype == np.float32
    assert not np.array_equal(low, high)
    low[:] = 0  # the caller's own
    assert np.array_equal(engine.run("high", image), high)
    for batch in (image[:, :-1], image.astype(np.float64), image.transpose(0, 3, 1, 2)):
        with pytest.raises(ValueError, match="expected float32"):
            engine.run("low", batch)


def test_engines_of_other_thread_counts_do_not_disturb_each_other(program: bytes) -> None:
    """ExecuTorch has one set of threads, and a prepared method keeps the set that it was prepared with."""
    image = picture(Q, SIDE, 3)
    engines = [ExecuTorchEngine(program, threads) for threads in (1, 2, 1)]
    first = engines[0].run("low", image)
    for engine in (*engines, *reversed(engines)):
        assert np.array_equal(engine.run("low", image), first)


def test_nothing_reaches_the_terminal(program: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    engine = ExecuTorchEngine(program, threads=2)
    engine.run("low", picture(Q, SIDE, 3))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_program_that_executorch_refuses(
    program: bytes, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scales so far apart that XNNPACK has no kernel: what the writer refuses would lower, and not load."""
    monkeypatch.setattr(emit, "misfit", lambda *_: None)
    nodes = one_input(random_conv(np.random.default_rng(0), 3, 3), QParams(1e3, 0), QParams(1e-3, 0))
    engine = ExecuTorchEngine(write({"s": graph_of(nodes, 3)}, SIDE, b"{}"))
    with pytest.raises(UserError, match=r"does not run in ExecuTorch \(.+\); convert it again") as caught:
        engine.run("s", picture(Q, SIDE, 3))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_delegate_without_a_program(program: bytes) -> None:
    shape = container.Tensor((1, 3, SIDE, SIDE))
    data = container.pack([container.Delegated("s", shape, (shape,), b"nothing of use")], {}, {})
    with pytest.raises(UserError, match="does not run in ExecuTorch"):
        ExecuTorchEngine(data).run("s", picture(Q, SIDE, 3))


@pytest.mark.parametrize("length", [0, 20, 1000])
def test_a_damaged_file(program: bytes, length: int) -> None:
    with pytest.raises(UserError, match=r"the program is not a sound \.pte file: .+; convert it again"):
        ExecuTorchEngine(program[:length])


def test_a_missing_file(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.pte cannot be read"):
        ExecuTorchEngine(tmp_path / "nothing.pte")


def test_without_executorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "executorch", None)
    monkeypatch.setitem(sys.modules, "executorch.extension.pybindings", None)
    with pytest.raises(UserError, match=r"needs executorch .*pip install 'edgesr\[executorch\]'"):
        ExecuTorchEngine(b"")
