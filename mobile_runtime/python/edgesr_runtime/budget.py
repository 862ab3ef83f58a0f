"""Routing within a time: tiles step down to cheaper variants, the plainest first, until their sum fits."""

import time
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from edgesr_runtime.program import Program
from edgesr_runtime.routing import SKIP

_RUNS = 3


def microseconds(program: Program) -> dict[str, int]:
    """What each variant takes for a tile on this machine: a run to warm up, then the median of three."""
    batch = np.zeros((1, program.info.tile, program.info.tile, 3), np.float32)
    return {name: _measure(program, name, batch) for name in program.info.variants}


def _measure(program: Program, variant: str, batch: np.ndarray) -> int:
    program.engine.run(variant, batch)
    spent = []
    for _ in range(_RUNS):
        start = time.perf_counter_ns()
        program.engine.run(variant, batch)
        spent.append((time.perf_counter_ns() - start) // 1000)
    return int(median(spent))


def within(
    limit: int, costs: Mapping[str, int], complexities: Sequence[float], routes: Sequence[str]
) -> list[str]:
    """The routes of all tiles, changed so that they take no more than `limit` microseconds together.

    From the best variant down, its tiles step down by one rung (the last one: to `SKIP`), by rising
    complexity and among equals in their order, one at a time, until the sum fits.

    Args:
        limit: microseconds; 0 skips whatever costs anything.
        costs: variant -> microseconds of a tile, cheapest variant first.
        complexities: of each tile.
        routes: of each tile, as they would be without a limit.
    """
    ladder = [SKIP, *costs]
    price = {SKIP: 0, **costs}
    chosen = list(routes)
    total = sum(price[route] for route in chosen)
    by_detail = sorted(range(len(chosen)), key=lambda index: complexities[index])
    for rung in range(len(ladder) - 1, 0, -1):
        for index in by_detail:
            if total <= limit:
                return chosen
            if chosen[index] == ladder[rung]:
                chosen[index] = ladder[rung - 1]
                total += price[ladder[rung - 1]] - price[ladder[rung]]
    return chosen
