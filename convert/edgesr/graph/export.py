"""torch.export, quietly, and with one line for people where it fails."""

import io
import warnings
from contextlib import redirect_stderr

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from ..errors import UserError

Size = tuple[int, int]
"""(height, width) of a picture."""


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


def functional(program: ExportedProgram) -> ExportedProgram:
    """The same program without in-place ops and dropout."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.run_decompositions({})
