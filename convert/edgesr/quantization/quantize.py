"""Plan + float graph -> typed graph: every tensor gets its format, conversions become nodes.

A convolution runs as its container says. Any other op runs in int8 when its container allows it, all
its inputs are int8 and int8 arithmetic for it exists; so a float residual stream follows from a few
float nodes, and nothing is quantized only to be added. Where scales lie too far apart for the int8
kernels, a node runs in float32 whatever its container.
"""

import numpy as np

from ..errors import UserError
from ..graph import ops
from ..graph.graph import Graph, Node
from ..graph.shapes import channels
from .affine import QParams, qparams, quantize_weight, weight_levels
from .containers import STATIC, WEIGHT_BITS, container_of
from .equalize import equalized
from .limits import fits
from .plan import Plan
from .reference import is_integer_kind
from .typed import (
    Dequantize,
    DynamicConv2d,
    QConv2d,
    Quantize,
    Requantize,
    TypedGraph,
    TypedNode,
    is_depthwise,
)

SIGMOID = QParams(1 / 256, -128)
FIXED_GRIDS: dict[type[ops.Op], QParams] = {ops.Sigmoid: SIGMOID, ops.Tanh: QParams(1 / 128, 0)}
"""The grids that int8 kernels demand of their results."""
MAX_BIAS = 2**30  # leaves int32 sums room above the bias
MIN_RATIO = 2.0**-31  # of a channel's scales: weights so small that they count for nothing stay in int8


def has_int8_form(op: ops.Op) -> bool:
    """Whether an op other than a convolution can run in int8 at all."""
    if isinstance(op, ops.Clamp):
        return op.low <= 0 <= op.high  # else no grid, which holds zero, ends where it cuts off
    return isinstance(op, ops.Relu) or is_integer_kind(type(op))


def quantize(graph: Graph, plan: Plan) -> TypedGraph:
    """The typed graph of a plan.

    Raises:
        UserError: if the plan lacks a range or scales that the graph needs (a plan of another network).
    """
    try:
        even = equalized(graph, plan.channel_scales)
    except ValueError as error:  # other channel counts
        raise UserError(
            f"the plan's channel scales do not fit ({error}): it belongs to another network."
        ) from error
    return _Typing(even, plan).typed()


def _misfit(node: Node, what: str) -> UserError:
    return UserError(f"the plan's {what} do not fit {node.name!r}: it belongs to another network.")


