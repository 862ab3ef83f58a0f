"""From the user's `nn.Module` to the graph, through torch.export.

The network is exported at one odd-shaped picture and every ATen op is translated by the one function
registered for it. Sizes are read as roles, not numbers ("as large as that tensor", "twice as large"),
so the graph runs at any size; `verify` proves that at a second one. What cannot be translated is named,
with its module path and source line, before any other work starts.
"""

import torch
from torch import nn
from torch.export import ExportedProgram

from ..errors import UserError
from .aten_arithmetic import ARITHMETIC
from .aten_layers import LAYERS
from .aten_moves import MOVES
from .aten_reductions import REDUCTIONS
from .aten_windows import WINDOWS
from .execute import predict
from .export import Size, export, functional
from .graph import Graph
from .translation import Translation

HANDLERS = LAYERS | WINDOWS | ARITHMETIC | REDUCTIONS | MOVES
EXPORT_SIZE = (104, 72)  # height and width share no small ratio, so equal sizes mean equal roles
PROOF_SIZE = (56, 80)
TOLERANCE = 1e-4  # of the pixel range


def capture(network: nn.Module | ExportedProgram, size: Size | None = None) -> Graph:
    """The float graph of a network that maps (1,3,H,W) to (1,3,H*scale,W*scale).

    Args:
        size: (height, width) of the only pictures that the module takes; None if it takes any.

    Raises:
        UserError: if the network cannot be exported, has an op outside the graph's kinds, or holds
            weights that are not finite.
    """
    program = network if isinstance(network, ExportedProgram) else export(network, size or EXPORT_SIZE)
    return Translation(functional(program, HANDLERS), HANDLERS).graph()


def verify(
    graph: Graph, module: nn.Module, pixel_range: float, seed: int = 0, size: Size | None = None
) -> float:
    """Largest difference between graph and module on a random picture of another size.

    Args:
        size: (height, width) of the only pictures that the module takes; None if it takes any.

    Raises:
        UserError: if it exceeds 1e-4 of the pixel range (a network whose structure depends on the size).
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = size or PROOF_SIZE
    picture = torch.rand(1, 3, height, width, generator=generator) * pixel_range
    try:
        with torch.inference_mode():
            expected = module(picture)
    except Exception as raised:  # the user's code can raise anything
        raise UserError(
            f"the network does not run on a {width}x{height} picture ({' '.join(str(raised).split())}): "
            "it must take pictures of every size."
        ) from raised
    got = predict(graph, picture)
    error = float((got - expected).abs().max()) if got.shape == expected.shape else float("inf")
    if not error <= TOLERANCE * pixel_range:
        raise UserError(
            f"the captured graph differs from the network by {error:.3g} at {width}x{height} "
            "pixels: forward() must do the same for every picture size."
        )
    return error
