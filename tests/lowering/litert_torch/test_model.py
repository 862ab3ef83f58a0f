"""Taking a file apart and putting it together changes nothing but what was asked for."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from runtime.tiny_program import tiny_info, tiny_program
from torch import nn

from edgesr.devices.litert import Runner
from edgesr.lowering.litert_torch.converter import as_program
from edgesr.lowering.litert_torch.model import Model, name_of, with_metadata
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.program import read_info
from edgesr_runtime.verify import check_structure

from .programs import float_net, noise


def result(program: bytes) -> np.ndarray:
    (picture,) = noise(1)
    answer: np.ndarray = Runner(program, "serving_default")(picture)["sr"]
    return answer


def test_the_parts_of_a_program() -> None:
    model = Model(float_net())
    kinds = [step.kind for step in model.steps()]
    assert kinds == ["CONV_2D", "TANH", "CONV_2D", "CONV_2D", "DEPTH_TO_SPACE"]
    assert [step.weight is not None for step in model.steps()] == [kind == "CONV_2D" for kind in kinds]
    assert model.ends == ("image", "up")
    assert model.computed() == ("image", "head", "act", "body", "tail", "up")


def test_a_constant_is_replaced_where_it_is_asked_for_alone() -> None:
    model = Model(float_net())
    head, body = (
        step for step in model.steps() if step.kind == "CONV_2D" and name_of(step.outputs[0]) != "tail"
    )
    body.inputs[2].buffer = head.inputs[2].buffer  # as files share what is equal
    before = model.constant(head.inputs[2])
    assert before is not None
    model.replace(body.inputs[2], before + 1)
    again = [step for step in Model(model.to_bytes()).steps() if step.kind == "CONV_2D"]
    got = [Model(model.to_bytes()).constant(step.inputs[2]) for step in again[:2]]
    np.testing.assert_array_equal(got[0], before)
    np.testing.assert_array_equal(got[1], before + 1)


def test_data_behind_the_flatbuffers_part_is_brought_in() -> None:
    """As ai-edge-quantizer leaves files from a certain size on."""
    program = float_net()
    spread = _with_data_behind(program)
    with pytest.raises(CorruptFile, match="behind the end"):
        check_structure(spread)
    joined = Model(spread).to_bytes()
    check_structure(joined)
    np.testing.assert_array_equal(result(joined), result(program))


def _with_data_behind(program: bytes) -> bytes:
    """Twice: the offsets are known once the length of the first part is."""
    length = 0
    for _ in range(2):
        model = schema.ModelT.InitFromPackedBuf(program, 0)
        behind = b""
        for buffer in model.buffers:
            if buffer.data is not None:
                data = bytes(buffer.data)
                buffer.data, buffer.offset, buffer.size = None, max(2, length + len(behind)), len(data)
                behind += data
        first = _packed(model)
        length = len(first)
    return first + behind


def _packed(table: Any) -> bytes:
    model = Model(float_net())
    model.table = table
    return model.to_bytes()


def test_metadata_is_added_and_nothing_else_changes() -> None:
    program = float_net()
    plain = Model(program)
    plain.table.metadata = []
    finished = with_metadata(plain.to_bytes(), tiny_info(tile=12, scale=2).to_json().encode())
    np.testing.assert_array_equal(result(finished), result(program))


def test_the_metadata_reads_back() -> None:
    program = Model(tiny_program())
    program.table.metadata = []
    info = tiny_info(evidence={"converter": "litert-torch"})
    assert read_info(with_metadata(program.to_bytes(), info.to_json().encode())) == info


def test_a_converters_file_becomes_a_program() -> None:
    model = Model(float_net())
    model.signature.outputs[0].name = "output_0"
    for tensor in model.graph.tensors:
        if name_of(tensor) not in model.ends:
            tensor.name = b"twice"
    made = as_program(model.to_bytes(), nn.Identity())
    assert set(check_structure(made).signatures["serving_default"].outputs) == {"sr"}
    assert not check_structure(made).metadata
    assert as_program(model.to_bytes(), nn.Identity()) == made
