"""Checkpoints come from strangers: everything wrong with one is a line for the user, nothing is executed."""

import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from edgesr.errors import UserError
from edgesr.networks import checkpoint
from edgesr.networks.checkpoint import read_checkpoint

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([-1.0, 0.5])}


def saved(folder: Path, content: Any, name: str = "net.pth", **options: Any) -> Path:
    path = folder / name
    torch.save(content, path, **options)
    return path


def assert_same(state: dict[str, Tensor], expected: dict[str, Tensor] = WEIGHTS) -> None:
    assert state.keys() == expected.keys()
    for key, tensor in state.items():
        assert tensor.dtype == expected[key].dtype
        assert torch.equal(tensor, expected[key])


def refused(path: Path, words: str) -> str:
    with pytest.raises(UserError, match=words) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "NET.PTH"])
def test_a_plain_state_dict(tmp_path: Path, name: str) -> None:
    assert_same(read_checkpoint(saved(tmp_path, WEIGHTS, name)))


def test_safetensors(tmp_path: Path) -> None:
    safetensors.torch.save_file(WEIGHTS, tmp_path / "net.safetensors")
    assert_same(read_checkpoint(tmp_path / "net.safetensors"))


def test_the_format_of_old_pytorch(tmp_path: Path) -> None:
    path = saved(tmp_path, OrderedDict(WEIGHTS), _use_new_zipfile_serialization=False)
    assert_same(read_checkpoint(path))


@pytest.mark.parametrize("wrapper", ["params_ema", "params", "state_dict", "model", "net"])
def test_wrappers(tmp_path: Path, wrapper: str) -> None:
    assert_same(read_checkpoint(saved(tmp_path, {"epoch": 3, wrapper: WEIGHTS})))
    assert_same(read_checkpoint(saved(tmp_path, {"model": {wrapper: WEIGHTS, "note": "x"}})))


def test_averaged_weights_win(tmp_path: Path) -> None:
    path = saved(tmp_path, {"params": {"a": torch.zeros(1)}, "params_ema": WEIGHTS})
    assert_same(read_checkpoint(path))


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_are_dropped_only_if_all_keys_share_them(tmp_path: Path, prefix: str) -> None:
    prefixed = {prefix + key: tensor for key, tensor in WEIGHTS.items()}
    assert_same(read_checkpoint(saved(tmp_path, prefixed)))
    mixed = prefixed | {"b": torch.ones(1)}
    assert read_checkpoint(saved(tmp_path, mixed)).keys() == mixed.keys()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_become_float32_and_integers_stay(tmp_path: Path, dtype: torch.dtype) -> None:
    content = {key: tensor.to(dtype) for key, tensor in WEIGHTS.items()}
    counter = {"bn.num_batches_tracked": torch.tensor(7)}
    assert_same(read_checkpoint(saved(tmp_path, content | counter)), WEIGHTS | counter)


def test_parameters_become_plain_contiguous_tensors(tmp_path: Path) -> None:
    state = read_checkpoint(saved(tmp_path, {"a": nn.Parameter(torch.arange(6.0).reshape(2, 3).T)}))
    assert type(state["a"]) is Tensor
    assert state["a"].is_contiguous()
    assert not state["a"].requires_grad


def test_what_is_not_a_file(tmp_path: Path) -> None:
    refused(tmp_path / "absent.pth", "no such file")
    (tmp_path / "folder.pth").mkdir()
    refused(tmp_path / "folder.pth", "not a file")
    refused(tmp_path / ("long" * 100 + ".pth"), "cannot be read")
    (tmp_path / "empty.pth").touch()
    refused(tmp_path / "empty.pth", "empty")


def test_other_kinds_of_file(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"x")
    refused(tmp_path / "net.onnx", "give a .safetensors, .pth or .pt")


class Evil:
    """Touches a file when unpickled by an unrestricted loader."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_never_run(tmp_path: Path, zipped: bool) -> None:
    target = tmp_path / "touched"
    content = {**WEIGHTS, "evil": Evil(target)}
    path = saved(tmp_path, content, _use_new_zipfile_serialization=zipped)
    refused(path, r"asks for the Python object '\w+', which is never loaded: save model\.state_dict")
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists(), "the checkpoint of this test must be harmful to a careless reader"


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    refused(saved(tmp_path, nn.Conv2d(1, 1, 1)), r"save model\.state_dict")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "net.pt"
    torch.jit.trace(nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)).save(archive)
    refused(archive, "TorchScript")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "holds no weights"),
        ({"params": {}}, "holds no weights"),
        (torch.zeros(3), "holds a Tensor, not a dictionary"),
        ([WEIGHTS], "holds a list, not a dictionary"),
        ({**WEIGHTS, "epoch": 3}, "'epoch' is a int, not a tensor"),
        ({3: torch.zeros(1)}, "3 is no name of a weight"),
        ({"line\nbreak": torch.zeros(1)}, "is no name of a weight"),
        ({"k" * 300: torch.zeros(1)}, "is no name of a weight"),
        ({"a": torch.tensor([1.0, float("nan")])}, "'a' holds NaN or infinity"),
        ({"a": torch.tensor([float("-inf")])}, "'a' holds NaN or infinity"),
        ({"a": torch.tensor([1e300], dtype=torch.float64)}, "'a' holds NaN or infinity"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "'a' is not a dense tensor of real"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "'a' is not a dense tensor"),
        ({"a": torch.zeros(2, device="meta")}, "'a' is not a dense tensor"),
        ({"a": torch.zeros(1).expand(2**40)}, "numbers are too many"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_content_that_is_no_network(tmp_path: Path, content: Any, words: str) -> None:
    refused(saved(tmp_path, content), words)


def test_nan_in_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file({"a": torch.tensor([float("nan")])}, path)
    refused(path, "'a' holds NaN")


def test_files_too_large_for_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = tmp_path / "sparse.pth"
    with sparse.open("wb") as file:
        file.truncate(checkpoint.MAX_FILE_BYTES + 1)
    refused(sparse, "larger than")

    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1_000_000))
    monkeypatch.setattr(checkpoint, "MAX_FILE_BYTES", 100_000)
    assert bomb.stat().st_size < 100_000
    refused(bomb, "unpacks to")


def encoded(kind: str) -> bytes:
    if kind == ".safetensors":
        return safetensors.torch.save(WEIGHTS)
    buffer = io.BytesIO()
    torch.save(WEIGHTS, buffer, _use_new_zipfile_serialization=kind == ".pth")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
def test_truncated_files(tmp_path: Path, kind: str, share: float) -> None:
    content = encoded(kind)
    path = tmp_path / f"net{kind}"
    path.write_bytes(content[: int(len(content) * share) + 1])
    refused(path, "fetch it again")


@pytest.mark.parametrize("kind", [".safetensors", ".pth", ".pt"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_weights_or_one_line(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"net{kind}"
    path.write_bytes(content)
    try:
        state = read_checkpoint(path)
    except UserError as error:
        assert "\n" not in str(error)
        assert str(error).startswith(str(path))
    else:
        assert all(torch.isfinite(tensor).all() for tensor in state.values())
