"""Reading checkpoints: untrusted files in, a flat dictionary of float32 tensors out, or one clear line.

Nothing in a checkpoint is ever executed: safetensors holds only numbers, and pickles are read with
PyTorch's restricted loader. Whatever else a damaged or hostile file provokes is reported as a `UserError`
that names the file.
"""

import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from edgesr.errors import UserError

WRAPPERS = (
    "params_ema", "model_ema", "ema", "params", "state_dict", "model_state_dict", "model", "net", "net_g",
    "generator", "module",
)  # fmt: skip
"""Where training code keeps the weights inside a checkpoint; the averaged ones are the published ones."""

PREFIXES = ("module.", "_orig_mod.")
"""What data-parallel training and torch.compile put before every key."""

MAX_VALUES = 2**28
"""Numbers in a checkpoint: 1 GiB of float32, six times the largest published EDSR."""

MAX_FILE_BYTES = 8 * MAX_VALUES + 2**24
"""Bytes of a file, unpacked: as many numbers in float64, and room for names."""

MAX_KEY_LENGTH = 200


def read_checkpoint(path: Path | str) -> dict[str, Tensor]:
    """The weights in a checkpoint: contiguous tensors on the CPU, floats as float32, integers as they are.

    Takes `.safetensors`, and `.pth`, `.pt` or `.ckpt` holding a state dict, alone or in one of `WRAPPERS`;
    `PREFIXES` that all keys share are dropped.

    Raises:
        UserError: the file is missing, damaged, of another kind, too large, or holds Python code, something
            else than tensors, nothing, or weights that are not finite.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in LOADERS:
        raise UserError(f"{path}: not a checkpoint by its name: give a .safetensors, .pth or .pt file")
    check_file(path)
    try:
        content = LOADERS[suffix](path)
    except UserError:
        raise
    except Exception as error:  # a damaged pickle or archive can raise anything
        raise UserError(
            f"{path}: damaged or not a checkpoint ({first_line(error)}): fetch it again"
        ) from error
    state = _drop_prefixes(_unwrap(content, path))
    _check_content(state, path)
    return {key: _plain_tensor(key, tensor, path) for key, tensor in state.items()}


def check_file(path: Path) -> None:
    """Raises UserError unless `path` is a readable file of a size that weights can have."""
    try:
        if not path.exists():
            raise UserError(f"{path}: no such file: check the path")
        if not path.is_file():
            raise UserError(f"{path}: not a file: give the path of a single file")
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    if size == 0:
        raise UserError(f"{path}: the file is empty: fetch it again")
    if size > MAX_FILE_BYTES:
        raise UserError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB: no super-resolution network is")


def first_line(error: BaseException) -> str:
    """The type and the first line of an exception's message, at most 160 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:160] if lines else type(error).__name__


def _load_pickle(path: Path) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_FILE_BYTES:
            raise UserError(
                f"{path}: unpacks to {unpacked >> 20} MiB: no super-resolution network is as large"
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how old or odd the file is; what matters is refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        text = str(error)
        if "TorchScript" in text:
            raise UserError(f"{path}: a TorchScript program: save model.state_dict() instead") from error
        unsafe = re.search(r"GLOBAL (\S{1,60})", text)  # how the restricted loader names what it refused
        if unsafe:
            raise UserError(
                f"{path}: asks for the Python object {unsafe[1]!a}, which is never loaded: "
                "save model.state_dict() instead, or fetch it again if it is damaged"
            ) from error
        raise


LOADERS: Mapping[str, Callable[[Path], Any]] = {
    ".safetensors": safetensors.torch.load_file,
    ".pth": _load_pickle,
    ".pt": _load_pickle,
    ".ckpt": _load_pickle,
}
"""File name extension -> how such a checkpoint is read."""


def _unwrap(content: Any, path: Path) -> dict[str, Any]:
    """The innermost dictionary that wrappers lead to."""
    while isinstance(content, Mapping):
        inner = [content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)]
        if not inner:
            break
        content = inner[0]
    if not isinstance(content, Mapping):
        raise UserError(
            f"{path}: holds a {type(content).__name__}, not a dictionary of tensors: save model.state_dict()"
        )
    return dict(content)


def _drop_prefixes(state: dict[str, Any]) -> dict[str, Any]:
    while state and all(isinstance(key, str) for key in state):
        shared = [prefix for prefix in PREFIXES if all(key.startswith(prefix) for key in state)]
        if not shared:
            break
        state = {key.removeprefix(shared[0]): value for key, value in state.items()}
    return state


def _check_content(state: dict[str, Any], path: Path) -> None:
    """Refuses what is not a dictionary of dense tensors, before a single number is touched."""
    if not state:
        raise UserError(f"{path}: holds no weights: save model.state_dict()")
    values = 0
    for key, tensor in state.items():
        if not isinstance(key, str) or not key.isprintable() or not 0 < len(key) <= MAX_KEY_LENGTH:
            raise UserError(f"{path}: {ascii(key)[:40]} is no name of a weight: save model.state_dict()")
        if not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise UserError(f"{path}: '{key}' is a {kind}, not a tensor: save model.state_dict() alone")
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_meta:
            raise UserError(f"{path}: '{key}' is not a dense tensor of real numbers: save the float network")
        values += tensor.numel()  # counts what a view claims to hold, not what is stored
    if values > MAX_VALUES:
        raise UserError(f"{path}: {values:,} numbers are too many for a super-resolution network")


def _plain_tensor(key: str, tensor: Tensor, path: Path) -> Tensor:
    tensor = tensor.detach().contiguous()
    if not tensor.is_floating_point():
        return tensor
    tensor = tensor.to(torch.float32)
    if not torch.isfinite(tensor).all():
        raise UserError(f"{path}: '{key}' holds NaN or infinity: the training diverged, take an earlier one")
    return tensor
