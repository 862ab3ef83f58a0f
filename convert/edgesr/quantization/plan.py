"""The plan: everything that calibration decides about a network, as plain data.

One plan lowers to every target; written as JSON it reproduces a program byte for byte. It holds the
range of each tensor, the weight scales of each convolution, the container of each node (the deployed
bit map), sensitivities, AdaBM's maps, and where all that came from.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite
from typing import Any, Literal, get_args

from ..errors import UserError

SCHEMA = "1.0"

Container = Literal["w8a8", "w4a8", "w8a8-dynamic", "a8", "f32"]
"""How a node runs: convolutions are w8a8, w4a8, w8a8-dynamic or f32; every other op is a8 or f32.

`w8a8-dynamic` multiplies int8 by int8 as `w8a8` does, but lays the grid of its input over each tile when it
runs, and its result is float32."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Provenance:
    """Where a plan came from: method, number and SHA-256 of the calibration tiles, seed."""

    method: str
    images: int
    fingerprint: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """See the module's docstring.

    Attributes:
        ranges: node -> (low, high) of the equalized graph, before the grid is nudged.
        weight_scales: convolution -> one float32 value per output channel, of the equalized graph.
        weight_levels: convolution -> its weights as int8 bytes, row by row in PyTorch's order; a convolution
            that is not named rounds each weight to the nearest level.
        bias_corrections: convolution -> what its int8 form adds to its bias, one value per output channel.
        channel_scales: node -> what each of its channels is divided by (see `equalize`); nodes whose
            channels all keep 1 are left out.
        apart: convolutions that read the two terms of a sum side by side (see `sums`); the other fields
            name the nodes of the graph so changed.
        containers: node -> container; a node that is not named is w8a8 or a8.
        sensitivity: node -> predicted mean square error at the output, in grey levels (0..255) squared,
            that its quantization causes (see `noise`). Empty if the method does not estimate it.
        dynamic_sensitivity: convolution -> the same if it were w8a8-dynamic.
        layer_map: convolution -> AdaBM's b_L in {-1, 0, +1}; empty if the method has none. To compare with:
            nothing is deployed by it.
        thresholds: (l_I, u_I) of the image map on the complexity measure (METHODS A.6), or None. To compare
            with: tiles are routed by `steps.routing`.
        provenance: how it was made.
    """

    ranges: Mapping[str, Range]
    weight_scales: Mapping[str, tuple[float, ...]]
    weight_levels: Mapping[str, bytes] = field(default_factory=dict)
    bias_corrections: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    channel_scales: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    containers: Mapping[str, Container] = field(default_factory=dict)
    sensitivity: Mapping[str, float] = field(default_factory=dict)
    dynamic_sensitivity: Mapping[str, float] = field(default_factory=dict)
    layer_map: Mapping[str, int] = field(default_factory=dict)
    thresholds: tuple[float, float] | None = None
    provenance: Provenance = Provenance("none", 0, "", 0)

    def with_containers(self, changes: Mapping[str, Container]) -> "Plan":
        """The same plan with the containers of some nodes changed."""
        return replace(self, containers={**self.containers, **changes})

    def record(self) -> dict[str, Any]:
        """What JSON can hold; floats read back to the same value."""
        levels = {name: base64.b64encode(levels).decode() for name, levels in self.weight_levels.items()}
        return {"schema": SCHEMA, **asdict(self), "weight_levels": levels}

    def to_json(self) -> str:
        """JSON text."""
        return json.dumps(self.record(), indent=1) + "\n"


def from_json(text: str, where: str = "the plan") -> Plan:
    """Reads what `Plan.to_json` wrote.

    Raises:
        UserError: if the text is not a plan of this schema; names the field.
    """
    return from_record(parse(text, where), where)


def parse(text: str, where: str) -> Any:
    """The JSON in a text. Raises UserError if there is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{where} is not JSON ({error}). Give a file written by `edgesr convert --plan`."
        ) from error


def from_record(data: Any, where: str = "the plan") -> Plan:
    """Reads what `Plan.record` made. Raises UserError as `from_json`."""
    try:
        return _read(data)
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{where} is not a plan: {error}. Give a file written by `edgesr convert --plan`."
        ) from error


def _read(data: Any) -> Plan:
    if not isinstance(data, dict):
        raise ValueError("the top level is not an object")
    major = str(data.get("schema", "")).split(".")[0]
    if major != SCHEMA.split(".")[0]:
        raise ValueError(f"its schema is {data.get('schema')!r}, this edgesr reads {SCHEMA}")
    missing = {f.name for f in fields(Plan)} - set(data)
    if missing:
        raise ValueError(f"{sorted(missing)[0]!r} is missing")
    for name, container in data["containers"].items():
        if container not in get_args(Container):
            raise ValueError(
                f"container {container!r} of {name!r} is not one of {', '.join(get_args(Container))}"
            )
    thresholds = data["thresholds"]
    return Plan(
        ranges={name: _range(name, value) for name, value in data["ranges"].items()},
        weight_scales={name: _scales(name, values) for name, values in data["weight_scales"].items()},
        weight_levels={
            name: base64.b64decode(text, validate=True) for name, text in data["weight_levels"].items()
        },
        bias_corrections={
            name: tuple(_finite(name, v) for v in values) for name, values in data["bias_corrections"].items()
        },
        channel_scales={name: _scales(name, values) for name, values in data["channel_scales"].items()},
        apart=_names("apart", data["apart"]),
        containers=data["containers"],
        sensitivity={name: _finite(name, value) for name, value in data["sensitivity"].items()},
        dynamic_sensitivity={
            name: _finite(name, value) for name, value in data["dynamic_sensitivity"].items()
        },
        layer_map={name: int(value) for name, value in data["layer_map"].items()},
        thresholds=None if thresholds is None else _thresholds(thresholds),
        provenance=_provenance(data["provenance"]),
    )


def _names(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{what!r} is {value!r}, not a list of names")
    return tuple(value)


def _finite(name: str, value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{name!r} is {value}, not a finite number")
    return number


def _thresholds(value: Any) -> tuple[float, float]:
    low, high = (_finite("thresholds", v) for v in value)
    return low, high


def _provenance(value: Any) -> Provenance:
    provenance = Provenance(**value)
    for item in fields(provenance):
        if type(getattr(provenance, item.name)) is not item.type:
            raise ValueError(f"{item.name!r} of 'provenance' is {getattr(provenance, item.name)!r}")
    if not (0 <= provenance.seed < 2**63 and 0 <= provenance.images < 2**63):
        raise ValueError(f"'provenance' has the seed {provenance.seed} and {provenance.images} images")
    return provenance


def _range(name: str, value: Any) -> Range:
    low, high = (float(v) for v in value)
    if not (abs(low) < 1e30 and abs(high) < 1e30 and low <= high):
        raise ValueError(f"range {value} of {name!r} is not a finite interval")
    return low, high


def _scales(name: str, values: Any) -> tuple[float, ...]:
    scales = tuple(float(v) for v in values)
    if not all(1e-30 < s < 1e30 for s in scales):
        raise ValueError(f"the scales of {name!r} are not all positive and finite as float32")
    return scales
