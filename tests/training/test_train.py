"""Training learns, ships exactly what it trained, and resumes where it stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from collapsible import CollapsibleConv, collapse, expand
from pairs import Pair, draw_batch, hold_out, read_pairs, to_batch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from train import WARM_UP, Recipe, Run, app, evaluate, write
from typer.testing import CliRunner

from edgesr.evaluation.resize import downscale
from edgesr.networks import registry
from edgesr.networks.edsr import EDSR
from edgesr.networks.plain import PlainNet

TINY = Recipe(scale=2, width=8, depth=1, steps=20, seed=3, hidden=16, crop=16, batch=4)
ARGUMENTS = ["--scale", "2", "--width", "4", "--depth", "1", "--held-out", "1", "--every", "0"]


def photograph(seed: int, side: int = 128) -> Image.Image:
    """A few smooth shapes: something to learn from."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side + 2), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(2):
        photograph(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def pairs(folder: Path) -> list[Pair]:
    return read_pairs([folder], TINY.scale, TINY.crop)


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 8), (8, 8), (8, 12)])
def test_collapsed_kernel_computes_what_the_branches_compute(inputs: int, outputs: int) -> None:
    torch.manual_seed(0)
    conv = CollapsibleConv(inputs, outputs, 32)
    for bias in (conv.wide.bias, conv.narrow.bias):
        nn.init.normal_(bias)
    features = torch.randn(2, inputs, 9, 7)
    torch.testing.assert_close(conv(features), conv.forward_expanded(features), rtol=0, atol=1e-5)


def test_collapsed_network_computes_what_the_expanded_one_computes() -> None:
    torch.manual_seed(0)
    expanded = expand(PlainNet(2, 16, 3), 64)
    for child in expanded.modules():
        if isinstance(child, CollapsibleConv):
            child.forward = child.forward_expanded  # type: ignore[method-assign]
    collapsed = PlainNet(2, 16, 3)
    collapsed.load_state_dict(collapse(expanded))
    picture = torch.rand(1, 3, 20, 24)
    torch.testing.assert_close(expanded(picture), collapsed(picture), rtol=0, atol=1e-5)


def test_identity_shortcut_is_part_of_square_kernels_only() -> None:
    square, other = CollapsibleConv(4, 4, 8), CollapsibleConv(3, 4, 8)
    for conv in (square, other):
        nn.init.zeros_(conv.narrow.weight)
    assert torch.equal(square.kernel()[0], nn.init.dirac_(torch.empty(4, 4, 3, 3)))
    assert not other.kernel()[0].any()


def test_pairs_are_antialiased_bicubic_of_cropped_pictures(pairs: list[Pair], folder: Path) -> None:
    assert [pair.name for pair in pairs] == ["0.png", "1.png"]
    hr = np.asarray(Image.open(folder / "0.png"))
    np.testing.assert_array_equal(pairs[0].hr, hr[:130, :128])
    np.testing.assert_array_equal(pairs[0].lr, downscale(hr, 2))


def test_pictures_too_small_for_a_crop_are_left_out(folder: Path) -> None:
    with pytest.raises(Exception, match="no picture can be used"):
        read_pairs([folder], 2, 65)


def test_batches_are_aligned_and_depend_on_seed_and_step_alone(pairs: list[Pair]) -> None:
    def draw(step: int) -> tuple[Tensor, Tensor]:
        return draw_batch(pairs, 2, 16, 6, 0, step)

    (lr, hr), again, later = draw(5), draw(5), draw(6)
    assert lr.shape == (6, 3, 16, 16) and hr.shape == (6, 3, 32, 32)
    assert torch.equal(lr, again[0]) and torch.equal(hr, again[1])
    assert not torch.equal(lr, later[0])
    # A crop of another place or another turn would be far away.
    assert (nn.functional.avg_pool2d(hr, 2) - lr).abs().max() < 0.05


