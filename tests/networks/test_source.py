"""MODEL in all its forms."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from edgesr.errors import UserError
from edgesr.networks import source
from edgesr.networks.carn import CARN, CARNM
from edgesr.networks.edsr import EDSR
from edgesr.networks.espcn import ESPCN
from edgesr.networks.fsrcnn import FSRCNN
from edgesr.networks.idn import IDN
from edgesr.networks.luma import Luma
from edgesr.networks.plain import PlainNet
from edgesr.networks.source import load_network, shipped
from edgesr.networks.srresnet import SRResNet

MODULE = "edgesr_test_networks"
NETWORKS = """
import torch
from torch import nn
from edgesr.networks.plain import PlainNet


class Doubled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1).half()
        self.drop = nn.Dropout(0.5)

    def forward(self, image):
        return nn.functional.pixel_shuffle(self.drop(self.conv(image)), 2)


class Grey(nn.Module):
    def forward(self, image):
        return image.mean(dim=1, keepdim=True)


class Pair(nn.Module):
    def forward(self, image):
        return image, image


class Uneven(nn.Module):
    def forward(self, image):
        return image[..., :-1]


class Strict(nn.Module):
    def forward(self, image):
        raise RuntimeError("first line\\nsecond line")


def plain():
    return PlainNet(scale=3, width=8, depth=1)


def luma():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))


def number():
    return 3


def needy(argument):
    return argument


