"""Names for people: from the converter's locations to module paths, as far as those tell them.

The converter names a tensor after the classes and attributes on the way to the code that made it, several
such locations where ops were fused: `net.Net/net.Block_body/torch.nn.modules.conv.Conv2d_conv1;1`.
"""

from collections import Counter
from collections.abc import Collection

from torch import nn

from edgesr_runtime.engines import INPUT, OUTPUT

from .model import WEIGHTS, Model, Step, name_of


def classes_of(network: nn.Module) -> frozenset[str]:
    """The classes of all modules, as the converter writes them."""
    return frozenset(f"{type(m).__module__}.{type(m).__qualname__}" for m in network.modules())


def rename(model: Model, classes: Collection[str]) -> None:
    """Gives every tensor a name of its own: a module's path, or with the kind of op where that is no layer;
    constants are named after the op that reads them first.

    Args:
        classes: as `classes_of` finds them; the outermost one stands for no path.
    """
    taken: Counter[str] = Counter()
    named: set[int] = set()

    def give(tensor: object, base: str) -> None:
        if id(tensor) not in named:
            named.add(id(tensor))
            taken[base] += 1
            tensor.name = (base if taken[base] == 1 else f"{base}#{taken[base]}").encode()  # type: ignore[attr-defined]

    ends = model.ends
    for step in model.steps():
        for tensor in (*step.inputs, *step.outputs):
            if tensor is not None and name_of(tensor) in ends:
                give(tensor, INPUT if name_of(tensor) == ends[0] else OUTPUT)
    for step in model.steps():
        base = _base(step, classes)
        for tensor in step.outputs:
            give(tensor, base)
        for position, tensor in enumerate(step.inputs):
            if tensor is not None:
                give(tensor, f"{name_of(step.outputs[0])}/{position}")


def _base(step: Step, classes: Collection[str]) -> str:
    """For what has weights the first location that is a layer, for all else the first one and the kind."""
    locations = [location for location in name_of(step.outputs[0]).split(";") if "." in location]
    paths = [module_path(location, classes) for location in locations]
    if step.kind in WEIGHTS:
        layers = [
            p for p, where in zip(paths, locations, strict=True) if p and "torch.nn." in where.split("/")[-1]
        ]
        if layers:
            return layers[0]
    return ".".join(filter(None, (paths[0] if paths else "", step.kind.lower())))


def module_path(location: str, classes: Collection[str]) -> str:
    """The attributes of a location, joined by dots; the wrapper that the converter was given is left out."""
    attributes = (_attribute(part, classes) for part in location.split("/")[2:])
    return ".".join(filter(None, attributes))


def _attribute(part: str, classes: Collection[str]) -> str:
    known = [name for name in classes if part.startswith(f"{name}_")]
    if known:
        return part[len(max(known, key=len)) + 1 :]
    _, _, attribute = part.rpartition(".")[2].lstrip("_").partition("_")
    return attribute
