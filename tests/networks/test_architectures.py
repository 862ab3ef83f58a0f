"""What each architecture computes, against formulas written out here."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgesr.networks import carn, edsr, espcn, idn, imdn, rdn, registry, srresnet
from edgesr.networks.architecture import Architecture
from edgesr.networks.fsrcnn import FSRCNN
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
    "imdn": (715_176, {"scale": 4}),
    # Published: 1,592 K and 412 K, with the up-samplers for x2, x3 and x4; here, the one for x4.
    "carn": (1_591_963 - 147_712 - 332_352, {"scale": 4}),
    "carn_m": (414_811 - 37_120 - 83_520, {"scale": 4}),
    # Weights of 9x9, 3x3 and 9x9 convolutions, 2 values per channel of 33 batch norms, 19 slopes.
    "srresnet": (2 * 15_552 + 33 * (36_864 + 128) + 2 * 147_456 + 19, {"scale": 4}),
    "rdn": (22_271_107, {"scale": 4}),
    "espcn": (1_664 + 18_464 + 2_601, {"scale": 3, "channels": 1}),
    # Published: 12,464 weights; besides 173 biases and 172 slopes.
    "fsrcnn": (12_464 + 173 + 172, {"scale": 2, "channels": 1}),
    "idn": (552_769, {"scale": 2, "channels": 1}),
}

SMALL: dict[str, Any] = {
    "width": 4, "blocks": 1, "depth": 1, "mid": 4, "esa": 2, "layers": 2, "growth": 2, "narrow": 2,
    "distilled": 1, "reduced": 1, "groups": 2,
}  # fmt: skip


@pytest.mark.parametrize("architecture", registry.ARCHITECTURES, ids=lambda a: a.name)
def test_parameter_counts(architecture: Architecture) -> None:
    expected, config = PARAMETERS[architecture.name]
    with torch.device("meta"):
        module = architecture.build(**config)
    assert sum(parameter.numel() for parameter in module.parameters()) == expected


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("architecture", registry.ARCHITECTURES, ids=lambda a: a.name)
def test_every_scale_runs_on_an_oblong_picture(architecture: Architecture, scale: int) -> None:
    config = {key: SMALL.get(key, value) for key, value in architecture.defaults.items()} | {"scale": scale}
    if "step" in config:
        config |= {"width": 12, "step": 4}
    for channels in (1, 3) if "channels" in config else (3,):
        module = architecture.build(**config | ({"channels": channels} if "channels" in config else {}))
        picture = torch.rand(1, channels, 17, 23)
        assert module(picture).shape == (1, channels, 17 * scale, 23 * scale)


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


class Weights:
    """A module's weights, and convolutions with them written as functions of the key."""

    def __init__(self, module: nn.Module) -> None:
        self.state = module.state_dict()

    def conv(self, stem: str, features: Tensor, groups: int = 1) -> Tensor:
        weight = self.state[f"{stem}.weight"]
        bias = self.state.get(f"{stem}.bias")
        return functional.conv2d(features, weight, bias, padding=weight.shape[-1] // 2, groups=groups)

    def norm(self, stem: str, features: Tensor) -> Tensor:
        names = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(features, *(self.state[f"{stem}.{name}"] for name in names))


def leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, 0.05)


def test_imdn_follows_its_formula() -> None:
    torch.manual_seed(0)
    module = imdn.build(scale=2, width=8, blocks=1, distilled=2, reduced=3)
    w = Weights(module)
    picture = torch.rand(1, 3, 6, 7)
    shallow = w.conv("fea_conv", picture)
    aside, features = [], shallow
    for index in (1, 2, 3):
        kept, features = leaky(w.conv(f"IMDB1.c{index}", features)).split([2, 6], dim=1)
        aside.append(kept)
    block = torch.cat([*aside, w.conv("IMDB1.c4", features)], dim=1)
    flat = block.flatten(2).double()
    mean = flat.mean(dim=2)
    contrast = (flat - mean[..., None]).square().mean(dim=2).sqrt()
    looked = torch.relu(w.conv("IMDB1.cca.conv_du.0", (mean + contrast).float()[..., None, None]))
    block = block * torch.sigmoid(w.conv("IMDB1.cca.conv_du.2", looked))
    block = w.conv("IMDB1.c5", block) + shallow
    deep = w.conv("LR_conv", leaky(w.conv("c.0", block))) + shallow
    expected = functional.pixel_shuffle(w.conv("upsampler.0", deep), 2)
    torch.testing.assert_close(module(picture), expected)


