"""Every method: usable, deterministic, and decided in every odd case (METHODS A.11)."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph
from edgesr.quantization.simulation import METHODS, by_name
from edgesr.quantization.simulation.adabm import Parts, adabm, calibrated
from edgesr.quantization.simulation.crops import Crops
from edgesr.quantization.simulation.observation import observe
from edgesr.quantization.simulation.search import clipped
from edgesr.quantization.simulation.simulated import Settings, Simulated
from edgesr.quantization.simulation.tuning import BATCH
from edgesr.steps.progress import quiet

from ..toy import conv, graph_of, picture_levels, residual

methods = pytest.mark.parametrize("name", METHODS)


def crops_of(pixels: Tensor) -> Crops:
    return Crops(pixels, torch.linspace(5, 50, len(pixels)), 1)


def build(name: str, settings: Settings, graph: Graph | None = None, crops: Crops | None = None) -> Simulated:
    return METHODS[name].build(graph or residual(), crops or crops_of(picture_levels(5)), settings, quiet)


def error(simulated: Simulated, pixels: Tensor) -> float:
    """Root mean square of the difference to float, relative to the float output's spread."""
    with torch.no_grad():
        got = simulated.run(pixels, torch.full((len(pixels),), 25.0)).output
    expected = predict(simulated.graph, pixels)
    return float((got - expected).square().mean().sqrt() / expected.std())


