"""Every network of the registry in every form: one delegate, the reference's numbers, LiteRT's numbers."""

import numpy as np
import pytest
from e2e.test_zoo import CONFIGS

from edgesr.lowering.arrange import arrange
from edgesr.lowering.executorch.reader import read
from edgesr.lowering.executorch.writer import write
from edgesr.lowering.tflite.writer import write as write_tflite
from edgesr.quantization.typed import DynamicConv2d
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.executorch_engine import ExecuTorchEngine
from edgesr_runtime.pte import read_pte

from .programs import FORMS, SIDE, Image, by_reference, needs_executorch, tiny


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_runs_as_in_the_reference_and_in_litert(name: str) -> None:
    """`read_pte` refuses methods of more than one delegate, so nothing runs outside."""
    needs_executorch()
    network = tiny(name)
    image = network.image()
    graphs = {form: network.typed(form) for form in FORMS}
    program = write(graphs, SIDE, b"{}")
    assert set(read_pte(program).methods) == set(FORMS)
    engine = ExecuTorchEngine(program)
    litert = LiteRtEngine(write_tflite(graphs, SIDE, b"{}"))
    for form, graph in graphs.items():
        got = engine.run(form, image)
        # The same kernels in the same order: equal to the last bit, in float32 as well.
        assert np.array_equal(got, litert.run(form, image)), form
        expected = by_reference(graph, image).transpose(0, 2, 3, 1)
        if form in ("w8a8", "w4a8"):
            assert np.array_equal(got, expected), form
        else:
            assert psnr(got, expected, network.tiles.pixel_range) >= 60, form
    assert any(isinstance(node.op, DynamicConv2d) for node in graphs["dynamic"])


def psnr(a: Image, b: Image, peak: float) -> float:
    error = float(np.square(a.astype(np.float64) - b).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(peak**2 / error))


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_is_read_as_it_was_written(name: str) -> None:
    graphs = {form: tiny(name).typed(form) for form in FORMS}
    program = write(graphs, SIDE, b'{"a": 1}')
    again = read(program)
    assert list(again) == list(FORMS)
    for form, graph in graphs.items():
        assert again[form].equals(arrange(graph)), form
    assert program == write(graphs, SIDE, b'{"a": 1}')
