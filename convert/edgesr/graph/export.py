"""torch.export, quietly, and with one line for people where it fails."""

import io
import warnings
from collections.abc import Collection
from contextlib import redirect_stderr
from typing import Any

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from ..errors import UserError

Size = tuple[int, int]
"""(height, width) of a picture."""


def _overloads(name: str) -> list[Any]:
    packet = getattr(torch.ops.aten, name, None)
    return [] if packet is None else [getattr(packet, overload) for overload in packet.overloads()]


def export(module: nn.Module, size: Size) -> ExportedProgram:
    """The program of a module for one RGB picture of a size.

    Raises:
        UserError: torch.export cannot trace it.
    """
    example = torch.zeros(1, 3, *size)
    if not isinstance(module, fx.GraphModule):  # the module of a torch.export program refuses eval()
        module = module.eval()
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(module, (example,), strict=False)
    except Exception as error:  # torch.export raises many kinds; each means the same to the user
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"torch.export cannot trace the network: {reason}. "
            "Remove data-dependent control flow from forward() and try again."
        ) from error


KEPT = frozenset(
    op
    for name in (
        "celu", "elu", "gelu", "grid_sampler", "group_norm", "instance_norm", "layer_norm", "log_sigmoid",
        "mish", "reflection_pad2d", "replication_pad2d", "scaled_dot_product_attention", "selu", "softmax",
        "softplus",
    )
    for op in _overloads(name)
)  # fmt: skip
"""Ops that the graph does not know in smaller ones either: they are named as the user wrote them."""


def functional(program: ExportedProgram, known: Collection[Any]) -> ExportedProgram:
    """The same program without in-place ops; ops that are not known in PyTorch's spelling in smaller ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = torch.export.default_decompositions()
        smaller = {op: spelling for op, spelling in table.items() if op not in known and op not in KEPT}
        return program.run_decompositions(smaller)