constant = 3
"""


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module in the current folder, which is not on the path."""
    (tmp_path / f"{MODULE}.py").write_text(NETWORKS)
    (tmp_path / f"{MODULE}_broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield MODULE
    assert sys.path == before
    sys.modules.pop(MODULE, None)


def saved(path: Path, module: nn.Module) -> Path:
    safetensors.torch.save_file(module.state_dict(), path)
    return path


@pytest.fixture
def plain_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return saved(tmp_path / "mine.safetensors", PlainNet(scale=3, width=8, depth=1))


def output(module: nn.Module) -> Tensor:
    with torch.no_grad():
        return module(torch.linspace(0, 1, 3 * 20 * 20).reshape(1, 3, 20, 20))


def test_a_checkpoint_is_detected_and_loaded(plain_file: Path) -> None:
    network = load_network(str(plain_file))
    assert (network.name, network.scale, network.pixel_range) == ("plain", 3, 1)
    assert network.config == {"scale": 3, "width": 8, "depth": 1}
    assert not network.module.training
    assert not any(parameter.requires_grad for parameter in network.module.parameters())
    original = PlainNet(scale=3, width=8, depth=1)
    original.load_state_dict(safetensors.torch.load_file(plain_file))
    assert torch.equal(output(network.module), output(original))


def test_a_name_with_weights(plain_file: Path, tmp_path: Path) -> None:
    assert load_network("Plain", weights=plain_file).scale == 3
    edsr = saved(tmp_path / "edsr.safetensors", EDSR(scale=2, width=4, depth=1))
    assert load_network("edsr", weights=edsr).pixel_range == 255
    with pytest.raises(UserError, match=r"edsr\.safetensors: does not fit RLFN"):
        load_network("rlfn", weights=edsr)


def test_the_user_decides_what_white_is(plain_file: Path) -> None:
    assert load_network(str(plain_file), pixel_range=255).pixel_range == 255
    with pytest.raises(UserError, match="--pixel-range 2: white is 1 or 255"):
        load_network(str(plain_file), pixel_range=2)


def test_another_scale_than_the_networks_is_refused(plain_file: Path) -> None:
    assert load_network(str(plain_file), scale=3).scale == 3
    for model, weights in ((str(plain_file), None), ("plain", plain_file)):
        with pytest.raises(UserError, match=r"--scale 4: .* is a x3 network"):
            load_network(model, weights=weights, scale=4)


def multi_scale(path: Path, build: type[CARN] | type[CARNM], scales: tuple[int, ...]) -> Path:
    """One body with the up-samplers of several scales, as CARN is published."""
    state: dict[str, Tensor] = {}
    for scale in scales:
        torch.manual_seed(scale)
        single = build(scale=scale, width=8).state_dict()
        state |= {key.replace("upsample.up.", f"upsample.up{scale}."): value for key, value in single.items()}
    safetensors.torch.save_file(state, path)
    return path


@pytest.mark.parametrize(("name", "build"), [("carn", CARN), ("carn_m", CARNM)])
def test_one_scale_of_several(tmp_path: Path, name: str, build: type[CARN] | type[CARNM]) -> None:
    path = multi_scale(tmp_path / "multi.safetensors", build, (2, 3, 4))
    state = safetensors.torch.load_file(path)
    for scale in (2, 3, 4):
        network = load_network(str(path), scale=scale)
        assert (network.name, network.scale, network.config["scale"]) == (name, scale, scale)
        own = {key.replace("upsample.up.", f"upsample.up{scale}.") for key in network.module.state_dict()}
        assert own == {key for key in state if "upsample" not in key or f"up{scale}" in key}
        last = network.module.state_dict()["upsample.up.body.0.weight"]
        assert torch.equal(last, state[f"upsample.up{scale}.body.0.weight"])
    for wrong in (None, 5):
        with pytest.raises(UserError, match=r"multi\.safe.*multi-scale checkpoint for x2, x3, x4: .*--scale"):
            load_network(str(path), scale=wrong)
    assert load_network(name, weights=path, scale=3).scale == 3


def test_a_single_upsampler_of_a_multi_scale_checkpoint_needs_no_choice(tmp_path: Path) -> None:
    assert load_network(str(multi_scale(tmp_path / "x4.safetensors", CARN, (4,)))).scale == 4


def test_two_kinds_of_upsamplers_are_not_guessed_about(tmp_path: Path) -> None:
    path = multi_scale(tmp_path / "multi.safetensors", CARN, (2, 3))
    state = safetensors.torch.load_file(path)
    both = state | {key.replace("up2", "up"): value.clone() for key, value in state.items()}
    safetensors.torch.save_file(both, tmp_path / "both.safetensors")
    with pytest.raises(UserError, match=r"does not fit CARN .*unexpected upsample\.up"):
        load_network(str(tmp_path / "both.safetensors"), scale=2)


@pytest.mark.parametrize("build", [FSRCNN, IDN])
def test_weights_that_fit_every_scale_need_to_be_told_theirs(tmp_path: Path, build: type[nn.Module]) -> None:
    path = saved(tmp_path / "net.safetensors", build(scale=3, channels=3))
    network = load_network(str(path), scale=3)
    assert (network.scale, network.config["scale"]) == (3, 3)
    assert output(network.module).shape == (1, 3, 60, 60)
    for wrong in (None, 5):
        with pytest.raises(UserError, match=r"do not tell their scale: give --scale, one of 2, 3, 4"):
            load_network(str(path), scale=wrong)


@pytest.mark.parametrize("build", [ESPCN, FSRCNN, IDN])
def test_a_network_for_luma_alone_takes_and_makes_colour(tmp_path: Path, build: type[nn.Module]) -> None:
    torch.manual_seed(0)
    original = build(scale=2, channels=1)
    network = load_network(str(saved(tmp_path / "y.safetensors", original)), scale=2)
    assert network.config["channels"] == 1
    assert output(network.module).shape == (1, 3, 40, 40)
    assert torch.equal(output(network.module), output(Luma(original, 2, white=1)))
    wide = load_network(str(tmp_path / "y.safetensors"), scale=2, pixel_range=255)
    assert torch.equal(output(wide.module), output(Luma(original, 2, white=255)))


def test_old_batch_norms_without_counters(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = SRResNet(scale=2, width=4, depth=1).eval()
    state = {key: value for key, value in module.state_dict().items() if "num_batches" not in key}
    safetensors.torch.save_file(state, tmp_path / "old.safetensors")
    network = load_network(str(tmp_path / "old.safetensors"))
    assert (network.name, network.pixel_range) == ("srresnet", 255)
    assert torch.equal(output(network.module), output(module))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("body.0.conv1.weight", torch.ones(4, 4, 3, 3, dtype=torch.int32), "holds integers"),
        ("body.2.running_var", torch.tensor([1.0, 1.0, -1.0, 1.0]), "negative variance"),
    ],
)
def test_weights_that_no_training_leaves_behind(tmp_path: Path, key: str, value: Tensor, words: str) -> None:
    state = SRResNet(scale=2, width=4, depth=1).state_dict() | {key: value}
    safetensors.torch.save_file(state, tmp_path / "odd.safetensors")
    with pytest.raises(UserError, match=rf"odd\.safetensors: '{key}' holds .*{words.split()[-1]}"):
        load_network(str(tmp_path / "odd.safetensors"))


def test_shipped_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "WEIGHTS_FOLDER", tmp_path)
    for scale in (4, 2):
        saved(tmp_path / f"plain_x{scale}.safetensors", PlainNet(scale=scale, width=4, depth=1))
    saved(tmp_path / "stranger_x2.safetensors", nn.Conv2d(1, 1, 1))
    assert [(weights.name, weights.scale) for weights in shipped()] == [("plain", 2), ("plain", 4)]
    assert load_network("plain").scale == 2
    assert load_network("plain", scale=4).scale == 4
    with pytest.raises(UserError, match="plain x3: no weights for it, shipped are x2, x4: give --weights"):
        load_network("plain", scale=3)
    with pytest.raises(UserError, match="rfdn: no weights for it, none are shipped: give --weights"):
        load_network("rfdn")


