"""Min-max calibration, the baseline: no value of the calibration tiles is clipped."""

from ...graph.graph import Graph
from ..containers import WEIGHT_BITS, containers
from ..plan import Plan, Provenance
from ..statistics import CalibrationTiles, collect, settle
from ..weights import max_scales


def minmax(graph: Graph, tiles: CalibrationTiles, body_bits: int) -> Plan:
    """Running minimum and maximum of every tensor; weight scales from the largest magnitude."""
    statistics = collect(graph, tiles)
    ranges = {n.name: (statistics.low[n.name].min(), statistics.high[n.name].max()) for n in graph}
    chosen = containers(graph, body_bits)
    scales = {
        n.name: tuple(max_scales(n.op.weight, WEIGHT_BITS[chosen[n.name]]).tolist()) for n in graph.convs
    }
    return Plan(
        ranges=settle(
            graph, {name: (float(a), float(b)) for name, (a, b) in ranges.items()}, tiles.pixel_range
        ),
        weight_scales=scales,
        containers=chosen,
        provenance=Provenance("minmax", len(tiles.pixels), tiles.fingerprint, tiles.seed),
    )
