"""Fine-tuning: whose turn it is, what is minimised, and that nothing else moves."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgesr.graph.execute import run
from edgesr.quantization.simulation.adabm import RATES, Network, calibrated, tuning
from edgesr.quantization.simulation.crops import Crops
from edgesr.quantization.simulation.simulated import Settings
from edgesr.quantization.simulation.tuning import (
    BATCH,
    Group,
    Student,
    batch_loss,
    block_loss,
    picture_loss,
    tune,
    turns,
    width_loss,
)
from edgesr.steps.progress import quiet

from ..toy import picture_levels, residual

SETTINGS = Settings(4, 4, epochs=3, iterations=3)


def crops(count: int = 6) -> Crops:
    return Crops(picture_levels(count, 12), torch.linspace(5, 50, count), 1, seed=2)


def network(settings: Settings = SETTINGS) -> Network:
    return calibrated(residual(), crops(), settings, quiet)


def state(trained: Network) -> dict[str, list[float]]:
    thresholds = [float(t) for t in trained.thresholds or ()]
    return {
        "w": [float(layer.bound) for layer in trained.layers],
        "a": [float(bound) for layer in trained.layers for bound in (layer.low, layer.high)],
        "m": [float(layer.shift) for layer in trained.layers if layer.shift is not None] + thresholds,
    }


def test_groups_take_turns_weights_first() -> None:
    groups = network().groups()
    assert "".join(group.name for group in turns(groups, 10)) == "wamwamwamw"
    assert [group.narrows for group in groups] == [False, False, True]


def test_groups_without_parameters_have_no_turn() -> None:
    some = ((torch.tensor(1.0),), 0.1)
    groups = (Group("w", ()), Group("a", (some,)), Group("m", (((), 0.1),)))
    assert [group.name for group in turns(groups, 3)] == ["a", "a", "a"]
    assert turns((Group("w", ()),), 5) == ()


def test_each_epoch_moves_its_own_group_alone() -> None:
    trained = network()
    before = state(trained)
    for epoch in tuning(trained, crops(), SETTINGS):
        after = state(trained)
        assert {name for name in before if before[name] != after[name]} == {epoch.group}
        before = after


def test_weights_of_convolutions_never_change() -> None:
    trained = network()
    before = [layer.site.weight.clone() for layer in trained.layers]
    list(tuning(trained, crops(), SETTINGS))
    assert all(torch.equal(a, layer.site.weight) for a, layer in zip(before, trained.layers, strict=True))


def test_the_first_step_is_as_large_as_the_rate_and_later_epochs_take_smaller_ones() -> None:
    """Adam's first step is its rate, whatever the gradient; those of ranges are relative to them."""
    trained = network(replace(SETTINGS, epochs=1, iterations=1))
    before = state(trained)["w"]
    list(tuning(trained, crops(), replace(SETTINGS, epochs=1, iterations=1)))
    moves = [abs(a - b) / b for a, b in zip(state(trained)["w"], before, strict=True)]
    assert moves == pytest.approx([RATES["u_w"]] * len(moves), rel=1e-3)

    value = torch.tensor(0.0)
    simulated = trained.simulated

    class Rates(list[float]):
        def settle(self) -> None:
            self.append(float(value))

    seen = Rates()
    shifted = replace(
        simulated,
        roundings=lambda pixels, detail: {
            name: replace(r, weight=(r.weight + value) if r.weight is not None else None)
            for name, r in simulated.roundings(pixels, detail).items()
        },
    )
    student = Student(shifted, ("sum",), (Group("w", (((value,), 0.5),)),), seen.settle)
    list(tune(student, crops(), replace(SETTINGS, epochs=1, iterations=1)))
    assert abs(seen[0]) == pytest.approx(0.5, rel=1e-3)


