"""One translation from an exported program to the graph: its state, and what handlers of ATen ops build with.

An fx node is one of three things: known without the picture (weights, and whatever is computed from them
alone), the value of a graph node, or elements of one that are arranged otherwise (`moves`). Sizes are read
as roles, not numbers ("as large as that tensor", "twice as large"), so the graph runs at any size.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.export import ExportedProgram

from ..errors import UserError
from . import ops
from .fx_nodes import UnsupportedOp, layer_name, node_name, source_line
from .graph import Graph, Node, single_input
from .moves import Moved, settle
from .shapes import Shape, shape

Handler = Callable[["Translation", fx.Node], None]
Handlers = dict[Any, Handler]
"""ATen op -> the function that translates it."""


def registrar(table: Handlers) -> Callable[..., Callable[[Handler], Handler]]:
    """A decorator that enters a handler into a table under ATen ops."""

    def handles(*targets: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            table.update(dict.fromkeys(targets, handler))
            return handler

        return register

    return handles


class Translation:
    """State of one translation: graph nodes so far, and what each fx node stands for."""

    def __init__(self, program: ExportedProgram, handlers: Mapping[Any, Handler]) -> None:
        self.program, self.handlers = program, handlers
        self.nodes: list[Node] = []
        self.names: dict[fx.Node, str] = {}  # fx node -> graph node
        self.moved: dict[fx.Node, Moved] = {}  # fx node -> elements of a graph node in another order
        self.known: dict[fx.Node, Any] = {}  # fx node -> weight, buffer, or what is computed from them
        self.shapes: dict[str, Shape] = {}  # graph node -> (channels, height, width) as exported
        self.sizes: dict[tuple[int, int], str] = {}  # spatial size -> first graph node that has it
        self.sums: dict[fx.Node, tuple[fx.Node, frozenset[int]]] = {}  # sum -> its summands, axes
        self.taken: dict[str, int] = {}
        self.stand_ins: set[fx.Node] = set()  # what could not be translated, and what follows from it

    def graph(self) -> Graph:
        problems: list[str] = []
        output = ""
        for node in self.program.graph.nodes:
            try:
                if node.op == "placeholder":
                    self._placeholder(node)
                elif node.op == "output":
                    output = self._output(node)
                elif node.op == "call_function":
                    self._call(node)
            except UnsupportedOp as error:
                at = error.node or node
                line = f" ({where})" if (where := source_line(at)) else ""
                problems.append(f"{layer_name(at)}: {error}{line}")
                self._stand_in(node)
        if problems:
            others = len(set(problems)) - 1
            more = f" (and {others} more)" if others else ""
            raise UserError(
                f"{problems[0]} is not supported{more}. `edgesr models` lists the supported ops; "
                "`edgesr convert --converter litert-torch` takes more."
            )
        return Graph(tuple(self.nodes), output).pruned()

    def _stand_in(self, node: fx.Node) -> None:
        """Goes on after what cannot be translated, to find the other problems too."""
        self.stand_ins.add(node)
        self.names[node] = self.nodes[0].name

    def _call(self, node: fx.Node) -> None:
        handler = self.handlers.get(node.target, unsupported)
        if handler is not unsupported and not self.stand_ins.isdisjoint(node.all_input_nodes):
            self._stand_in(node)
        elif all(source in self.known for source in node.all_input_nodes):
            self.known[node] = self._folded(node)
        else:
            handler(self, node)

    def _folded(self, node: fx.Node) -> Any:
        """The result of an op that the picture has no part in, computed now."""
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise UnsupportedOp("a random number")
        function: Any = node.target
        args, kwargs = fx.map_arg((node.args, node.kwargs), self.known.__getitem__)
        with torch.no_grad():
            return function(*args, **kwargs)

    def _placeholder(self, node: fx.Node) -> None:
        signature = self.program.graph_signature
        target = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}.get(node.name)
        if target is not None:
            stored = self.program.state_dict.get(target, self.program.constants.get(target))
            self._constant(node, stored, target)
        elif node.name in signature.inputs_to_lifted_tensor_constants:
            name = signature.inputs_to_lifted_tensor_constants[node.name]
            self._constant(node, self.program.constants[name], name)
        elif self.nodes:
            raise UserError("the network takes more than one input; edgesr converts networks of one picture.")
        else:
            size = tuple(node.meta["val"].shape)
            if len(size) != 4 or size[:2] != (1, 3):
                raise UserError(
                    f"the network takes {size}; edgesr converts networks of (1, 3, H, W) pictures."
                )
            self.nodes.append(single_input())
            self.taken["image"] = 1
            self.shapes["image"] = size[1:]
            self.bind(node, "image")

    def _constant(self, node: fx.Node, value: Any, name: str) -> None:
        if not isinstance(value, Tensor):
            return
        value = value.detach()
        if value.is_floating_point() and not value.isfinite().all():
            raise UserError(f"{name} holds NaN or infinite values: the checkpoint is damaged.")
        self.known[node] = value

    def _output(self, node: fx.Node) -> str:
        results = node.args[0]
        if self.program.graph_signature.buffers_to_mutate:
            raise UserError("the network was exported in training mode: call eval() before torch.export.")
        first = results[0] if isinstance(results, tuple | list) else results
        if (isinstance(results, tuple | list) and len(results) != 1) or not isinstance(first, fx.Node):
            raise UserError("the network must return one picture; this one returns something else.")
        return self.value(first)

    def value(self, argument: Any) -> str:
        """Name of the graph node whose value, (channels, height, width), an fx argument stands for."""
        if isinstance(argument, fx.Node) and argument in self.moved:
            self.bind(argument, settle(self, argument, self.moved[argument]))
            del self.moved[argument]
        if isinstance(argument, fx.Node) and argument in self.names:
            return self.names[argument]
        if argument in self.sums:
            raise UnsupportedOp("a sum that is not divided by the picture's height times width")
        raise UnsupportedOp("an op on something that is not computed from the picture")

    def arrangement(self, argument: fx.Node) -> Moved:
        """Any value that is computed from the picture, as elements of a graph node."""
        if argument not in self.moved:
            return Moved.whole(self.value(argument), self.shapes[self.value(argument)])
        return self.moved[argument]

    def constant(self, argument: Any) -> np.ndarray | None:
        """What is known without the picture, as float32 of any shape; None if it is computed from it."""
        if isinstance(argument, int | float):
            return np.float32(argument).reshape(1)
        value = self.known.get(argument)
        if isinstance(value, int | float):
            return np.float32(value).reshape(1)
        return None if value is None else value.to(torch.float32).numpy()

    def make(self, node: fx.Node, op: ops.Op, *inputs: str, name: str = "") -> str:
        """Adds a graph node on behalf of an fx node, under the name of its module or another one."""
        base = name or node_name(node)
        count = self.taken[base] = self.taken.get(base, 0) + 1
        name = base if count == 1 else f"{base}#{count}"
        try:
            self.shapes[name] = shape(op, [self.shapes[source] for source in inputs])
        except ValueError as error:
            raise UnsupportedOp(str(error)) from error
        self.nodes.append(Node(name, op, inputs, source_line(node)))
        return name

    def emit(self, node: fx.Node, op: ops.Op, *inputs: str, name: str = "") -> None:
        """Adds the graph node that an fx node stands for."""
        self.bind(node, self.make(node, op, *inputs, name=name))

    def each(self, node: fx.Node, op: ops.Op, source: Any) -> None:
        """Adds an op that treats every element alone, and alike, in whatever order they are."""
        if source in self.moved:
            moved = self.moved[source]
            self.moved[node] = replace(moved, source=self.make(node, op, moved.source))
        else:
            self.emit(node, op, self.value(source))

    def bind(self, node: fx.Node, name: str) -> None:
        """Lets an fx node stand for the value of a graph node."""
        self.names[node] = name
        self.sizes.setdefault(self.shapes[name][1:], name)

    def made(self, name: str) -> Node:
        """The graph node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def affine(self, node: fx.Node, source: Any, scale: Any, shift: Any) -> None:
        """x * scale + shift per channel, as a depthwise 1x1 convolution that rewrites fold away."""
        moved = self.arrangement(source)
        channels = moved.shape[0]
        weight, bias = (moved.per_channel(np.asarray(v, np.float32)) for v in (scale, shift))
        op = ops.Conv2d(weight.reshape(channels, 1, 1, 1), bias, groups=channels)
        self.each(node, op, source)


def unsupported(_: Translation, node: fx.Node) -> None:
    """The handler of every op that has none."""
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    raise UnsupportedOp(f"the op {name}")
