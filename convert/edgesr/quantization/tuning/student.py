"""The student: the typed graph of a plan, executed in float with gradients, its numbers being parameters.

What is int8 in the program is rounded to the same grid here, op by op, and what the program leaves in float
stays float; so a plan of any containers is tuned as it will be deployed. Only the last bits differ from the
integer reference, where that works in fixed point.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...graph import ops
from ...graph.execute import conv2d, evaluate, tensor
from ...graph.graph import Graph, Node
from ..affine import INT8_MIN, QParams, weight_levels
from ..containers import WEIGHT_BITS, container_of
from ..dynamic import dynamic_grid, is_pointwise
from ..equalize import equalized
from ..plan import Plan
from ..quantize import quantize
from ..typed import Dequantize, DynamicConv2d, QConv2d, Quantize, Requantize, TypedNode
from .grids import Grids
from .straight_through import Grid, round_levels, round_to_grid

MAX_LOG = 1.0  # of the factors on scales and ranges
SMALLEST_UNIT = 1e-6  # of a bias: results that are always zero have no other


class Weights:
    """The parameters of one integer convolution, at first what the program holds.

    Attributes:
        latent: float32, in the weight's shape, in units of a level; rounding it gives the levels.
        stretch: float32 (out,), logarithms of factors on the scales.
        shift: float32 (out,), what is added to the bias, in units of the result's levels.
    """

    def __init__(self, node: Node[ops.Conv2d], op: QConv2d | DynamicConv2d, plan: Plan, unit: float) -> None:
        self.bits = WEIGHT_BITS[container_of(node, plan)]
        self.float_bias = node.op.bias.astype(np.float64)
        correction = plan.bias_corrections.get(node.name, (0.0,) * len(self.float_bias))
        self.first_bias = torch.from_numpy(self.float_bias + np.asarray(correction))
        self.first_scales = tensor(op.scales)
        self.unit = max(unit, SMALLEST_UNIT)
        levels = tensor(op.weight).float().contiguous(memory_format=torch.channels_last)
        self.latent = levels.requires_grad_()
        self.stretch = torch.zeros(len(op.scales), requires_grad=True)
        self.shift = torch.zeros(len(op.scales), requires_grad=True)

    def scales(self) -> Tensor:
        return self.first_scales * self.stretch.exp()

    def bias(self) -> Tensor:
        return self.first_bias + self.shift.double() * self.unit

    def levels(self) -> Tensor:
        return round_levels(self.latent, self.bits)

    def convolved(self, x: Tensor, op: QConv2d | DynamicConv2d, source: Grid | None) -> Tensor:
        """The convolution; its bias is rounded to int32 sums where its input is on a grid known before."""
        scales, bias = self.scales(), self.bias().float()
        if source is not None:
            unit = source.qparams.scale * scales.detach()
            bias = bias + ((bias / unit).round() * unit - bias).detach()
        geometry = ops.Conv2d(op.weight, op.bias, op.stride, op.padding, op.dilation, op.groups)
        return conv2d(x, self.levels() * scales.view(-1, 1, 1, 1), bias, geometry)


class Student:
    """A plan's program with learnable numbers.

    Attributes:
        even: the equalized float graph: the teacher; its values are those that the student imitates.
        typed: what it executes.
        weights: integer convolution -> its parameters.
        grids: the parameters of all activations.
    """

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.plan = plan
        self.even = equalized(graph, plan.channel_scales)
        self.typed = quantize(graph, plan)
        self.grids = Grids(self.even, plan)
        self.weights: dict[str, Weights] = {}
        for node in self.even.convs:
            typed = self.typed[node.name]
            if isinstance(typed.op, QConv2d | DynamicConv2d):
                unit = typed.qparams.scale if typed.qparams else float(np.abs(typed.op.bias).mean()) / 100
                self.weights[node.name] = Weights(node, typed.op, plan, unit)

    @property
    def parameters(self) -> Mapping[str, tuple[Tensor, ...]]:
        """Kind -> its tensors, in the order of the network."""
        convs = self.weights.values()
        return {
            "levels": tuple(w.latent for w in convs),
            "scales": tuple(w.stretch for w in convs),
            "biases": tuple(w.shift for w in convs),
            "ranges": (self.grids.spans,),
        }

    def run(self, image: Tensor, keep: Collection[str] = ()) -> dict[str, Tensor]:
        """Name -> value of the output and of the kept nodes, for float32 (N,C,H,W) pictures."""
        current = self.grids.current()
        wanted = {self.typed.output, *keep}
        last_use = {name: node.name for node in self.typed for name in node.inputs}
        values: dict[str, Tensor] = {}
        for node in self.typed:
            if isinstance(node.op, ops.Input):
                values[node.name] = image
                continue
            value = _value(node.op, _Place(self, node, current), [values[name] for name in node.inputs])
            values[node.name] = value
            for name in node.inputs:
                if last_use[name] == node.name and name not in wanted:
                    values.pop(name, None)
        return {name: values[name] for name in wanted}

    def keep_within_limits(self) -> None:
        """Latent weights stay where gradients reach them, factors where nothing overflows."""
        with torch.no_grad():
            for weights in self.weights.values():
                limit = weight_levels(weights.bits)
                weights.latent.clamp_(-limit, limit)
                weights.stretch.clamp_(-MAX_LOG, MAX_LOG)
            self.grids.spans.clamp_(-MAX_LOG, MAX_LOG)

    def to_plan(self) -> Plan:
        """The plan whose program computes what the student does now."""
        weights = self.weights.items()
        with torch.no_grad():
            scales = {name: tuple(w.scales().tolist()) for name, w in weights}
            levels = {name: w.levels().to(torch.int8).contiguous().numpy().tobytes() for name, w in weights}
            biases = {name: tuple((w.bias().numpy() - w.float_bias).tolist()) for name, w in weights}
        return replace(
            self.plan,
            ranges={**self.plan.ranges, **self.grids.ranges()},
            weight_scales={**self.plan.weight_scales, **scales},
            weight_levels={**self.plan.weight_levels, **levels},
            bias_corrections={**self.plan.bias_corrections, **biases},
        )


class _Place:
    """Where an op stands: what it needs to know besides its inputs."""

    def __init__(self, student: Student, node: TypedNode, current: Mapping[QParams, Grid]) -> None:
        self.student, self.node, self.current = student, node, current

    @property
    def weights(self) -> Weights | None:
        return self.student.weights.get(self.node.name)

    def grid(self, name: str) -> Grid | None:
        """The grid of a node's value now; None where that is float."""
        planned = self.student.typed[name].qparams
        return None if planned is None else self.current.get(planned) or Grid.fixed(planned)

    def rounded(self, x: Tensor) -> Tensor:
        grid = self.grid(self.node.name)
        return x if grid is None else round_to_grid(x, grid)