def test_every_crop_is_shown_once_before_any_comes_again() -> None:
    shown: list[float] = []
    trained = network()

    def watch(pixels: torch.Tensor, detail: torch.Tensor) -> dict[str, object]:
        shown.extend(detail.tolist())
        return trained.simulated.roundings(pixels, detail)  # type: ignore[return-value]

    student = Student(
        replace(trained.simulated, roundings=watch),  # type: ignore[arg-type]
        trained.roles.blocks,
        trained.groups(),
        trained.settle,
    )
    steps: list[int] = []
    list(tune(student, crops(), SETTINGS, lambda: steps.append(0)))
    assert len(steps) == 9 and len(shown) == 9 * BATCH
    every = sorted(crops().detail.tolist())
    assert all(sorted(shown[start : start + 6]) == every for start in (0, 6, 12))


def test_tuning_is_the_same_every_time_and_comes_nearer_to_float() -> None:
    settings = replace(SETTINGS, epochs=6, iterations=12)
    losses = []
    for _ in range(2):
        trained = network(settings)
        blocks = trained.roles.blocks
        student = Student(trained.simulated, blocks, trained.groups(), trained.settle)
        with torch.no_grad():
            before = float(batch_loss(student, crops(), False, 4))
            epochs = tuple(epoch.loss for epoch in _ungraded(trained, settings))
            losses.append((before, float(batch_loss(student, crops(), False, 4)), epochs))
    assert losses[0] == losses[1]
    assert losses[0][1] < 0.95 * losses[0][0]


def _ungraded(trained: Network, settings: Settings) -> list:  # type: ignore[type-arg]
    with torch.enable_grad():
        return list(tuning(trained, crops(), settings))


def test_the_picture_loss_is_in_grey_levels() -> None:
    one, other = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    assert picture_loss(one, other, 1) == 127.5
    assert picture_loss(one, 100 * other, 255) == 50


def test_the_block_loss_is_that_of_the_paper() -> None:
    generator = torch.Generator().manual_seed(0)
    own, other = ([torch.randn(2, 3, 4, 4, generator=generator) for _ in range(3)] for _ in range(2))
    distances = [
        float((a[i] / a.norm() - b[i] / b.norm()).square().sum().sqrt())
        for a, b in zip(own, other, strict=True)
        for i in range(2)
    ]
    assert float(block_loss(own, other)) == pytest.approx(10 / 2 * sum(distances) / 6, rel=1e-5)
    assert float(block_loss(own, [2 * a for a in own])) == pytest.approx(0, abs=1e-5)
    assert torch.isfinite(block_loss([torch.zeros(1, 1, 2, 2)], [torch.zeros(1, 1, 2, 2)]))


@given(st.lists(st.floats(1, 9, width=32), min_size=1, max_size=5), st.integers(2, 8))
def test_the_width_loss_is_one_sided(bits: list[float], base: int) -> None:
    widths = torch.tensor(bits, requires_grad=True)
    loss = width_loss(widths, base)
    loss.backward()
    mean = float(widths.detach().mean())
    assert float(loss.detach()) == pytest.approx(50 * max(0.0, mean - base), rel=1e-4, abs=1e-4)
    if mean <= base:
        assert (widths.grad == 0).all()


def test_the_loss_is_the_sum_of_its_parts() -> None:
    trained, batch = network(), crops().take(slice(2))
    graph, blocks = trained.graph, trained.roles.blocks
    student = Student(trained.simulated, blocks, trained.groups(), trained.settle)
    with torch.no_grad():
        teacher = run(graph, batch.pixels, keep=blocks)
        own = trained.simulated.run(batch.pixels, batch.detail, blocks)
        parts = picture_loss(own.output, teacher[graph.output], 1)
        parts = parts + block_loss([own.kept[n] for n in blocks], [teacher[n] for n in blocks])
        assert batch_loss(student, batch, False, 4) == parts
        widths = trained.simulated.average_bits(own)
        assert batch_loss(student, batch, True, 2) == parts + width_loss(widths, 2)


def test_crossed_bounds_are_put_back_in_order() -> None:
    trained = network()
    assert trained.thresholds is not None
    trained.thresholds[0].fill_(60.0)
    trained.layers[0].low.fill_(9.0)
    trained.layers[0].high.fill_(8.0)
    trained.layers[0].bound.fill_(-1.0)
    trained.settle()
    assert trained.thresholds[1] > trained.thresholds[0] == 60
    assert trained.layers[0].high > trained.layers[0].low and trained.layers[0].bound > 0
