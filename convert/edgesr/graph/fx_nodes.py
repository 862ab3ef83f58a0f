"""What a node of an exported program says: where it comes from, for people, its arguments and shapes."""

import re
from typing import Any

from torch import fx


class UnsupportedOp(Exception):
    """An ATen op, or a use of one, that has no counterpart in the graph.

    Attributes:
        node: where it stands, if that is not the node at work.
    """

    def __init__(self, message: str, node: fx.Node | None = None) -> None:
        super().__init__(message)
        self.node = node


def module_path(node: fx.Node) -> str:
    """Module path, for instance `block_1.esa.conv1`; "" at the top."""
    stack = node.meta.get("nn_module_stack") or {}
    entries = list(stack.values())
    return entries[-1][0].removeprefix("L['self']").lstrip(".") if entries else ""


def node_name(node: fx.Node, called: str = "") -> str:
    """The path of a PyTorch layer; for a bare function its module's path and its own name, or another."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = module_path(node)
    kind = str(stack[-1][1]) if stack else ""
    if path and "torch.nn.modules" in kind and "container" not in kind:
        return path
    function = called or (str(node.target).split(".")[1] if "." in str(node.target) else node.name)
    return f"{path}.{function}" if path else function


def layer_name(node: fx.Node) -> str:
    """For people: `body.1 (InstanceNorm2d)` of a PyTorch layer, the module's path elsewhere."""
    path = module_path(node)
    kind = str(list((node.meta.get("nn_module_stack") or {"": ("", "")}).values())[-1][1])
    is_layer = path and "torch.nn.modules" in kind and "container" not in kind
    return f"{path} ({kind.rsplit('.', 1)[-1]})" if is_layer else path or "the network"


def source_line(node: fx.Node) -> str:
    """`file.py, line 12` of the innermost frame outside PyTorch, or ""."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    own = [(file, line) for file, line in frames if "-packages/torch/" not in file]
    return f"{own[-1][0].rsplit('/', 1)[-1]}, line {own[-1][1]}" if own else ""


def argument(node: fx.Node, index: int, name: str, default: Any) -> Any:
    """An argument given by position or by name, or its default."""
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)


def pair(value: Any) -> tuple[int, int]:
    """(vertical, horizontal) of one number for both or of two."""
    items = [value] if isinstance(value, int) else list(value)
    return (items[0], items[0]) if len(items) == 1 else (items[0], items[1])


def integer_factor(node: fx.Node, source: Any) -> int:
    """How many times larger a node's picture is than its source's, the same in both directions."""
    (_, _, high, wide), (_, _, high_in, wide_in) = (n.meta["val"].shape for n in (node, source))
    factor = high // high_in
    if (high, wide) != (high_in * factor, wide_in * factor):
        raise UnsupportedOp("resizing by something else than an integer factor")
    return int(factor)
