"""Layers are found under the user's names for them, whatever the converter calls their tensors."""

import pytest
from torch import nn
from typed_programs import graph_of

from edgesr.graph import ops
from edgesr.lowering.litert_torch.model import Model, name_of
from edgesr.lowering.litert_torch.names import classes_of, module_path, rename
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.typed import TypedNode

from .programs import float_net

WRAPPER = "edgesr.lowering.litert_torch.converter._ChannelsLast"
CLASSES = {"net.Net", "net.ESA_Block", "torch.nn.modules.conv.Conv2d"}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (WRAPPER, ""),
        (f"{WRAPPER}/net.Net_network", ""),
        (f"{WRAPPER}/net.Net_network/torch.nn.modules.conv.Conv2d_head", "head"),
        (
            f"{WRAPPER}/net.Net_network/net.ESA_Block_esa_1/torch.nn.modules.conv.Conv2d_conv_f",
            "esa_1.conv_f",
        ),
        (f"{WRAPPER}/net.Net_network/other.Strange_block_1/x.Y_z", "block_1.z"),
    ],
)
def test_a_location_is_read_as_a_module_path(location: str, path: str) -> None:
    assert module_path(location, CLASSES) == path


def test_the_classes_are_those_of_all_modules() -> None:
    found = classes_of(nn.Sequential(nn.Conv2d(3, 3, 1)))
    assert found == {"torch.nn.modules.container.Sequential", "torch.nn.modules.conv.Conv2d"}


def test_every_tensor_gets_a_name_of_its_own() -> None:
    model = Model(float_net())
    where = f"{WRAPPER}/net.Net_network"
    made = [step.outputs[0] for step in model.steps()]
    first, act, second = made[:3]
    first.name = f"{where};{where}/torch.nn.modules.conv.Conv2d_head;1".encode()
    act.name = f"{where};7".encode()
    second.name = f"{where}/torch.nn.modules.conv.Conv2d_head;2".encode()
    rename(model, CLASSES)
    assert [name_of(tensor) for tensor in (first, act, second)] == ["head", "tanh", "head#2"]
    assert model.ends == ("image", "sr")
    names = [name_of(tensor) for tensor in Model(model.to_bytes()).graph.tensors]
    assert len(set(names)) == len(names)
    assert "head/1" in names and "head#2/2" in names


def test_a_name_that_says_nothing_is_replaced_by_the_kind() -> None:
    graph = graph_of(
        [TypedNode("arith.x", ops.Sigmoid(), ("image",)), TypedNode("last", ops.Tanh(), ("arith.x",))], 3
    )
    model = Model(write({"s": graph}, 8, b"{}"))
    rename(model, ())
    assert [name_of(step.outputs[0]) for step in model.steps()] == ["logistic", "sr"]
