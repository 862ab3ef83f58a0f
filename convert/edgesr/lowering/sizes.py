"""Which ops can follow a picture of another size than the one that a program was written for."""

from collections.abc import Iterable

from ..errors import UserError
from ..graph import ops
from ..graph.shapes import AnyNode


def refuse_fixed_sizes(nodes: Iterable[AnyNode]) -> None:
    """Raises UserError for an op whose kernel has the size of its output for a constant; names it."""
    for node in nodes:
        if isinstance(node.op, ops.ResizeBilinear):
            raise UserError(
                f"--dynamic-size: {node.name!r} ({node.op.kind}) enlarges to a size that XNNPACK takes for a "
                "constant; leave the option out, or take a network without this op"
            )
