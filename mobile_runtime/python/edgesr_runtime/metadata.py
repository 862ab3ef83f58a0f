"""What an edgesr program says about itself: the JSON entry `edgesr` in the program file, schema 1.

`docs/program.schema.json` states the same rules for other readers. Minor versions may add keys, which are
ignored here; another major version is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from edgesr_runtime.errors import UserError
from edgesr_runtime.rules import (
    Check,
    FieldError,
    between,
    choice,
    default,
    finite,
    integer,
    interval,
    items,
    mapping,
    optional,
    record,
    text,
)

SCHEMA, RESIZABLE_SCHEMA = "1.1", "1.2"
"""Of a program of one size, and of one that says which others it takes (`sizes`)."""
METADATA_ENTRY = "edgesr"  # of a .tflite file; in a .pte file a method has this name
DEFAULT_VARIANT = "serving_default"
ROUTED_VARIANTS = ("low", "mid", "high")
VARIANT_LISTS = (
    (DEFAULT_VARIANT,),
    *(("low",), ("mid",), ("high",)),
    *(("low", "mid"), ("low", "high"), ("mid", "high")),
    ROUTED_VARIANTS,
)

Interval = tuple[float, float]


@dataclass(frozen=True)
class Routing:
    """Tiles of complexity below `low` go to the variant `low`, above `high` to `high`; low <= high.

    Those below `skip` are enlarged without the network; skip <= low, or 0 where none is. `error` is the mean
    squared difference to the best variant, in grey levels, that the conversion accepted; None where it
    accepted none.
    """

    low: float
    high: float
    skip: float = 0.0
    error: float | None = None


@dataclass(frozen=True)
class SizeRange:
    """Heights and widths, each by itself, that a program takes: `min`..`max` LR pixels."""

    min: int
    max: int

    def __contains__(self, side: int) -> bool:
        return self.min <= side <= self.max

    def __str__(self) -> str:
        return f"{self.min} to {self.max}"


@dataclass(frozen=True)
class Calibration:
    """How the ranges were found: the method, from how many pictures, their joint sha256 in hex, the seed."""

    method: str
    images: int
    fingerprint: str
    seed: int


@dataclass(frozen=True)
class LayerRecord:
    """One layer of the network: its bits, the container it runs in and the real ranges of its tensors.

    `weight_bits` is None for a layer without weights; a range is None where nothing was measured;
    `sensitivity` is the mean squared error at the output, in grey levels, when this layer alone is quantized;
    None where it was not measured. `variant` names the one it belongs to; None where there is
    only one.
    """

    name: str
    kind: str
    weight_bits: int | None
    activation_bits: int
    container: str
    input_range: Interval | None
    output_range: Interval | None
    sensitivity: float | None
    variant: str | None = None


@dataclass(frozen=True)
class ProgramInfo:
    """The contents of the entry.

    `scale` is the factor 1..8; white is `pixel_range` (1 or 255) at input and output; the input is a square
    of `tile` LR pixels, of which `halo` are thrown away on each side that meets another tile; `exact_halo`
    is the halo with which tiles give what the whole picture would, None where no halo below half the tile
    does; `variants` are the signature names, cheapest first; `evidence` is what the conversion measured, free
    in form; `sizes` are the inputs besides `tile` that a caller may feed, None where there are no others.
    """

    schema: str
    edgesr: str
    network: str
    scale: int
    pixel_range: int
    tile: int
    halo: int
    variants: tuple[str, ...]
    routing: Routing | None
    colour: str
    calibration: Calibration
    layers: tuple[LayerRecord, ...]
    evidence: Mapping[str, Any] | None
    exact_halo: int | None = None
    sizes: SizeRange | None = None

    def to_json(self) -> str:
        """The entry as compact JSON.

        Raises:
            ValueError: a field breaks the rules; the message names it.
        """
        fields = asdict(self)
        if self.sizes is None:  # so that programs of one size are as before there were others
            del fields["sizes"]
        written = json.dumps(fields, separators=(",", ":"), allow_nan=False)
        _parse(json.loads(written))
        return written

    @classmethod
    def from_json(cls, content: bytes | str, source: str = "the program") -> Self:
        """Read and check an entry; `source` names its file in messages.

        Raises:
            UserError: not JSON, an unknown major version, or a field that breaks the rules.
        """
        try:
            entry = content.decode() if isinstance(content, bytes) else content  # UTF-8 and nothing else
            parsed: Self = _parse(json.loads(entry, parse_constant=_refuse_constant))
        except FieldError as error:
            raise UserError(f"{source}: metadata field {error}; convert the network again") from error
        except (ValueError, RecursionError) as error:
            raise UserError(f"{source}: its metadata is not JSON ({error}); convert it again") from error
        return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_RANGE = optional(interval)
_BITS = integer(1, 32)
_SIDE = integer(1, 4096)

_RULES: Mapping[str, Check] = {
    "schema": text(r"1\.[0-9]+"),
    "edgesr": text(),
    "network": text(),
    "scale": integer(1, 8),
    "pixel_range": choice(1, 255),
    "tile": _SIDE,
    "halo": integer(0, 2047),
    "exact_halo": optional(integer(0, 1_000_000)),
    "variants": choice(*VARIANT_LISTS),
    "routing": optional(
        record(
            Routing,
            {
                "low": finite,
                "high": finite,
                "skip": default(0.0, between(0, 1000)),
                "error": optional(between(0, 65025)),
            },
        )
    ),
    "colour": choice("rgb"),
    "calibration": record(
        Calibration,
        {
            "method": text(),
            "images": integer(0, 10**6),
            "fingerprint": text(r"[0-9a-f]{64}"),
            "seed": integer(0, 2**63 - 1),
        },
    ),
    "layers": items(
        record(
            LayerRecord,
            {
                "name": text(),
                "kind": text(),
                "weight_bits": optional(_BITS),
                "activation_bits": _BITS,
                "container": choice("int8", "int8-dynamic", "f32"),
                "input_range": _RANGE,
                "output_range": _RANGE,
                "sensitivity": optional(finite),
                "variant": optional(choice(DEFAULT_VARIANT, *ROUTED_VARIANTS)),
            },
        )
    ),
    "evidence": optional(mapping),
    "sizes": optional(record(SizeRange, {"min": _SIDE, "max": _SIDE})),
}


def _parse(data: object) -> Any:
    if not isinstance(data, dict):
        raise FieldError("", "the whole entry must be an object")
    _refuse_unknown_major(data.get("schema"))
    info: ProgramInfo = record(ProgramInfo, _RULES)(data, "")
    # What JSON Schema cannot say: rules between fields.
    if 2 * info.halo >= info.tile:
        raise FieldError("halo", f"must be below half of tile ({info.tile}), got {info.halo}")
    if info.routing is not None and info.routing.low > info.routing.high:
        raise FieldError("routing.low", f"must not be above routing.high ({info.routing.high})")
    if info.routing is not None and info.routing.skip > max(info.routing.low, 0):
        raise FieldError("routing.skip", f"must not be above routing.low ({info.routing.low})")
    if info.sizes is not None and info.tile not in info.sizes:
        raise FieldError("sizes", f"must hold the tile ({info.tile}), got {info.sizes}")
    return info


def _refuse_unknown_major(version: object) -> None:
    """Said first and plainly, for the fields of another major version may mean anything."""
    if isinstance(version, str) and version.split(".")[0] != SCHEMA.split(".")[0]:
        known = SCHEMA.split(".")[0]
        raise FieldError("schema", f"is version {version!r}, but this edgesr-runtime reads only {known}.x")
