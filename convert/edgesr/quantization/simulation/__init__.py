"""Simulated quantization, for comparison with papers: methods from a float graph and crops to a network.

Nothing here can be deployed, and no figure of it says anything about a program. Each method is one file with
one function, and one line of the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ...errors import UserError
from ...graph.graph import Graph
from .adabm import adabm
from .crops import Crops
from .pams import pams
from .rules import PERCENTILES
from .simulated import Settings, Simulated, Stages
from .static import minmax, omse, percentile

Build = Callable[[Graph, Crops, Settings, Stages], Simulated]
"""(float graph, crops, what to simulate, progress) -> the simulated network."""


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes:
        build: makes the simulated network.
        epochs: of tuning unless told otherwise; None for a method that has nothing to tune.
    """

    build: Build
    epochs: int | None = None


METHODS: dict[str, Method] = {
    "adabm": Method(adabm, epochs=10),
    "adabm-percentile": Method(partial(adabm, start=PERCENTILES), epochs=10),
    "pams": Method(pams, epochs=0),
    "minmax": Method(minmax),
    "percentile": Method(percentile),
    "omse": Method(omse),
}


def by_name(name: str) -> Method:
    """The method registered under a name; UserError lists the known ones."""
    if name not in METHODS:
        raise UserError(f"--method {name} is unknown. Known methods: {', '.join(METHODS)}.")
    return METHODS[name]
