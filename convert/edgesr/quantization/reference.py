"""The integer reference: the exact numbers that both runtimes must give for a typed graph.

XNNPACK's qs8 arithmetic, op by op (each formula was checked value by value against LiteRT): int32 sums,
float32 scale products in a fixed order, round half to even; fixed-point add, leaky ReLU and
requantization; 11-bit bilinear weights. int8 values are int8 tensors (N,C,H,W); float ops run in float32.
"""

from collections.abc import Callable, Collection, Mapping
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.execute import evaluate, tensor
from .affine import INT8_MAX, INT8_MIN, QParams
from .dynamic import exact_sums
from .float_order import IN_ORDER
from .typed import Dequantize, QConv2d, Quantize, Requantize, TypedGraph, TypedNode

Inputs = list[Tensor]
Formats = list[QParams | None]


def run(
    graph: TypedGraph,
    image: Tensor | None = None,
    known: Mapping[str, Tensor] | None = None,
    keep: Collection[str] = (),
) -> dict[str, Tensor]:
    """Executes a typed graph.

    Args:
        image: float32 (N,C,H,W) in the network's pixel range; None if `known` covers what is needed.
        known: values to take as they are, for instance a runtime's own inputs of an int8 segment.
        keep: nodes whose values are wanted; the output if empty.

    Returns:
        Name -> int8 or float32 value of each wanted node.
    """
    known = known or {}
    wanted = set(keep) or {graph.output}
    needed = set(wanted)
    for node in reversed(graph.nodes):
        if node.name in needed and node.name not in known:
            needed.update(node.inputs)
    values: dict[str, Tensor] = {}
    with torch.inference_mode():
        for node in graph:
            if node.name in known:
                values[node.name] = known[node.name]
            elif node.name in needed:
                values[node.name] = _value(node, graph, image, values)
    return {name: values[name] for name in wanted}


def _value(node: TypedNode, graph: TypedGraph, image: Tensor | None, values: Mapping[str, Tensor]) -> Tensor:
    if isinstance(node.op, ops.Input):
        if image is None:
            raise ValueError("the graph's input is needed but no image was given")
        return image
    inputs = [values[name] for name in node.inputs]
    if node.qparams is None and not isinstance(node.op, Dequantize):
        in_order = IN_ORDER.get(type(node.op)) if graph.is_mixed else None
        return in_order(node.op, inputs[0]) if in_order else evaluate(node.op, inputs)
    return compute(node.op, inputs, [graph[name].qparams for name in node.inputs], node.qparams)


@singledispatch
def compute(op: ops.Op, x: Inputs, formats: Formats, out: QParams | None) -> Tensor:
    """int8 value of one op (float32 for `Dequantize`)."""
    raise NotImplementedError(f"{op.kind} has no integer arithmetic")


def is_integer_kind(op: type[ops.Op]) -> bool:
    """Whether the reference, and so every target, can compute this kind in int8."""
    return compute.dispatch(op) is not compute.dispatch(ops.Op)


def _f32(value: float) -> np.float32:
    return np.float32(value)


def _clip(levels: Tensor, out: QParams, relu: bool = False) -> Tensor:
    low = max(INT8_MIN, out.zero_point) if relu else INT8_MIN
    return levels.clamp(low, INT8_MAX).to(torch.int8)


def _centred(x: Tensor, q: QParams, dtype: torch.dtype = torch.int64) -> Tensor:
    return x.to(dtype) - q.zero_point