@pytest.mark.parametrize(
    ("module", "steps", "convs", "groups"),
    [
        (lambda: carn.CARN(scale=3, width=8), ("b1", "b2", "b3"), (0, 2), 1),
        (lambda: carn.CARNM(scale=3, width=8, groups=2), ("b1", "b1", "b1"), (0, 2, 4), 2),
    ],
    ids=["carn", "carn_m"],
)
def test_carn_follows_its_formula(
    module: Callable[[], nn.Module], steps: tuple[str, ...], convs: tuple[int, ...], groups: int
) -> None:
    torch.manual_seed(0)
    network = module()
    w = Weights(network)
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)

    def residual(stem: str, features: Tensor) -> Tensor:
        middle = features
        for index in convs:
            middle = torch.relu(middle) if index else middle
            middle = w.conv(f"{stem}.body.{index}", middle, groups if index < 4 else 1)
        return torch.relu(features + middle)

    def cascade(stem: str, features: Tensor, step: Callable[[int, Tensor], Tensor]) -> Tensor:
        kept = features
        for index in range(3):
            kept = torch.cat([kept, step(index, features)], dim=1)
            features = torch.relu(w.conv(f"{stem}c{index + 1}.body.0", kept))
        return features

    def block(index: int, features: Tensor) -> Tensor:
        stem = f"b{index + 1}."
        return cascade(stem, features, lambda step, x: residual(stem + steps[step], x))

    picture = torch.rand(1, 3, 6, 7)
    deep = cascade("", w.conv("entry", picture - mean), block)
    wide = functional.pixel_shuffle(torch.relu(w.conv("upsample.up.body.0", deep, groups)), 3)
    torch.testing.assert_close(network(picture), w.conv("exit", wide) + mean)


@pytest.mark.parametrize(("bias", "slope_per_channel", "last"), [(False, False, 9), (True, True, 3)])
def test_srresnet_follows_its_formula(bias: bool, slope_per_channel: bool, last: int) -> None:
    torch.manual_seed(0)
    config = {"bias": bias, "slope_per_channel": slope_per_channel, "last": last}
    module = srresnet.SRResNet(scale=2, width=4, depth=1, **config).eval()
    for value in module.state_dict().values():
        if value.ndim == 1:
            value.uniform_(0.1, 1)  # slopes and statistics of every channel differ
    w = Weights(module)
    picture = 255 * torch.rand(1, 3, 8, 9)
    shallow = functional.prelu(w.conv("head.0", picture), w.state["head.1.weight"])
    block = w.norm("body.0.bn1", w.conv("body.0.conv1", shallow))
    block = w.conv("body.0.conv2", functional.prelu(block, w.state["body.0.act.weight"]))
    deep = shallow + w.norm("body.2", w.conv("body.1", shallow + w.norm("body.0.bn2", block)))
    wide = functional.pixel_shuffle(w.conv("tail.0.0", deep), 2)
    wide = functional.prelu(wide, w.state["tail.0.2.weight"])
    assert ("tail.1.bias" in w.state) is bias
    torch.testing.assert_close(module(picture), w.conv("tail.1", wide), rtol=1e-4, atol=1e-3)


def test_mean_shifts_that_srresnet_does_not_apply_change_nothing() -> None:
    torch.manual_seed(0)
    module = srresnet.SRResNet(scale=2, width=4, depth=1, idle_shift=True).eval()
    without = srresnet.SRResNet(scale=2, width=4, depth=1).eval()
    without.load_state_dict({k: v for k, v in module.state_dict().items() if "_mean." not in k})
    picture = torch.rand(1, 3, 8, 9)
    assert torch.equal(module(picture), without(picture))


