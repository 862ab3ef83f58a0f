"""Networks and weights that cannot be converted: exit code 2, one line that helps, nothing written."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command import QUICK, Command
from safetensors.torch import load_file, save_file

from edgesr.networks.source import shipped

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    weights = next(weights for weights in shipped() if weights.name == "plain")
    return load_file(weights.path)


def without_head(state: State) -> State:
    return {key: value for key, value in state.items() if key != "head.weight"}


def with_stranger(state: State) -> State:
    return {**state, "stranger": torch.zeros(1)}


def misshaped(state: State) -> State:
    return {**state, "head.weight": state["head.weight"][:, :2].contiguous()}


def not_a_number(state: State) -> State:
    spoilt = state["head.weight"].clone()
    spoilt[0, 0, 0, 0] = float("nan")
    return {**state, "head.weight": spoilt}


def infinite(state: State) -> State:
    return {**state, "head.bias": torch.full_like(state["head.bias"], float("inf"))}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_head, ["head.weight"]),
        (with_stranger, ["stranger"]),
        (misshaped, ["head.weight", "3x3"]),
        (not_a_number, ["head.weight"]),
        (infinite, ["head.bias"]),
    ],
)
def test_spoilt_weights(
    command: Command, tmp_path: Path, state: State, spoil: Callable[[State], State], words: list[str]
) -> None:
    path, output = tmp_path / "spoilt.safetensors", tmp_path / "out.tflite"
    save_file(spoil(state), path)
    line = command("convert", path, "-o", output).error
    assert str(path) in line
    assert all(word in line for word in words)
    assert not output.exists()


class Payload:
    """A pickle of it runs code when it is read carelessly."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.victim, "gone")


def test_code_in_a_checkpoint_never_runs(command: Command, tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "evil.pth"
    victim.write_text("whole")
    path.write_bytes(pickle.dumps({"head.weight": Payload(victim)}))
    assert "evil.pth" in command("convert", path, "-o", tmp_path / "out.tflite").error
    assert victim.read_text() == "whole"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("absent.pth", "no such file"),
        ("absent.pt2", "no such file"),
        ("plian", "did you mean plain"),
        ("rlfn", "--weights"),
        ("no.such:module", "no module named no"),
        ("math:pi", "float"),
    ],
)
def test_no_such_network(command: Command, tmp_path: Path, model: str, words: str) -> None:
    assert words in command("convert", model, "-o", tmp_path / "out.tflite").error


def test_a_file_that_is_no_checkpoint(command: Command, tmp_path: Path) -> None:
    for name in ("a.pth", "a.safetensors", "a.pt2"):
        (tmp_path / name).write_bytes(b"neither here nor there")
        assert name in command("convert", tmp_path / name, "-o", tmp_path / "out.tflite").error


NETWORK = """
from torch import erf, nn


class Block(nn.Module):
    def forward(self, x):
        return erf(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), Block(), nn.PixelShuffle(2))

    def forward(self, x):
        return self.stack(x)


def poor():
    net = Net()
    net.stack[1] = nn.ReLU()
    return net


class Choosy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = poor()

    def forward(self, x):
        assert x.shape[2] % 8 == 0 and x.shape[2] != 56, "odd size"
        return self.net(x)
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's own in the current folder."""
    name = f"own_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    return name


def test_an_unsupported_op_is_named_with_path_and_line(command: Command, own_module: str) -> None:
    line = command("convert", f"{own_module}:Net", "-o", "out.tflite").error
    assert "erf" in line
    assert "stack.1" in line
    assert f"{own_module}.py, line 7" in line


def test_an_unknown_pixel_range_is_asked_for(command: Command, own_module: str, photos: Path) -> None:
    line = command("convert", f"{own_module}:poor", "-o", "out.tflite", "--calib", photos).error
    assert "--pixel-range" in line
    assert "bicubic" in line
    outcome = command(
        "convert", f"{own_module}:poor", "-o", "out.tflite", "--calib", photos, "--pixel-range", "1", *QUICK
    )
    assert outcome.code in (0, 1)
    assert Path("out.tflite").exists()


def test_a_network_that_does_not_take_every_size(command: Command, own_module: str, photos: Path) -> None:
    flags = ("--calib", photos, "--pixel-range", "1")
    line = command("convert", f"{own_module}:Choosy", "-o", "out.tflite", *flags).error
    assert "odd size" in line
    assert "every size" in line