@compute.register
def _(op: Quantize, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    inverse = float(_f32(1.0) / _f32(out.scale))
    return _clip((x[0] * inverse).round() + out.zero_point, out)


@compute.register
def _(op: Dequantize, x: Inputs, formats: list[QParams], out: None) -> Tensor:
    return _centred(x[0], formats[0], torch.float32) * formats[0].scale


@compute.register
def _(op: Requantize, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    multiplier = int(np.rint(_f32(256) * (_f32(formats[0].scale) / _f32(out.scale))))
    return _clip(((_centred(x[0], formats[0]) * multiplier + 128) >> 8) + out.zero_point, out)


@compute.register
def _(op: QConv2d, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    sums = exact_sums(op, _centred(x[0], formats[0], torch.float32)) + tensor(op.bias).view(1, -1, 1, 1)
    scale = requantization_scales(op, formats[0], out)
    levels = (sums.to(torch.float32) * tensor(scale).view(1, -1, 1, 1)).round_().add_(out.zero_point)
    return _clip(levels, out, op.relu)


def requantization_scales(op: QConv2d, source: QParams, out: QParams) -> np.ndarray:
    """float32 (out,): input scale * weight scale / output scale, rounded after each step."""
    return ((_f32(source.scale) * op.scales).astype(np.float32) / _f32(out.scale)).astype(np.float32)


@compute.register
def _(op: ops.Add, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    return _sum(x, formats, out, (1, 1), op.relu)


@compute.register
def _(op: ops.Sub, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    return _sum(x, formats, out, (1, -1), relu=False)


def _sum(x: Inputs, formats: list[QParams], out: QParams, signs: tuple[int, int], relu: bool) -> Tensor:
    ratios = [_f32(q.scale) / _f32(out.scale) for q in formats]
    exponent = (int(max(ratios).view(np.uint32)) >> 23) - 127
    shift = 20 - exponent
    total = torch.tensor(1 << (shift - 1))
    for value, q, ratio, sign in zip(x, formats, ratios, signs, strict=True):
        total = total + _centred(value, q) * (sign * int(np.rint(float(ratio) * 2.0**shift)))
    return _clip((total >> shift) + out.zero_point, out, relu)


@compute.register
def _(op: ops.Mul, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    scale = (_f32(formats[0].scale) * _f32(formats[1].scale)) / _f32(out.scale)
    product = _centred(x[0], formats[0], torch.float32) * _centred(x[1], formats[1], torch.float32)
    return _clip((product * float(scale)).round_() + out.zero_point, out)


@compute.register
def _(op: ops.LeakyRelu, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    ratio = _f32(formats[0].scale) / _f32(out.scale)
    positive = int(np.rint(_f32(256) * ratio))
    negative = int(np.rint(_f32(256) * (ratio * _f32(op.slope))))
    centred = _centred(x[0], formats[0])
    product = centred * torch.where(centred >= 0, positive, negative)
    return _clip(((product + 128) >> 8) + out.zero_point, out)


@compute.register
def _(op: ops.Sigmoid, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and its inverse 0, as it should be
        return _looked_up(
            lambda real: _f32(1) / (_f32(1) + np.exp(-real, dtype=np.float32)), x[0], formats[0], out
        )


@compute.register
def _(op: ops.Tanh, x: Inputs, formats: list[QParams], out: QParams) -> Tensor:
    return _looked_up(np.tanh, x[0], formats[0], out)


def _looked_up(
    function: Callable[[np.ndarray], np.ndarray], x: Tensor, source: QParams, out: QParams
) -> Tensor:
    """A function of each value, from a table of all 256."""
    real = (np.arange(INT8_MIN, INT8_MAX + 1) - source.zero_point).astype(np.float32) * _f32(source.scale)
    values = function(real)
    table = np.clip(np.rint(values / _f32(out.scale)) + out.zero_point, INT8_MIN, INT8_MAX).astype(np.int8)
    return tensor(table)[x.to(torch.int64) - INT8_MIN]


@compute.register
def _(op: ops.Slice, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    return evaluate(op, x)


@compute.register
def _(op: ops.Concat, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    return torch.cat(x, dim=1)


@compute.register(ops.MaxPool)
@compute.register(ops.PixelShuffle)
@compute.register(ops.DepthToSpace)
@compute.register(ops.Repeat)
def _(op: ops.Op, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    return evaluate(op, [x[0].to(torch.float32)]).to(torch.int8)


@compute.register
def _(op: ops.Pad, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    padded = evaluate(op, [_centred(x[0], out)])
    return (padded + out.zero_point).to(torch.int8)


@compute.register
def _(op: ops.ResizeBilinear, x: Inputs, formats: Formats, out: QParams) -> Tensor:
    height, width = x[0].shape[2:]
    target = (height * op.factor, width * op.factor) if op.factor else tuple(x[1].shape[2:])
    above, below, rise = _bilinear_axis(height, target[0])
    left, right, run_ = _bilinear_axis(width, target[1])
    value = x[0].to(torch.int64)
    rows = [value[:, :, index] for index in (above, below)]
    top, bottom = (
        (row[:, :, :, left] << 11) + (row[:, :, :, right] - row[:, :, :, left]) * run_ for row in rows
    )  # fmt: skip
    total = (top << 11) + (bottom - top) * rise.view(-1, 1)
    return ((total + (1 << 21)) >> 22).to(torch.int8)


def _bilinear_axis(size: int, target: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lower index, upper index and 11-bit weight of the upper one, for half-pixel centres."""
    centres = (np.arange(target, dtype=np.float32) + _f32(0.5)) * (_f32(size) / _f32(target)) - _f32(0.5)
    centres = np.clip(centres, _f32(0), _f32(size - 1))
    lower = centres.astype(np.int64)
    weight = np.rint((centres - lower.astype(np.float32)) * _f32(2048)).astype(np.int64)
    return tensor(lower), tensor(np.minimum(lower + 1, size - 1)), tensor(weight)