def test_everything_shipped_loads_under_its_name() -> None:
    for weights in shipped():
        network = load_network(weights.name, scale=weights.scale)
        assert (network.name, network.scale) == (weights.name, weights.scale)


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_program(tmp_path: Path, dynamic: bool, capfd: pytest.CaptureFixture[str]) -> None:
    module = PlainNet(scale=2, width=4, depth=1).eval()
    sides = {2: torch.export.Dim("height", max=99), 3: torch.export.Dim("width", max=99)}
    program = torch.export.export(
        module, (torch.rand(1, 3, 20, 20),), dynamic_shapes=(sides,) if dynamic else None
    )
    torch.export.save(program, tmp_path / "net.pt2")
    capfd.readouterr()
    network = load_network(str(tmp_path / "net.pt2"))
    assert capfd.readouterr() == ("", "")
    assert (network.name, network.scale, network.pixel_range, network.config) == ("net", 2, 0, {})
    assert torch.equal(output(network.module), output(module))
    with pytest.raises(UserError, match="already holds weights"):
        load_network(str(tmp_path / "net.pt2"), weights=tmp_path / "w.pth")


def test_damaged_programs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.pt2: no such file"):
        load_network(str(tmp_path / "absent.pt2"))
    (tmp_path / "net.pt2").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"net\.pt2: not a torch\.export program"):
        load_network(str(tmp_path / "net.pt2"))


def test_a_factory_in_the_current_folder(user_module: str) -> None:
    network = load_network(f"{user_module}:Doubled")
    assert (network.name, network.scale, network.pixel_range) == (f"{user_module}:Doubled", 2, 0)
    assert not network.module.training
    assert {parameter.dtype for parameter in network.module.parameters()} == {torch.float32}


def test_a_factory_with_weights_of_a_training_framework(user_module: str, tmp_path: Path) -> None:
    module = PlainNet(scale=3, width=8, depth=1)
    state = {f"net_g.{key}": value.contiguous() for key, value in module.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "trained.safetensors")
    network = load_network(f"{user_module}:plain", weights=tmp_path / "trained.safetensors")
    assert torch.equal(output(network.module), output(module))
    assert load_network(str(tmp_path / "trained.safetensors")).name == "plain"


def test_programs_of_other_numbers_or_batches_say_so(tmp_path: Path) -> None:
    conv = nn.Conv2d(3, 3, 1)
    for batch, kind, words in ((1, torch.float16, "float16 pictures"), (4, torch.float32, "batches of 4")):
        picture = torch.zeros(batch, 3, 8, 8, dtype=kind)
        torch.export.save(torch.export.export(conv.to(kind), (picture,)), tmp_path / "net.pt2")
        with pytest.raises(UserError, match=rf"net\.pt2: exported for {words}: export"):
            load_network(str(tmp_path / "net.pt2"))


def test_a_factory_with_weights(user_module: str, plain_file: Path, tmp_path: Path) -> None:
    network = load_network(f"{user_module}:plain", weights=plain_file, pixel_range=1)
    assert network.pixel_range == 1
    assert torch.equal(output(network.module), output(load_network(str(plain_file)).module))
    other = saved(tmp_path / "other.safetensors", PlainNet(scale=3, width=9, depth=1))
    with pytest.raises(
        UserError, match=r"other\.safetensors: does not fit .*head\.weight is 9x3x3x3, not 8x"
    ):
        load_network(f"{user_module}:plain", weights=other)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (f"{MODULE}:Grey", "makes 1x1x24x24 of 1x3x24x24"),
        (f"{MODULE}:Uneven", "makes 1x3x24x23"),
        (f"{MODULE}:Pair", "returns a tuple"),
        (f"{MODULE}:Strict", r"does not run on a 1x3x24x24 picture \(RuntimeError: first line\)"),
        (f"{MODULE}:luma", r"a network of grey pictures: wrap it in edgesr\.networks\.luma\.Luma"),
        (f"{MODULE}:number", "returned a int: it must return a torch.nn.Module"),
        (f"{MODULE}:needy", "calling it failed"),
        (f"{MODULE}:constant", "a int, not a function"),
        (f"{MODULE}:plane", "has no 'plane', but plain"),
        (f"{MODULE}_broken:plain", r"importing .* failed \(ZeroDivisionError"),
        (f"{MODULE}_absent:plain", f"no module named {MODULE}_absent"),
        (":plain", "importing"),
    ],
)
def test_factories_that_fail(user_module: str, model: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        load_network(model)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(model)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("rlfm", "unknown network 'rlfm' .did you mean rlfn"),
        ("net.onnx", "unknown network"),
        ("", "unknown network|neither"),
        ("absent.pth", "absent.pth: no such file"),
    ],
)
def test_what_is_no_model(model: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load_network(model)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").touch()
    with pytest.raises(UserError, match=r"net\.onnx: neither a network nor a file of one"):
        load_network(str(tmp_path / "net.onnx"))


def test_weights_twice(plain_file: Path) -> None:
    with pytest.raises(UserError, match="already holds weights"):
        load_network(str(plain_file), weights=plain_file)


def test_loading_is_quiet(plain_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_network(str(plain_file))
    assert capfd.readouterr() == ("", "")
