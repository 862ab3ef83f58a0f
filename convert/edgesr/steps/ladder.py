"""The variants of a program: each a graph with its plan, cheapest first, and what decides between them.

A program without variants is a ladder of one rung. A rung computes the network itself, or a smaller one
that ships with edgesr. What was decided about a ladder is, as JSON, what `--plan` writes and `--bits` reads:
for one rung its plan alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from edgesr_runtime.metadata import DEFAULT_VARIANT, VARIANT_LISTS, Routing

from ..errors import UserError
from ..graph.graph import Graph
from ..quantization import plan as plans
from ..quantization.plan import Plan


@dataclass(frozen=True)
class Decision:
    """What a rung is made of: its plan, and the name of the network that stands in for the user's, if any."""

    plan: Plan
    network: str = ""


@dataclass(frozen=True)
class Decisions:
    """All that has been decided about a program's variants, as data.

    Attributes:
        variants: name -> decision, cheapest first.
        routing: thresholds; None where nothing is routed.
    """

    variants: Mapping[str, Decision]
    routing: Routing | None = None

    @staticmethod
    def single(plan: Plan) -> "Decisions":
        """A program without variants."""
        return Decisions({DEFAULT_VARIANT: Decision(plan)})

    @property
    def best(self) -> Plan:
        """The plan of the best variant."""
        return list(self.variants.values())[-1].plan

    def to_json(self) -> str:
        if tuple(self.variants) == (DEFAULT_VARIANT,):
            return self.best.to_json()
        data = {
            "schema": plans.SCHEMA,
            "routing": None if self.routing is None else asdict(self.routing),
            "variants": {
                name: {"network": d.network, "plan": d.plan.record()} for name, d in self.variants.items()
            },
        }
        return json.dumps(data, indent=1) + "\n"


@dataclass(frozen=True)
class Rung:
    """One variant ready to lower."""

    graph: Graph
    plan: Plan


def read_decisions(path: Path) -> Decisions:
    """Reads what `--plan` wrote.

    Raises:
        UserError: the file cannot be read, or does not hold that.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text ({error}): give a plan file") from error
    data = plans.parse(text, str(path))
    if not (isinstance(data, dict) and "variants" in data):
        return Decisions.single(plans.from_record(data, str(path)))
    try:
        return _decisions(data, str(path))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is not a plan: {error}. Give a file written by `edgesr convert --plan`."
        ) from error


def _decisions(data: dict[str, Any], where: str) -> Decisions:
    names = tuple(data["variants"])
    if names not in VARIANT_LISTS:
        raise ValueError(f"its variants are {', '.join(names) or 'none'}")
    routing = data["routing"]
    return Decisions(
        {
            name: Decision(
                plans.from_record(item["plan"], f"{where}, variant {name!r}"),
                str(item["network"]),
            )
            for name, item in data["variants"].items()
        },
        None if routing is None else _routing(routing),
    )


def _routing(value: Any) -> Routing:
    skip, low, high = (float(value[name]) for name in ("skip", "low", "high"))
    error = None if value["error"] is None else float(value["error"])
    if not (isfinite(high) and 0 <= skip <= max(low, 0) and low <= high and (error is None or error >= 0)):
        raise ValueError(f"its routing is {value}")
    return Routing(low, high, skip, error)
