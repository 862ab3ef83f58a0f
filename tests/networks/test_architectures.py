"""What each architecture computes, against formulas written out here."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgesr.networks import edsr, registry
from edgesr.networks.architecture import Architecture
from edgesr.networks.plain import PlainNet
from edgesr.networks.srvgg import SRVGGNetCompact

PARAMETERS = {
    # Counted by hand: 9 * inputs * outputs + outputs for each 3x3 convolution.
    "plain": (896 + 4 * 9_248 + 3_468, {"scale": 2, "width": 32, "depth": 4}),
    # Published: 1.37 M for x2 and 1.52 M for x4, without the two mean shifts of 12 values each.
    "edsr": (1_369_859 + 24, {"scale": 2, "width": 64, "depth": 16}),
    "srvgg": (1_792 + 16 * 36_928 + 17 * 64 + 27_696, {"scale": 4, "width": 64, "depth": 16}),
    "rfdn": (433_448, {"scale": 4}),
    "rlfn": (526_856, {"scale": 2}),
}


@pytest.mark.parametrize("architecture", registry.ARCHITECTURES, ids=lambda a: a.name)
def test_parameter_counts(architecture: Architecture) -> None:
    expected, config = PARAMETERS[architecture.name]
    with torch.device("meta"):
        module = architecture.build(**config)
    assert sum(parameter.numel() for parameter in module.parameters()) == expected


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("architecture", registry.ARCHITECTURES, ids=lambda a: a.name)
def test_every_scale_runs_on_an_oblong_picture(architecture: Architecture, scale: int) -> None:
    small: dict[str, Any] = {"width": 4, "blocks": 1, "depth": 1, "mid": 4, "esa": 2}
    config = {key: small.get(key, value) for key, value in architecture.defaults.items()} | {"scale": scale}
    picture = torch.rand(1, 3, 17, 23)
    assert architecture.build(**config)(picture).shape == (1, 3, 17 * scale, 23 * scale)


def zeroed(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


@pytest.mark.parametrize("build", [PlainNet, SRVGGNetCompact])
def test_a_network_that_learnt_nothing_repeats_its_pixels(build: Any) -> None:
    picture = torch.rand(1, 3, 5, 6)
    expected = picture.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3)
    assert torch.equal(zeroed(build(scale=3, width=4, depth=1))(picture), expected)


def test_edsr_follows_its_formula() -> None:
    torch.manual_seed(0)
    module = edsr.EDSR(scale=2, width=4, depth=2, res_scale=0.1)
    weights = module.state_dict()
    mean = 255 * torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)

    def conv(stem: str, features: Tensor) -> Tensor:
        return functional.conv2d(features, weights[f"{stem}.weight"], weights[f"{stem}.bias"], padding=1)

    picture = 255 * torch.rand(1, 3, 7, 6)
    shallow = deep = conv("head.0", picture - mean)
    for index in range(2):
        residual = conv(f"body.{index}.body.2", torch.relu(conv(f"body.{index}.body.0", deep)))
        deep = deep + 0.1 * residual
    wide = functional.pixel_shuffle(conv("tail.0.0", shallow + conv("body.2", deep)), 2)
    torch.testing.assert_close(module(picture), conv("tail.1", wide) + mean, rtol=0, atol=1e-3)


def test_edsr_mean_shift_stays_out_of_training() -> None:
    module = edsr.EDSR(scale=2, width=4, depth=1)
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    assert frozen == {"sub_mean.weight", "sub_mean.bias", "add_mean.weight", "add_mean.bias"}