@methods
@pytest.mark.parametrize("everything", [False, True])
def test_more_bits_come_nearer_to_float(name: str, everything: bool) -> None:
    pixels = picture_levels(4)
    errors = [error(build(name, Settings(bits, bits, everything)), pixels) for bits in (2, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < (0.3 if "percentile" in name else 0.05)  # which clips what the others keep


@methods
def test_the_same_input_gives_the_same_network(name: str) -> None:
    settings = Settings(4, 4, epochs=3, iterations=2)
    outputs = []
    for _ in range(2):
        simulated = build(name, settings)
        with torch.no_grad():
            outputs.append(simulated.run(picture_levels(2), torch.tensor([1.0, 90.0])).output)
    assert torch.equal(*outputs)


@methods
def test_what_is_rounded_and_counted(name: str) -> None:
    pixels, detail = picture_levels(1), torch.tensor([25.0])
    with torch.no_grad():
        plain = build(name, Settings(3, 5)).run(pixels, detail)
        full = build(name, Settings(3, 5, fully_quantized=True)).run(pixels, detail)
    convs = {node.name for node in residual().convs}
    assert convs & set(plain.bits) == {"a", "b"}
    assert plain.weight_bits["a"] == 3
    assert convs <= set(full.bits)
    assert {n: full.weight_bits[n] for n in convs} == {"head": 8, "a": 3, "b": 3, "tail": 8}
    assert full.bits["head"].tolist() == full.bits["tail"].tolist() == [8.0]
    assert build(name, Settings(3, 5)).counted == build(name, Settings(3, 5, True)).counted == ("a", "b")


ODD = {
    "one crop": picture_levels(1),
    "identical crops": picture_levels(1).repeat(3, 1, 1, 1),
    "flat crop among others": torch.cat([picture_levels(2), torch.ones(1, 3, 16, 16)]),
    "flat crop": torch.full((1, 3, 16, 16), 0.2),
    "black crops": torch.zeros(2, 3, 16, 16),
}


@methods
@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("epochs", [0, 3])
def test_odd_crops_give_finite_pictures(name: str, case: str, epochs: int) -> None:
    settings = Settings(4, 4, True, epochs, iterations=1)
    simulated = build(name, settings, crops=crops_of(ODD[case]))
    with torch.no_grad():
        result = simulated.run(picture_levels(2), torch.tensor([0.0, 99.0]))
    assert torch.isfinite(result.output).all()
    assert all(((bits >= 2) & (bits <= 8)).all() for bits in result.bits.values())


@methods
def test_dead_layers_are_reported_and_divide_by_nothing(name: str) -> None:
    graph = residual()
    head = graph["head"].op
    assert isinstance(head, ops.Conv2d)
    dead = replace(head, weight=head.weight * 0, bias=head.bias * 0)
    graph = graph.replaced({"head": replace(graph["head"], op=dead)})
    simulated = build(name, Settings(4, 4, epochs=3, iterations=1), graph)
    assert any("a: its input is constant" in line for line in simulated.warnings)
    assert torch.isfinite(simulated.run(picture_levels(1), torch.tensor([25.0])).output).all()


@methods
@pytest.mark.parametrize("bits", [2, 8])
def test_widths_at_either_end(name: str, bits: int) -> None:
    simulated = build(name, Settings(bits, bits, True, epochs=3, iterations=1))
    widths = [simulated.run(picture_levels(1), torch.tensor([d])).bits["a"] for d in (0.0, 25.0, 99.0)]
    assert all(2 <= float(w) <= 8 for w in widths)


def chain(layers: int) -> Graph:
    names = [f"c{index}" for index in range(layers + 2)]
    steps = [
        (n, conv(i, 3, 3, relu=i <= layers), names[i - 1] if i else "image") for i, n in enumerate(names)
    ]
    return graph_of(*steps)


@pytest.mark.parametrize(("layers", "shifts"), [(1, [0]), (2, [-1, 1]), (3, [-1, 0, 1])])
def test_bodies_of_few_layers(layers: int, shifts: list[int]) -> None:
    found = build("adabm", Settings(4, 4), chain(layers)).details()["layer_map"]
    assert sorted(found.values()) == shifts
    for name in METHODS:
        assert build(name, Settings(4, 4), chain(layers)).counted == tuple(found)


def test_adabm_gives_detailed_pictures_and_sensitive_layers_more() -> None:
    graph, crops = chain(3), crops_of(picture_levels(6))
    simulated = build("adabm", Settings(4, 4), graph, crops)
    details = simulated.details()
    low, high = details["image_thresholds"]
    picture = picture_levels(1)
    for detail, image in ((low - 1, -1), ((low + high) / 2, 0), (high + 1, 1)):
        bits = simulated.run(picture, torch.tensor([detail])).bits
        assert {n: float(b) for n, b in bits.items()} == {
            n: 4 + image + s for n, s in details["layer_map"].items()
        }
    seen = observe(graph, [node.name for node in graph], crops, lambda: None)
    spread = {name: seen[graph[name].inputs[0]].spread.mean() for name in details["layer_map"]}
    assert max(spread, key=lambda n: spread[n]) == max(
        details["layer_map"], key=details["layer_map"].__getitem__
    )


def test_the_image_map_is_off_and_said_to_be_where_crops_are_equally_detailed() -> None:
    alike = Crops(picture_levels(3), torch.full((3,), 20.0), 1)
    simulated = build("adabm", Settings(4, 4, epochs=3, iterations=1), crops=alike)
    assert simulated.details()["image_thresholds"] is None
    assert any("image map is off" in line for line in simulated.warnings)
    assert not adabm(residual(), alike, Settings(4, 4), quiet, Parts(image_map=False)).warnings


def test_parts_that_are_left_out_leave_no_trace() -> None:
    crops = crops_of(picture_levels(5))
    without = adabm(chain(3), crops, Settings(4, 4), quiet, Parts(image_map=False, layer_map=False))
    assert without.details() == {"image_thresholds": None, "layer_map": {"c1": 0, "c2": 0, "c3": 0}}
    assert float(without.average_bits(without.run(picture_levels(1), torch.tensor([99.0])))) == 4


def test_clipping_is_a_step_of_its_own_and_each_layer_sees_rounded_inputs() -> None:
    graph, crops, settings = chain(2), crops_of(picture_levels(5)), Settings(4, 4)
    before = calibrated(graph, crops, settings, quiet, Parts(clip=False))
    after = calibrated(graph, crops, settings, quiet)
    first, second = before.layers
    pixels = crops.pixels[:BATCH]
    with torch.no_grad():
        x = observe_inputs(graph, pixels, "c0")
        bits = int(first.bits(torch.zeros(1))[0])
        expected = clipped(x, (float(first.low), float(first.high)), bits)
        assert (float(after.layers[0].low), float(after.layers[0].high)) == pytest.approx(expected)
        rounded = after.layers[0].rounding(torch.zeros(BATCH))
        y = predict_conv(graph, "c1", rounded.inputs[0](x).values, rounded.weight)
        bits = int(second.bits(torch.zeros(1))[0])
        expected = clipped(y, (float(second.low), float(second.high)), bits)
        assert (float(after.layers[1].low), float(after.layers[1].high)) == pytest.approx(expected)


def observe_inputs(graph: Graph, pixels: Tensor, name: str) -> Tensor:
    from edgesr.graph.execute import run

    return run(graph, pixels, keep=[name])[name]


def predict_conv(graph: Graph, name: str, x: Tensor, weight: Tensor | None) -> Tensor:
    from edgesr.graph.execute import conv2d, tensor

    op = graph[name].op
    assert isinstance(op, ops.Conv2d) and weight is not None
    return conv2d(x, weight, tensor(op.bias), op).relu()


def edsr() -> Graph:
    """One residual block, the convolution after it, and the long skip."""
    return graph_of(
        ("head", conv(0, 3, 8), "image"), ("a", conv(1, 8, 8, relu=True), "head"), ("b", conv(2, 8, 8), "a"),
        ("sum", ops.Add(), "head b"), ("c", conv(3, 8, 8), "sum"), ("long", ops.Add(), "head c"),
        ("tail", conv(4, 8, 12), "long"), ("up", ops.PixelShuffle(2), "tail"),
    )  # fmt: skip


@methods
def test_the_convolution_after_the_body_is_float_unless_everything_is_quantized(name: str) -> None:
    assert build(name, Settings(4, 4), edsr()).counted == ("a", "b")
    full = build(name, Settings(4, 4, fully_quantized=True), edsr())
    assert full.counted == ("a", "b", "c")
    assert full.run(picture_levels(1), torch.tensor([25.0])).weight_bits["c"] == 4


def test_pams_rounds_both_terms_of_residual_sums() -> None:
    result = build("pams", Settings(4, 4), edsr()).run(picture_levels(1), torch.tensor([25.0]))
    assert set(result.bits) == {"a", "b", "sum"}


def test_pams_bounds_are_learned_only_if_tuning_is_asked_for() -> None:
    pixels, detail = picture_levels(4), torch.full((4,), 25.0)
    outputs = [
        build("pams", settings).run(pixels, detail).output
        for settings in (Settings(3, 3), Settings(3, 3, epochs=4, iterations=10))
    ]
    errors = [float((output - predict(residual(), pixels)).abs().mean()) for output in outputs]
    assert errors[1] < errors[0]


def test_unknown_methods_list_the_known_ones() -> None:
    with pytest.raises(UserError, match=f"unknown.*{', '.join(METHODS)}"):
        by_name("magic")
