"""Tuning: nearer to float on tiles it did not see, exact in the runtime, the same every time, never worse."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgesr.devices.host import mismatches
from edgesr.graph.ops import Conv2d
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import qparams
from edgesr.quantization.methods.minmax import minmax
from edgesr.quantization.plan import Plan, from_json
from edgesr.quantization.quantize import quantize
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.tuning import RANGES, Settings, steps, tune
from edgesr.quantization.tuning.learning import FULL, MOST_HASTE, haste, noise

from .subjects import SHORT, SIDE, network, plan, smooth, tiles

LONG = replace(SHORT, least_steps=150)


def test_a_tuned_plan_is_nearer_to_float_on_tiles_it_did_not_see() -> None:
    graph, unseen = network(), smooth(4, seed=9)
    planned = plan()
    tuned = tune(graph, planned, tiles(), LONG)
    assert noise(graph, tuned, unseen, 1) < 0.6 * noise(graph, planned, unseen, 1)
    assert from_json(tuned.to_json()) == tuned
    assert all(low <= 0 <= high for low, high in map(tuned.ranges.get, tuned.ranges))  # type: ignore[misc]
    levels = np.frombuffer(tuned.weight_levels["b"], np.int8)
    assert np.abs(levels).max() <= 7
    program = write({"s": quantize(graph, tuned)}, SIDE, b"{}")
    pictures = (unseen * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert mismatches(program, pictures, 1.0).mismatches == 0


def test_ranges_are_learned_only_where_that_is_asked_for() -> None:
    settings = replace(SHORT, least_steps=20)
    asked = replace(settings, rates={**settings.rates, **RANGES})
    assert tune(network(), plan(), tiles(), settings).ranges == plan().ranges
    assert tune(network(), plan(), tiles(), asked).ranges != plan().ranges


def test_tuning_is_deterministic() -> None:
    first, second = (tune(network(), plan(), tiles(), replace(SHORT, least_steps=20)) for _ in range(2))
    assert first == second != plan()


class Stopped(Exception):
    """As Ctrl-C would."""


def test_an_interrupted_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    path, settings = tmp_path / "tuning.npz", replace(SHORT, least_steps=20, save_every=0)
    whole = tune(network(), plan(), tiles(), settings)
    count = 0

    def stop() -> None:
        nonlocal count
        count += 1
        if count == 12:
            raise Stopped

    with pytest.raises(Stopped):
        tune(network(), plan(), tiles(), settings, path, stop)
    assert [path] == list(tmp_path.iterdir())
    seen: list[int] = []
    resumed = tune(network(), plan(), tiles(), settings, path, lambda: seen.append(path.stat().st_mtime_ns))
    assert resumed == whole
    assert len(seen) == 20 and len(set(seen)) <= 10  # eleven steps were saved


@pytest.mark.parametrize("case", ["another seed", "half a file", "no archive", "an array less"])
def test_a_checkpoint_of_other_work_is_named_and_not_used(case: str, tmp_path: Path) -> None:
    path, settings = tmp_path / "tuning.npz", replace(SHORT, save_every=0)
    other = replace(tiles(), seed=4) if case == "another seed" else tiles()
    tune(network(), plan(), other, settings, path)
    data = path.read_bytes()
    if case == "half a file":
        path.write_bytes(data[: len(data) // 2])
    if case == "no archive":
        path.write_bytes(b"not an archive")
    if case == "an array less":
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files if name != "value 0"}
        np.savez(path, **arrays)
    notices: list[str] = []
    tuned = tune(network(), plan(), tiles(), settings, path, notice=notices.append)
    assert len(notices) == 1 and str(path) in notices[0] and notices[0].endswith("tuning begins anew")
    assert tuned == tune(network(), plan(), tiles(), settings)


def test_a_checkpoint_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    notices: list[str] = []
    path, settings = tmp_path / "none" / "tuning.npz", replace(SHORT, save_every=0)
    tuned = tune(network(), plan(), tiles(), settings, path, notice=notices.append)
    assert len(notices) == 1 and "folder does not exist" in notices[0]
    assert tuned == tune(network(), plan(), tiles(), settings)


def test_a_plan_is_never_made_worse() -> None:
    wild = replace(LONG, least_steps=5, rates={"levels": 3.0, "ranges": 3.0})
    assert tune(network(), plan(), tiles(), wild) == plan()


def test_a_float_network_stays_as_it_is() -> None:
    planned = plan().with_containers({node.name: "f32" for node in network()})
    assert tune(network(), planned, tiles(), SHORT) == planned


def test_kinds_that_have_no_rate_stay() -> None:
    tuned = tune(network(), plan(), tiles(), replace(LONG, least_steps=40, rates={"scales": 2.5e-3}))
    assert tuned.weight_scales != plan().weight_scales and tuned.ranges == plan().ranges
    same = replace(tuned, weight_scales=plan().weight_scales)
    assert quantize(network(), same).equals(quantize(network(), plan()))


def test_short_runs_take_larger_steps() -> None:
    assert haste(FULL) == haste(2 * FULL) == 1.0
    assert haste(FULL // 4) == 2.0 and haste(1) == MOST_HASTE


ODD = {
    "one tile": smooth(1, 0),
    "one constant tile": torch.full((1, 3, SIDE, SIDE), 0.2),
    "black tiles": torch.zeros(3, 3, SIDE, SIDE),
    "two tiles": smooth(2, 0),
}


def usable(planned: Plan) -> bool:
    return all(np.isfinite(qparams(*bounds).scale) for bounds in planned.ranges.values())


@pytest.mark.parametrize("case", ODD)
def test_odd_tiles_are_no_trouble(case: str) -> None:
    shown = CalibrationTiles(ODD[case], 1)
    assert usable(tune(network(), minmax(network(), shown, 4), shown, SHORT))


@pytest.mark.parametrize("factor", [0.0, 1e18])
def test_dead_and_overflowing_layers_are_no_trouble(factor: float) -> None:
    graph = network()
    op = graph["b"].op
    assert isinstance(op, Conv2d)
    graph = graph.replaced({"b": replace(graph["b"], op=replace(op, weight=op.weight * np.float32(factor)))})
    assert usable(tune(graph, minmax(graph, tiles(), 4), tiles(), SHORT))


def test_steps_follow_from_the_work_that_is_allowed() -> None:
    graph = network()
    per_step = 2 * 12 * 12 * sum(node.op.weight.size for node in graph.convs)
    assert steps(graph, tiles(), Settings(multiplications=100 * per_step, side=12, batch=2)) == 100
    assert steps(graph, tiles(), SHORT) == SHORT.least_steps
    count: list[int] = []
    tune(graph, plan(), tiles(), SHORT, progress=lambda: count.append(1))
    assert len(count) == SHORT.least_steps
