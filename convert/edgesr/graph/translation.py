"""One translation from an exported program to the graph: its state, and what handlers of ATen ops build with.

Sizes are read as roles, not numbers ("as large as that tensor", "twice as large"), so the graph runs at any
size.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.export import ExportedProgram

from ..errors import UserError
from . import ops
from .fx_nodes import UnsupportedOp, module_path, node_name, source_line
from .graph import Graph, Node, single_input

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
        self.constants: dict[fx.Node, np.ndarray] = {}  # fx node -> weight or buffer
        self.sizes: dict[tuple[int, int], str] = {}  # spatial size -> first graph node that has it
        self.sums: dict[fx.Node, tuple[fx.Node, frozenset[int]]] = {}  # sum -> its summands, axes
        self.taken: dict[str, int] = {}

    def graph(self) -> Graph:
        problems: list[str] = []
        output = ""
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "output":
                output = self._output(node)
            elif node.op == "call_function":
                handler = self.handlers.get(node.target, unsupported)
                try:
                    handler(self, node)
                except UnsupportedOp as error:
                    line = f" ({where})" if (where := source_line(node)) else ""
                    problems.append(f"{module_path(node) or 'the network'}: {error}{line}")
                    self.names[node] = self.nodes[0].name  # a stand-in, to find the other problems too
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise UserError(
                f"{problems[0]} is not supported{more}. `edgesr models` lists the supported ops; "
                "`edgesr convert --converter litert-torch` takes more."
            )
        return Graph(tuple(self.nodes), output).pruned()

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
            shape = tuple(node.meta["val"].shape)
            if len(shape) != 4 or shape[:2] != (1, 3):
                raise UserError(
                    f"the network takes {shape}; edgesr converts networks of (1, 3, H, W) pictures."
                )
            self.nodes.append(single_input())
            self.taken["image"] = 1
            self._bind(node, "image")

    def _constant(self, node: fx.Node, value: Any, name: str) -> None:
        if not isinstance(value, Tensor):
            return
        array = value.detach().to(torch.float32).numpy()
        if not np.isfinite(array).all():
            raise UserError(f"{name} holds NaN or infinite values: the checkpoint is damaged.")
        self.constants[node] = array

    def _output(self, node: fx.Node) -> str:
        results = node.args[0]
        first = results[0] if isinstance(results, tuple | list) else results
        if (isinstance(results, tuple | list) and len(results) != 1) or not isinstance(first, fx.Node):
            raise UserError("the network must return one picture; this one returns something else.")
        return self.value(first)

    def value(self, argument: Any) -> str:
        """Name of the graph node that an fx argument stands for."""
        if isinstance(argument, fx.Node) and argument in self.names:
            return self.names[argument]
        if argument in self.sums:
            raise UnsupportedOp("a sum that is not divided by the picture's height times width")
        raise UnsupportedOp("an op on something that is not computed from the picture")

    def constant(self, argument: Any) -> np.ndarray | None:
        """A parameter or buffer, or a number as an array; None if it is computed from the picture."""
        if isinstance(argument, int | float):
            return np.float32(argument).reshape(1)
        return self.constants.get(argument)

    def emit(self, node: fx.Node, op: ops.Op, *inputs: str, name: str = "") -> None:
        """Adds a graph node for an fx node, under the name of its module or another one."""
        base = name or node_name(node)
        count = self.taken[base] = self.taken.get(base, 0) + 1
        name = base if count == 1 else f"{base}#{count}"
        self.nodes.append(Node(name, op, inputs, source_line(node)))
        self._bind(node, name)

    def _bind(self, node: fx.Node, name: str) -> None:
        self.names[node] = name
        value = node.meta["val"]  # a batch norm yields its output and two unused statistics
        shape = (value[0] if isinstance(value, tuple | list) else value).shape
        self.sizes.setdefault(tuple(shape[2:]), name)

    def made(self, name: str) -> Node:
        """The graph node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def channels(self, node: Any) -> int:
        return int(node.meta["val"].shape[1])

    def affine(self, node: fx.Node, source: Any, scale: Any, shift: Any) -> None:
        """x * scale + shift per channel, as a depthwise 1x1 convolution that rewrites fold away."""
        channels = self.channels(source)
        weight, bias = (per_channel(v, channels) for v in (scale, shift))
        op = ops.Conv2d(weight.reshape(channels, 1, 1, 1), bias, groups=channels)
        self.emit(node, op, self.value(source))


def unsupported(_: Translation, node: fx.Node) -> None:
    """The handler of every op that has none."""
    name = getattr(node.target, "__name__", str(node.target)).split(".")[0]
    raise UnsupportedOp(f"the op {name}")


def per_channel(value: Any, channels: int) -> np.ndarray:
    """A number or one value per channel as float32 (channels,)."""
    array = np.asarray(value, np.float32)
    if array.size not in (1, channels) or array.size != max(array.shape, default=1):
        raise UnsupportedOp(f"arithmetic with a constant of shape {tuple(array.shape)}")
    return np.array(np.broadcast_to(array.reshape(-1), (channels,)))
