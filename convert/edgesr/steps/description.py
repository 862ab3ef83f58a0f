"""What a program says about itself: its metadata, and one record for each convolution."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgesr_runtime import ProgramInfo
from edgesr_runtime.metadata import SCHEMA, Calibration, LayerRecord

from ..graph.graph import Node
from ..graph.ops import Conv2d
from ..graph.shapes import shapes
from ..networks.architecture import Network
from ..quantization.containers import WEIGHT_BITS, container_of
from ..quantization.plan import Plan
from ..quantization.typed import AnyConv, TypedGraph
from .ladder import Rung

FLOAT_BITS = 32
_FORMS = {"f32": "f32", "w8a8-dynamic": "int8-dynamic"}


def describe(
    network: Network, rungs: Mapping[str, Rung], tile: int, halo: int, pixel_range: int
) -> ProgramInfo:
    """The metadata of a program, its evidence and its routing still missing.

    Args:
        rungs: variant -> what it is, cheapest first; the best one's calibration is told.
    """
    source = list(rungs.values())[-1].plan.provenance
    return ProgramInfo(
        schema=SCHEMA,
        edgesr=version("edgesr"),
        network=network.name,
        scale=network.scale,
        pixel_range=pixel_range,
        tile=tile,
        halo=halo,
        variants=tuple(rungs),
        routing=None,
        colour="rgb",
        calibration=Calibration(source.method, source.images, source.fingerprint, source.seed),
        layers=tuple(record for name, rung in rungs.items() for record in layer_records(rung, name)),
        evidence=None,
    )


def layer_records(rung: Rung, variant: str) -> tuple[LayerRecord, ...]:
    """One record for each convolution, in the order of execution."""
    return tuple(_record(node, rung.plan, variant) for node in rung.graph.convs)


def _record(node: Node, plan: Plan, variant: str) -> LayerRecord:
    container = container_of(node, plan)
    is_float = container == "f32"
    return LayerRecord(
        name=node.name,
        kind=node.op.kind,
        weight_bits=FLOAT_BITS if is_float else WEIGHT_BITS[container],
        activation_bits=FLOAT_BITS if is_float else 8,
        container=_FORMS.get(container, "int8"),
        input_range=plan.ranges.get(node.inputs[0]),
        output_range=plan.ranges.get(node.name),
        sensitivity=plan.sensitivity.get(node.name),
        variant=variant,
    )


def identity(path: Path, size: int, info: ProgramInfo, target: str) -> dict[str, Any]:
    """What every JSON about a program begins with; `size` is the file's in bytes."""
    return {
        "program": str(path),
        "target": target,
        "bytes": size,
        "network": info.network,
        "scale": info.scale,
        "pixel_range": info.pixel_range,
        "tile": info.tile,
        "halo": info.halo,
    }


def layers_json(info: ProgramInfo) -> list[dict[str, Any]]:
    return [asdict(layer) for layer in info.layers]


def int8_mac_share(typed: TypedGraph, tile: int) -> float:
    """Share of the multiplications of all convolutions that are int8 by int8."""
    sizes = shapes(typed, tile, tile)
    macs = {True: 0, False: 0}
    for node in typed:
        if isinstance(node.op, AnyConv):
            _, height, width = sizes[node.name]
            macs[not isinstance(node.op, Conv2d)] += node.op.weight.size * height * width
    return macs[True] / max(1, sum(macs.values()))
