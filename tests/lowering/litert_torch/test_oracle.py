"""Two converters, one network: edgesr's own writer and litert-torch agree in float32.

Neither knows of the other, so what both get wrong in the same way is all that this could miss.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from e2e.test_zoo import CONFIGS, module_scale
from torch import nn

from edgesr.lowering.litert_torch.converter import float_program
from edgesr.lowering.litert_torch.model import Model, name_of
from edgesr.lowering.litert_torch.quantizer import int8_program, settled
from edgesr.lowering.tflite.writer import write
from edgesr.networks import registry
from edgesr.networks.architecture import Network
from edgesr.networks.source import load_network
from edgesr.quantization.affine import quantize_weight
from edgesr.quantization.weights import omse_scales
from edgesr.steps.litert_torch import extremes
from edgesr_runtime.engines import LiteRtEngine
from edgesr_runtime.errors import UserError
from lowering.executorch.programs import SIDE, tiny

from .programs import needs_litert_torch

needs_litert_torch()

NETWORKS = ("plain", "srvgg", "rfdn", "rlfn", "imdn", "carn_m", "srresnet", "espcn", "edsr")
NAME = "serving_default"


def network_of(name: str, folder: Path) -> Network:
    """The network of the registry that `tiny` has the graph of."""
    torch.manual_seed(0)
    torch.save(registry.by_name(name).build(**CONFIGS[name]).state_dict(), folder / "weights.pth")
    return load_network(str(folder / "weights.pth"), scale=module_scale(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_both_converters_agree(name: str, tmp_path: Path) -> None:
    small = tiny(name)
    own = write({NAME: small.typed("f32")}, SIDE, b"{}")
    theirs = float_program(network_of(name, tmp_path).module, SIDE)
    results = [LiteRtEngine(program).run(NAME, small.image()) for program in (own, theirs)]
    assert np.ptp(results[0]) > 0
    assert float(np.abs(results[0] - results[1]).max()) <= 1e-5 * small.tiles.pixel_range


def test_what_is_refused_is_said_in_a_few_words(tmp_path: Path) -> None:
    """FSRCNN's 9x9 transposed convolution is nothing that litert-torch can write; edgesr's writer can."""
    with pytest.raises(UserError, match="failed to legalize") as raised:
        float_program(network_of("fsrcnn", tmp_path).module, SIDE)
    assert len(str(raised.value)) < 300
    assert str(Path(torch.__file__).parent) not in str(raised.value)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = float_program(network_of("plain", tmp_path).module, SIDE)
    ranges = extremes(program, tiny("plain").image()[None], 1)
    int8_program(program, settled(program, ranges, 1))
    assert capfd.readouterr() == ("", "")


def test_weights_are_recovered_on_our_grid(tmp_path: Path) -> None:
    """Also of few weights, and of a channel that is zero throughout."""
    module = network_of("carn_m", tmp_path).module
    first = next(m for m in module.modules() if isinstance(m, nn.Conv2d))
    first.weight[1] = 0
    program = float_program(module, SIDE)
    ranges = extremes(program, tiny("carn_m").image()[None], 1)
    made = Model(int8_program(program, settled(program, ranges, 1)))
    before = {name_of(step.outputs[0]): step for step in Model(program).steps() if step.weight is not None}
    found = 0
    for step in made.steps():
        if step.weight is None:
            continue
        weight = Model(program).constant(before[name_of(step.outputs[0])].weight)
        assert weight is not None
        scales = omse_scales(weight, 8)
        levels = np.frombuffer(bytes(made.table.buffers[step.weight.buffer].data), np.int8)
        np.testing.assert_array_equal(levels, quantize_weight(weight, scales, 8).reshape(-1))
        alive = np.abs(weight).reshape(len(weight), -1).max(axis=1) > 0
        np.testing.assert_allclose(step.weight.quantization.scale[alive], scales[alive], rtol=3e-7)
        found += 1
    assert found == len(before) > 10