def test_rdn_follows_its_formula() -> None:
    torch.manual_seed(0)
    module = rdn.RDN(scale=2, width=4, blocks=2, layers=2, growth=3)
    w = Weights(module)
    picture = torch.rand(1, 3, 6, 7)
    shallow = w.conv("SFENet1", picture)
    features = w.conv("SFENet2", shallow)
    outputs = []
    for block in range(2):
        dense = features
        for layer in range(2):
            made = torch.relu(w.conv(f"RDBs.{block}.convs.{layer}.conv.0", dense))
            dense = torch.cat([dense, made], dim=1)
        features = features + w.conv(f"RDBs.{block}.LFF", dense)
        outputs.append(features)
    deep = w.conv("GFF.1", w.conv("GFF.0", torch.cat(outputs, dim=1))) + shallow
    expected = w.conv("UPNet.2", functional.pixel_shuffle(w.conv("UPNet.0", deep), 2))
    torch.testing.assert_close(module(picture), expected)


@pytest.mark.parametrize(("activation", "function"), [("tanh", torch.tanh), ("relu", torch.relu)])
def test_espcn_follows_its_formula(activation: str, function: Any) -> None:
    torch.manual_seed(0)
    module = espcn.ESPCN(scale=2, width=4, narrow=3, channels=1, activation=activation)
    w = Weights(module)
    picture = torch.rand(1, 1, 6, 7)
    features = function(w.conv("first_part.2", function(w.conv("first_part.0", picture))))
    expected = functional.pixel_shuffle(w.conv("last_part.0", features), 2)
    torch.testing.assert_close(module(picture), expected)


def test_fsrcnn_places_the_middle_tap_on_every_third_pixel() -> None:
    module = zeroed(FSRCNN(scale=3, width=4, narrow=2, depth=1))
    state = module.state_dict()
    for stem in ("first_part.0", "mid_part.0", "mid_part.2", "mid_part.4"):
        kernel = state[f"{stem}.weight"]
        kernel[0, 0, kernel.shape[2] // 2, kernel.shape[3] // 2] = 1
    state["last_part.weight"][0, 0, 4, 4] = 1
    picture = torch.rand(1, 1, 5, 6)
    assert torch.equal(module(picture)[..., ::3, ::3], picture)
    torch.testing.assert_close(module(picture).sum(), picture.sum())


def test_idn_follows_its_formula() -> None:
    torch.manual_seed(0)
    module = idn.IDN(scale=2, width=12, blocks=1, step=4, channels=3)
    w = Weights(module)
    picture = torch.rand(1, 3, 6, 7)
    features = leaky(w.conv("fblock.module.2", leaky(w.conv("fblock.module.0", picture))))
    halves = features
    for half in ("top", "bottom"):
        stem = f"dblocks.0.enhancement_{half}"
        for layer, groups in ((0, 1), (2, 4), (4, 1)):
            halves = leaky(w.conv(f"{stem}.{layer}", halves, groups))
        if half == "top":
            halves, kept = halves.split([8, 4], dim=1)
    deep = w.conv("dblocks.0.compression", halves + torch.cat([features, kept], dim=1))
    weight, bias = w.state["deconv.weight"], w.state["deconv.bias"]
    wide = functional.conv_transpose2d(deep, weight, bias, stride=2, padding=8, output_padding=1)
    bicubic = functional.interpolate(picture, scale_factor=2, mode="bicubic", align_corners=False)
    torch.testing.assert_close(module(picture), wide + bicubic)


def test_bicubic_kernels_are_in_no_checkpoint_yet_there_without_one() -> None:
    with torch.device("meta"):
        module = idn.IDN(scale=2, width=12, blocks=1, step=4)
    assert not any("bicubic" in key for key in module.state_dict())
    assert {buffer.device.type for buffer in module.bicubic.buffers()} == {"cpu"}
