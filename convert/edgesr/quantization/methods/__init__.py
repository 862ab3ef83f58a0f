"""Calibration methods: each is one file with one function from graph and tiles to a plan."""

from collections.abc import Callable

from ...errors import UserError
from ...graph.graph import Graph
from ..plan import Plan
from ..statistics import CalibrationTiles
from .adabm import adabm
from .minmax import minmax

Method = Callable[[Graph, CalibrationTiles, int], Plan]
"""(float graph, calibration tiles, body weight bits) -> plan with every node quantized."""

METHODS: dict[str, Method] = {"adabm": adabm, "minmax": minmax}


def by_name(name: str) -> Method:
    """The method registered under a name; UserError lists the known ones."""
    if name not in METHODS:
        raise UserError(f"--method {name} is unknown. Known methods: {', '.join(METHODS)}.")
    return METHODS[name]
