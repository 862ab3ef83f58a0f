"""What a node must be like for XNNPACK to load and run it: number formats, grids and sizes that fit.

Refused here, before a program is written, because ExecuTorch itself fails only when it loads or runs one.
"""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np

from ...graph import ops
from ...graph.shapes import Shape
from ...quantization.affine import QParams
from ...quantization.limits import fits
from ...quantization.quantize import FIXED_GRIDS
from ...quantization.reference import is_integer_kind
from ...quantization.typed import (
    AnyConv,
    Dequantize,
    DynamicConv2d,
    QConv2d,
    Quantize,
    Requantize,
    TypedGraph,
    TypedNode,
)

CONVERSIONS: Mapping[type[ops.Op], tuple[bool, bool]] = {
    Quantize: (False, True),
    Dequantize: (True, False),
    Requantize: (True, True),
}
"""Whether each reads int8, and whether it makes int8."""


def misfit(node: TypedNode, graph: TypedGraph, sizes: Mapping[str, Shape]) -> str | None:
    """What is wrong with a node, to be read after its name; None if nothing is."""
    formats = [graph[name].qparams for name in node.inputs]
    channels = [sizes[name][0] for name in node.inputs]
    problem = _wrong_sizes(node.op, channels) or _wrong_formats(node.op, formats, node.qparams)
    if problem or node.qparams is None:
        return problem
    known = [q for q in formats if q is not None]
    return None if fits(node.op, known, node.qparams) else "has scales too far apart for its kernel"


def _wrong_formats(op: ops.Op, formats: list[QParams | None], out: QParams | None) -> str | None:
    integer = [q is not None for q in formats]
    if type(op) in CONVERSIONS:
        reads, makes = CONVERSIONS[type(op)]
        fits = integer == [reads] and (out is not None) == makes
        return None if fits else "converts between other formats than it says"
    if isinstance(op, ops.ResizeBilinear):
        formats, integer = formats[:1], integer[:1]  # of the second input only the size is read
    if any(i != (out is not None) for i in integer):
        return "mixes float32 and int8"
    if out is None:
        return "makes float32 of int8 weights" if isinstance(op, QConv2d) else None
    if not is_integer_kind(type(op)):
        return "has no int8 arithmetic"
    if isinstance(op, (*ops.PASS_THROUGH, ops.Concat)) and any(q != out for q in formats):
        return "joins or moves int8 values of unequal scales"
    if FIXED_GRIDS.get(type(op), out) != out:
        return "has another grid than its kernel"
    return None


@singledispatch
def _wrong_sizes(op: ops.Op, channels: list[int]) -> str | None:
    """Of an op's constants; what `shapes` does not see."""
    return None


@_wrong_sizes.register
def _(op: ops.PRelu, channels: list[int]) -> str | None:
    return None if op.slope.shape == (channels[0],) else "has slopes that are not one per channel"


@_wrong_sizes.register
def _(op: ops.Concat, channels: list[int]) -> str | None:
    return None if 2 <= len(channels) <= 5 else "joins other than 2 to 5 tensors"


@_wrong_sizes.register(ops.Conv2d)
@_wrong_sizes.register(QConv2d)
@_wrong_sizes.register(DynamicConv2d)
def _(op: AnyConv, channels: list[int]) -> str | None:
    outputs, per_group, *_ = op.weight.shape
    fits_groups = op.groups >= 1 and outputs % op.groups == 0 and per_group * op.groups == channels[0]
    if 0 in op.weight.shape or not fits_groups:
        return f"has a kernel that does not fit {channels[0]} channels"
    if min(*op.stride, *op.dilation) < 1:
        return "has a stride or a dilation below 1"
    constants = [op.bias] if isinstance(op, ops.Conv2d) else [op.bias, op.scales]
    if any(values.shape != (outputs,) for values in constants):
        return "has biases or scales that are not one per channel"
    if not isinstance(op, ops.Conv2d) and not (np.isfinite(op.scales).all() and (op.scales > 0).all()):
        return "has weight scales that are not positive numbers"
    return None