def test_held_out_pictures_are_not_trained_on(pairs: list[Pair]) -> None:
    many = [replace(pairs[0], name=str(i)) for i in range(20)]
    training, held = hold_out(many, 4)
    names = [pair.name for pair in training], [pair.name for pair in held]
    assert len(names[1]) == 4 and sorted(names[0] + names[1], key=int) == [pair.name for pair in many]


def test_rate_rises_then_falls_to_its_last_value() -> None:
    recipe = replace(TINY, steps=10_000)
    assert recipe.rate_at(0) == pytest.approx(recipe.rate / WARM_UP, rel=1e-6)
    assert recipe.rate_at(WARM_UP) == pytest.approx(recipe.rate, rel=0.01)
    assert recipe.rate_at(10_000) == pytest.approx(recipe.last_rate)


def test_twenty_steps_reduce_the_loss(pairs: list[Pair]) -> None:
    run = Run(replace(TINY, rate=0.05), pairs)
    before = evaluate(run.average, TINY, pairs)
    losses = [run.advance() for _ in range(20)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert evaluate(run.average, TINY, pairs) > before


def test_edsr_is_trained_in_its_own_pixel_range(pairs: list[Pair], tmp_path: Path) -> None:
    recipe = replace(TINY, network="edsr", rate=0.5)
    run = Run(recipe, pairs)
    losses = [run.advance() for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    write(run, tmp_path / "edsr.safetensors", evaluate(run.average, recipe, pairs))
    state = load_file(tmp_path / "edsr.safetensors")
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert registry.by_name("edsr").detect(shapes) == {"scale": 2, "width": 8, "depth": 1, "res_scale": 1.0}
    network = EDSR(2, 8, 1)
    network.load_state_dict(state)
    lr = to_batch([pairs[0].lr])
    with torch.no_grad():
        error = (network(lr * 255) / 255 - run.network(lr)).abs().mean()
    assert error < 0.1  # the average lags behind, but white is the same


def test_a_resumed_run_repeats_the_uninterrupted_one(pairs: list[Pair], tmp_path: Path) -> None:
    whole, half, resumed = (Run(TINY, pairs) for _ in range(3))
    losses = [whole.advance() for _ in range(6)]
    for _ in range(3):
        half.advance()
    torch.save(half.state(), tmp_path / "state")
    resumed.restore(torch.load(tmp_path / "state", weights_only=True))
    assert resumed.step == 3
    assert [resumed.advance() for _ in range(3)] == losses[3:]
    assert all(torch.equal(resumed.average[name], tensor) for name, tensor in whole.average.items())


def test_command_writes_loadable_weights_and_resumes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "plain_x2.safetensors"
    command = ["--data", str(folder), "--out", str(out), *ARGUMENTS]
    first = CliRunner().invoke(app, [*command, "--steps", "2"])
    assert first.exit_code == 0, first.output
    second = CliRunner().invoke(app, [*command, "--steps", "3", "--resume", str(out.with_suffix(".resume"))])
    assert second.exit_code == 0, second.output
    assert "step 3/3" in second.output and "step 2/3" not in second.output
    with safe_open(out, "pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert (metadata["architecture"], metadata["scale"], metadata["steps"]) == ("plain", "2", "3")
    assert json.loads(metadata["recipe"])["width"] == 4
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert registry.by_name("plain").detect(shapes) == {"scale": 2, "width": 4, "depth": 1}
    PlainNet(2, 4, 1).load_state_dict(state)
    assert sorted(path.name for path in out.parent.iterdir()) == ["plain_x2.resume", out.name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "1"], "EDGESR_DATA"),
        (["--data", "."], "--steps"),
        (["--data", ".", "--steps", "1", "--minutes", "1"], "--steps"),
    ],
)
def test_contradictory_arguments_are_named(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGESR_DATA", raising=False)
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "a.safetensors"), *arguments])
    assert result.exit_code == 2
    assert message in result.output
