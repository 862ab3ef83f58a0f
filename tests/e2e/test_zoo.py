"""Every network of the registry, small and with random weights: exact, whole in XNNPACK, int8 and mixed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from command import Command

from edgesr.conversion import Conversion, Options, convert
from edgesr.errors import UserError
from edgesr.networks import registry
from edgesr.quantization.plan import Plan

CONFIGS: dict[str, dict[str, object]] = {
    "plain": {"scale": 2, "width": 8, "depth": 2},
    "edsr": {"scale": 3, "width": 8, "depth": 2},
    "srvgg": {"scale": 4, "width": 8, "depth": 2},
    "rfdn": {"scale": 2, "width": 8, "blocks": 2, "esa": 4},
    "rlfn": {"scale": 2, "width": 8, "mid": 8, "blocks": 2, "esa": 4},
    "imdn": {"scale": 2, "width": 16, "blocks": 2, "distilled": 4, "reduced": 4},
    "carn": {"scale": 2, "width": 8},
    "carn_m": {"scale": 4, "width": 16, "groups": 4},
    "srresnet": {**registry.by_name("srresnet").defaults, "width": 8, "depth": 2},
    "rdn": {"scale": 2, "width": 8, "blocks": 16, "layers": 3, "growth": 8},
    "espcn": {"scale": 3, "width": 8, "narrow": 8, "channels": 1, "activation": "tanh"},
    "fsrcnn": {"scale": 3, "width": 8, "narrow": 4, "depth": 2, "channels": 1},
    "idn": {"scale": 2, "width": 16, "blocks": 2, "step": 4, "channels": 1},
}


def test_every_network_is_here() -> None:
    assert list(CONFIGS) == list(registry.names())


def check(result: Conversion) -> None:
    comparison = result.evidence.comparison
    assert comparison.mismatches == 0 and comparison.values > 0
    assert comparison.psnr_to_reference >= 60
    assert result.evidence.delegation.share == 1.0
    assert result.evidence.verdict.drop < 0.5


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_converts(name: str, photos: Path, tmp_path: Path, command: Command) -> None:
    torch.manual_seed(0)
    module = registry.by_name(name).build(**CONFIGS[name])
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    options = Options(
        str(tmp_path / "weights.pth"), tmp_path / "w8a8.tflite", scale=module_scale(name), calib=photos,
        bits="w8a8", method="minmax", tile=24, plan_output=tmp_path / "plan.json",
    )  # fmt: skip
    whole = convert(options)
    check(whole)
    assert whole.info.network == name
    of_luma = CONFIGS[name].get("channels") == 1
    assert ("luma alone" in " ".join(command("inspect", whole.path).out.split())) == of_luma
    assert whole.evidence.int8_mac_share > 0.999  # a dead channel may put a tiny convolution in float
    convs = list(whole.decisions.best.weight_scales)
    mixed = whole.decisions.best.with_containers(dict.fromkeys(convs[::3], "f32"))
    (tmp_path / "mixed.json").write_text(mixed.to_json())
    result = convert(
        replace(
            options, output=tmp_path / "mixed.tflite", bits=str(tmp_path / "mixed.json"), plan_output=None
        )
    )
    check(result)
    assert 0 < result.evidence.int8_mac_share < 1


def test_sums_are_read_apart_and_the_plan_says_so(photos: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = registry.by_name("rlfn").build(**CONFIGS["rlfn"])
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    plan = tmp_path / "plan.json"
    options = Options(
        str(tmp_path / "weights.pth"), tmp_path / "first.tflite", calib=photos, bits="w8a8", tile=24,
        method="minmax", plan_output=plan,
    )  # fmt: skip
    first = convert(options)
    assert "block_1.c5" in first.decisions.best.apart
    assert (
        "block_1.add" not in first.decisions.best.ranges
        and "block_1.add.terms" in first.decisions.best.ranges
    )
    again = convert(replace(options, output=tmp_path / "again.tflite", bits=str(plan), plan_output=None))
    assert again.path.read_bytes() == first.path.read_bytes()


def test_a_plan_with_sums_of_another_network(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(Plan({}, {}, apart=("block_1.c5",)).to_json())
    options = Options("plain", tmp_path / "p.tflite", calib=photos, bits=str(tmp_path / "plan.json"))
    with pytest.raises(UserError, match=r"'block_1\.c5'.*another network"):
        convert(options)
    assert not options.output.exists()


def module_scale(name: str) -> int:
    return int(str(CONFIGS[name]["scale"]))
