"""What is read off a program's operators agrees with what is known of programs that edgesr wrote."""

import pytest

from edgesr.lowering.arrange import arrange
from edgesr.lowering.litert_torch.summary import int8_mac_share, layer_records
from edgesr.lowering.tflite.writer import write
from edgesr.steps import description
from lowering.executorch.programs import SIDE, tiny


@pytest.mark.parametrize("name", ["rfdn", "carn_m"])
@pytest.mark.parametrize("form", ["w8a8", "mixed", "f32"])
def test_the_int8_share_is_that_of_the_graph(name: str, form: str) -> None:
    typed = tiny(name).typed(form)
    expected = description.int8_mac_share(typed, SIDE)
    assert int8_mac_share(write({"s": typed}, SIDE, b"{}")) == pytest.approx(expected, rel=1e-6)


def test_every_layer_has_a_record() -> None:
    network = tiny("rfdn")
    typed = network.typed("mixed")
    ranges = network.plan(8).ranges
    records = layer_records(write({"s": typed}, SIDE, b"{}"), ranges)
    assert [r.name for r in records] == [n.name for n in arrange(typed) if n.op.kind.endswith("Conv2d")]
    assert {(r.container, r.weight_bits, r.activation_bits) for r in records} == {
        ("int8", 8, 8), ("f32", 32, 32),
    }  # fmt: skip
    assert records[0].input_range == (0.0, float(network.tiles.pixel_range))
    assert all(r.kind == "Conv2d" and r.sensitivity is None for r in records)
