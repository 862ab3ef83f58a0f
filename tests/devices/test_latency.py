"""What programs take, layer by layer: every layer is there, and its time is its own."""

from pathlib import Path

import pytest
from e2e.test_zoo import CONFIGS
from lowering.executorch.programs import FORMS, SIDE, needs_executorch, tiny

from edgesr.conversion import Options, convert
from edgesr.devices.etdump import by_layer, op_times
from edgesr.devices.latency import ALONE, INSIDE, Latency, latencies
from edgesr.lowering.executorch.kinds import Kind
from edgesr.lowering.executorch.writer import write
from edgesr.lowering.targets import target_of
from edgesr.quantization.typed import AnyConv
from edgesr_runtime.metadata import SizeRange

NODES = [
    (Kind.TRANSPOSE, "image"),
    (Kind.CONV, "a"),
    (Kind.CONV, "b"),
    (Kind.RESHAPE, "c"),
    (Kind.TRANSPOSE, "c"),
]


def layers_of(latency: Latency) -> list[str]:
    return [layer.name for layer in latency.layers]


def test_every_layer_of_a_tflite_program(program: Path) -> None:
    data = program.read_bytes()
    ((variant, latency),) = latencies(data, runs=2).items()
    graph = target_of(data).read(data)[variant]
    assert layers_of(latency) == [node.name for node in graph.nodes[1:]]
    assert latency.milliseconds > 0 and latency.measured == ALONE
    assert all(layer.milliseconds > 0 and layer.accelerated for layer in latency.layers)
    assert {layer.container for layer in latency.layers} == {"int8", "f32"}


@pytest.mark.parametrize("sizes", [None, SizeRange(16, 1024)])
def test_every_layer_of_an_executorch_program(photos: Path, tmp_path: Path, sizes: SizeRange | None) -> None:
    """On its tile, also where it takes larger pictures."""
    needs_executorch()
    path = tmp_path / "plain.pte"
    quick = {"calib": photos, "bits": "w8a8", "method": "minmax", "tile": 32, "target": "executorch"}
    convert(Options("plain", path, sizes=sizes, **quick))  # type: ignore[arg-type]
    data = path.read_bytes()
    ((variant, latency),) = latencies(data, runs=2).items()
    graph = target_of(data).read(data)[variant]
    assert layers_of(latency) == [node.name for node in graph.nodes[1:]]
    assert latency.measured == INSIDE
    convolutions = [layer for layer in latency.layers if layer.kind == "QConv2d"]
    assert convolutions and all(layer.milliseconds > 0 for layer in convolutions)
    # of the largest picture it would be a thousand times as much
    assert sum(layer.milliseconds for layer in latency.layers) < 100 * latency.milliseconds


def test_the_work_decides_the_time(program: Path) -> None:
    """The body convolutions multiply many times as much as the conversion to int8."""
    ((_, latency),) = latencies(program.read_bytes(), runs=2).items()
    times = {layer.name: layer.milliseconds for layer in latency.layers}
    assert min(times[name] for name in times if name.startswith("body.")) > times["image/int8"]


@pytest.mark.parametrize("name", CONFIGS)
def test_executorch_reports_every_convolution(name: str) -> None:
    needs_executorch()
    network = tiny(name)
    graphs = {form: network.typed(form) for form in FORMS}
    program = write(graphs, SIDE, b"{}")
    for form, graph in target_of(program).read(program).items():
        times = op_times(program, form, threads=1, runs=1)
        assert {node.name for node in graph if isinstance(node.op, AnyConv)} <= set(times), form
        assert set(times) <= {"", *(node.name for node in graph)}


def test_events_go_to_layers_in_order() -> None:
    events = [("Transpose (ND, X32) #1", 1.0), ("Convolution (NHWC, QC8) IGEMM #1", 2.0)]
    events += [("Convolution (NHWC, QC8) GEMM #2", 4.0), ("Transpose (ND, X8) #1", 8.0)]
    assert by_layer(events, NODES) == {"image": 1.0, "a": 2.0, "b": 4.0, "c": 8.0}


def test_several_events_of_one_node() -> None:
    nodes = [(Kind.CONCAT_2, "a"), (Kind.ADD, "b")]
    assert by_layer([("Copy (NC) #1", 1.0), ("Copy (NC) #2", 2.0), ("Add (ND)", 4.0)], nodes) == {
        "a": 3.0,
        "b": 4.0,
    }


def test_an_operator_of_an_activation_belongs_to_its_layer() -> None:
    events = [("Convolution (NHWC) #1", 1.0), ("Clamp (NC) #1", 2.0), ("Softmax (NC)", 4.0)]
    far = [*NODES, *[(Kind.ADD, f"d{i}") for i in range(9)], (Kind.CLAMP, "e")]
    assert by_layer(events, far) == {"a": 7.0}