class _Typing:
    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.graph, self.plan = graph, plan
        self.nodes: list[TypedNode] = []
        self.formats: dict[str, QParams | None] = {}
        self.cache: dict[tuple[str, QParams | None], str] = {}

    def typed(self) -> TypedGraph:
        for node in self.graph:
            self._type(node)
        output = self._as(self.graph.output, None)  # may append a conversion
        return TypedGraph(tuple(self.nodes), output)

    def _add(self, name: str, op: ops.Op, inputs: tuple[str, ...], out: QParams | None) -> str:
        self.nodes.append(TypedNode(name, op, inputs, out))
        self.formats[name] = out
        return name

    def _type(self, node: Node) -> None:
        if isinstance(node.op, ops.Input):
            self._add(node.name, node.op, (), None)
        elif isinstance(node.op, ops.Conv2d):
            self._conv(node, node.op)
        elif not (self._may_run_in_int8(node) and self._integer(node)):
            sizes = node.inputs[1:] if isinstance(node.op, ops.ResizeBilinear) else ()
            values = node.inputs[: len(node.inputs) - len(sizes)]
            self._add(node.name, node.op, (*(self._as(name, None) for name in values), *sizes), None)

    def _may_run_in_int8(self, node: Node) -> bool:
        if container_of(node, self.plan) == "f32" or not has_int8_form(node.op):
            return False
        if isinstance(node.op, ops.Repeat) and isinstance(self.graph[node.inputs[0]].op, ops.Input):
            return self._quantizes(node.inputs[0])
        values = node.inputs[:1] if isinstance(node.op, ops.ResizeBilinear) else node.inputs
        return all(self.formats[name] is not None for name in values)

    def _quantizes(self, name: str) -> bool:
        """Whether a convolution reads this float tensor in int8, so that an int8 copy exists anyway."""
        users = self.graph.users[name]
        return any(isinstance(u.op, ops.Conv2d) and container_of(u, self.plan) in STATIC for u in users)

    def _integer(self, node: Node) -> bool:
        """Adds a node in int8; False if its scales are too far apart for that."""
        name, op = node.name, node.op
        if isinstance(op, ops.PASS_THROUGH):
            source = self._as(node.inputs[0], self._grid(node.inputs[0]))
            self._add(name, op, (source, *node.inputs[1:]), self.formats[source])
            return True
        if isinstance(op, ops.Concat):
            out = self._grid(name)
            self._add(name, op, tuple(self._as(i, out) for i in node.inputs), out)
            return True
        if isinstance(op, ops.Relu | ops.Clamp):
            op, out = self._saturating(node, op)
        else:
            out = FIXED_GRIDS.get(type(op)) or self._grid(name)
        if not fits(op, [self._format(i) for i in node.inputs], out):
            return False
        self._add(name, op, node.inputs, out)
        return True

    def _saturating(self, node: Node, op: ops.Relu | ops.Clamp) -> tuple[ops.Op, QParams]:
        """A 1x1 convolution that multiplies by one, onto a grid that ends where the op cuts off.

        TFLite has no fast int8 kernel for either op.
        """
        low, high = (0.0, np.inf) if isinstance(op, ops.Relu) else (op.low, op.high)
        known = self._grid_range(node.name)
        out = qparams(max(known[0], low), min(known[1], high))
        count = channels(self.graph)[node.name]
        weight = np.full((count, 1, 1, 1), 127, np.int8)
        scales, bias = np.full(count, 1 / 127, np.float32), np.zeros(count, np.int32)
        return QConv2d(weight, scales, bias, groups=count), out

    def _conv(self, node: Node, op: ops.Conv2d) -> None:
        container = container_of(node, self.plan)
        if container == "w8a8-dynamic" and not is_depthwise(op):  # those have no such kernel
            read = self._as(node.inputs[0], None)
            self._add(node.name, self._dynamic(node, op), (read,), None)
            return
        if container in STATIC:
            name = node.inputs[0]
            source, out = self._grid(name), self._grid(node.name)
            integer = self._quantized(node, op, source, out, WEIGHT_BITS[container])
            if fits(integer, [source], out):
                self._add(node.name, integer, (self._as(name, source),), out)
                return
        self._add(node.name, op, (self._as(node.inputs[0], None),), None)

    def _quantized(self, node: Node, op: ops.Conv2d, source: QParams, out: QParams, bits: int) -> QConv2d:
        planned, target = self._scales(node, op), self._bias(node, op)
        room = np.maximum(np.abs(target) / MAX_BIAS, out.scale * MIN_RATIO) / source.scale
        scales = np.maximum(planned, room.astype(np.float32))
        unit = np.float64(np.float32(source.scale)) * scales.astype(np.float64)
        bias = np.rint(target / unit).astype(np.int32)
        weight = self._levels(node, op, planned, bits)
        widened = scales != planned
        weight[widened] = quantize_weight(op.weight[widened], scales[widened], bits)
        return QConv2d(weight, scales, bias, bits, op.stride, op.padding, op.dilation, op.groups, op.relu)

    def _dynamic(self, node: Node, op: ops.Conv2d) -> DynamicConv2d:
        scales = self._scales(node, op)
        weight, bias = self._levels(node, op, scales, 8), self._bias(node, op).astype(np.float32)
        return DynamicConv2d(weight, scales, bias, op.stride, op.padding, op.dilation, op.groups, op.relu)

    def _scales(self, node: Node, op: ops.Conv2d) -> np.ndarray:
        scales = np.asarray(self.plan.weight_scales.get(node.name, ()), np.float32)
        if scales.shape != op.bias.shape:
            raise _misfit(node, "scales")
        return scales

    def _bias(self, node: Node, op: ops.Conv2d) -> np.ndarray:
        correction = np.asarray(self.plan.bias_corrections.get(node.name, np.zeros(len(op.bias))))
        if correction.shape != op.bias.shape:
            raise _misfit(node, "bias corrections")
        return op.bias + correction

    def _levels(self, node: Node, op: ops.Conv2d, scales: np.ndarray, bits: int) -> np.ndarray:
        """The plan's own rounding of the weights, or the nearest levels."""
        stored = self.plan.weight_levels.get(node.name)
        if stored is None:
            return quantize_weight(op.weight, scales, bits)
        levels = np.frombuffer(stored, np.int8)
        if levels.size != op.weight.size or np.abs(levels.astype(np.int16)).max() > weight_levels(bits):
            raise _misfit(node, "weights")
        return levels.reshape(op.weight.shape).copy()

    def _grid(self, name: str) -> QParams:
        """The format a tensor has in int8, or would have."""
        return self.formats.get(name) or qparams(*self._grid_range(name))

    def _grid_range(self, name: str) -> tuple[float, float]:
        if name not in self.plan.ranges:
            raise UserError(f"the plan has no range for {name!r}: it belongs to another network.")
        return self.plan.ranges[name]

    def _format(self, name: str) -> QParams:
        known = self.formats[name]
        assert known is not None
        return known

    def _as(self, name: str, wanted: QParams | None) -> str:
        """Name of this tensor in the wanted format, converting once."""
        have = self.formats[name]
        if have == wanted:
            return name
        if have and wanted and not fits(Requantize(), [have], wanted):
            name, have = self._as(name, None), None
        key = (name, wanted)
        if key not in self.cache:
            kind = "float" if wanted is None else "int8" if have is None else "grid"
            op = {"float": Dequantize, "int8": Quantize, "grid": Requantize}[kind]()
            label = f"{name}/{kind}"
            while label in self.formats:
                label += "'"
            self.cache[key] = self._add(label, op, (name,), wanted)
        return self.cache[key]