@singledispatch
def _value(op: ops.Op, at: _Place, x: list[Tensor]) -> Tensor:
    return at.rounded(evaluate(op, x))


@_value.register(ops.Concat)
@_value.register(ops.Slice)
@_value.register(ops.MaxPool)
@_value.register(ops.PixelShuffle)
@_value.register(ops.DepthToSpace)
@_value.register(ops.Repeat)
@_value.register(ops.ResizeNearest)
@_value.register(ops.Pad)
def _(op: ops.Op, at: _Place, x: list[Tensor]) -> Tensor:
    return evaluate(op, x)  # on its input's grid already, or float as it is


@_value.register(Quantize)
@_value.register(Requantize)
def _(op: ops.Op, at: _Place, x: list[Tensor]) -> Tensor:
    return at.rounded(x[0])


@_value.register
def _(op: Dequantize, at: _Place, x: list[Tensor]) -> Tensor:
    return x[0]


@_value.register
def _(op: QConv2d, at: _Place, x: list[Tensor]) -> Tensor:
    grid = at.grid(at.node.name)
    assert grid is not None
    if at.weights is None:  # multiplies by one, to cut off at the ends of its grid
        return round_to_grid(x[0], grid)
    y = at.weights.convolved(x[0], op, at.grid(at.node.inputs[0]))
    cut_anyway = grid.qparams.zero_point == INT8_MIN
    return round_to_grid(y.relu() if op.relu and not cut_anyway else y, grid)


@_value.register
def _(op: DynamicConv2d, at: _Place, x: list[Tensor]) -> Tensor:
    assert at.weights is not None
    grid = dynamic_grid(x[0].detach(), is_pointwise(op))
    rounded = grid.levels(x[0].detach()) * grid.scale
    y = at.weights.convolved(x[0] + (rounded - x[0]).detach(), op, None)
    return y.relu() if op.relu else y


@_value.register
def _(op: ops.LeakyRelu, at: _Place, x: list[Tensor]) -> Tensor:
    """With the slopes that the kernel's 8-bit fractions really have: small ones are a per cent off."""
    source, out = at.grid(at.node.inputs[0]), at.grid(at.node.name)
    if source is None or out is None:
        return evaluate(op, x)
    ratio = np.float32(source.qparams.scale) / np.float32(out.qparams.scale)
    above, below = (float(np.rint(np.float32(256) * f) / 256 / ratio) for f in (ratio, ratio * op.slope))
    return round_to_grid(functional.leaky_relu(x[0], below / above) * above, out)
