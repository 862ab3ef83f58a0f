"""Writes the golden vectors: what every runtime, in whatever language, must compute to the bit.

    python mobile_runtime/vectors/make.py [FOLDER]

The Python runtime computes them; README.md beside this file tells their layout.
"""

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr_runtime.bicubic import enlarge, weights
from edgesr_runtime.budget import within
from edgesr_runtime.complexity import complexity
from edgesr_runtime.metadata import ROUTED_VARIANTS, VARIANT_LISTS, Routing
from edgesr_runtime.pixels import from_16_bits, to_pixels, to_program_range
from edgesr_runtime.recalibration import thresholds
from edgesr_runtime.routing import by_complexity
from edgesr_runtime.tiles import mirrored, plan_tiles

Record = dict[str, Any]

LENGTHS = (1, 2, 15, 16, 17, 28, 29, 37, 64, 100, 129)
SIDES = ((16, 0), (16, 2), (16, 7), (13, 3), (1, 0))  # tile, halo
PLANS = ((37, 50, 16, 2), (16, 37, 16, 2), (5, 90, 32, 6), (1, 1, 8, 0), (1080, 1920, 256, 10))


def tiles() -> Record:
    return {
        "axes": [_axis(length, tile, halo) for length in LENGTHS for tile, halo in SIDES],
        "plans": [_plan(*sizes) for sizes in PLANS],
    }


def _axis(length: int, tile: int, halo: int) -> Record:
    spans = plan_tiles(1, length, tile, halo).tiles
    return {
        "length": length, "tile": tile, "halo": halo,
        "start": [span.x for span in spans], "seam": [span.left for span in spans] + [length],
    }  # fmt: skip


def _plan(height: int, width: int, tile: int, halo: int) -> Record:
    plan = plan_tiles(height, width, tile, halo)
    boxes = [[t.y, t.x, t.top, t.left, t.bottom, t.right] for t in plan.tiles]
    return {
        "height": height, "width": width, "tile": tile, "halo": halo, "waste": plan.waste, "tiles": boxes,
    }  # fmt: skip


def mirror() -> Record:
    cases = [(length, start) for length in (1, 2, 3, 7, 16) for start in (0, -5)]
    return {
        "cases": [
            {"length": length, "start": start, "index": mirrored(start, 24, length).tolist()}
            for length, start in cases
        ]
    }


def detail() -> Record:
    return {
        "cases": [
            {**_picture(square), "complexity": complexity(square)}
            for square in _squares(((1, 1), (1, 6), (6, 1), (2, 2), (3, 5), (16, 16), (31, 17)), 3)
        ]
    }


def bicubic() -> Record:
    cases = [
        {**_picture(square), "scale": scale, "enlarged": _text(enlarge(square, scale))}
        for channels, sizes in ((3, ((1, 1), (2, 3), (7, 5))), (1, ((1, 4), (6, 6))))
        for square in _squares(sizes, channels)
        for scale in (1, 2, 3, 4, 8)
    ]
    phases = [
        {"scale": scale, "place": place, "offset": offset, "weights": list(factors)}
        for scale in range(1, 9)
        for place, (offset, factors) in enumerate(weights(scale))
    ]
    return {"weights": phases, "cases": cases}


def _squares(sizes: tuple[tuple[int, int], ...], channels: int) -> Iterator[NDArray[np.uint8]]:
    """Of each size: soft, noisy, and of nothing but black and white."""
    random = np.random.default_rng(0)
    for height, width in sizes:
        noise = random.integers(0, 256, (height, width, channels), dtype=np.uint8)
        yield 120 + noise // 16
        yield noise
        yield np.where(noise > 127, 255, 0).astype(np.uint8)


def _picture(pixels: NDArray[np.uint8]) -> Record:
    height, width, channels = pixels.shape
    return {"height": height, "width": width, "channels": channels, "pixels": _text(pixels)}


def _text(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


def pixels() -> Record:
    levels = np.arange(256, dtype=np.float32)
    ranges = []
    for white in (1, 255):
        inside = levels.copy()
        to_program_range(inside, white)
        asked = _answers(white)
        given = asked.copy()
        to_pixels(given, white)
        ranges.append({
            "pixel_range": white, "input_bits": inside.view(np.uint32).tolist(),
            "answer_bits": asked.view(np.uint32).tolist(), "pixels": given.astype(int).tolist(),
        })  # fmt: skip
    deep = np.unique(
        np.concatenate((np.arange(0, 65536, 211), [128, 129, 257, 32767, 32768, 65406, 65407, 65535]))
    )
    return {"ranges": ranges, "depth_16": deep.tolist(), "depth_8": from_16_bits(deep).tolist()}


def _answers(white: int) -> NDArray[np.float32]:
    """What an engine may answer: all levels, halves and their neighbours, and what is no level at all."""
    unit = np.float32(white) / np.float32(255)
    halves = (np.arange(-2, 260, dtype=np.float32) + np.float32(0.5)) * unit
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1e30], np.float32)
    levels = np.arange(256, dtype=np.float32) * unit
    beside = [np.nextafter(halves, np.float32(side)) for side in (-np.inf, np.inf)]
    return np.concatenate((levels, halves, *beside, odd, -np.array([np.nan], np.float32))).astype(np.float32)


def routing() -> Record:
    return {"choice": _choices(), "time": list(_times()), "thresholds": list(_thresholds())}


def _choices() -> list[Record]:
    details = [0.0, 0.5, 1.0, 3.5, 3.5000000000000004, 8.0, 12.0, 12.000000000000002, 500.0]
    cases = [Routing(3.5, 12.0), Routing(3.5, 12.0, 1.0), Routing(3.5, 3.5, 3.5), Routing(0.0, 1000.0)]
    return [
        {
            "variants": list(variants), "low": case.low, "high": case.high, "skip": case.skip,
            "complexity": details, "routes": [by_complexity(variants, case)(detail) for detail in details],
        }
        for variants in VARIANT_LISTS
        for case in cases
    ]  # fmt: skip


def _times() -> Iterator[Record]:
    random = np.random.default_rng(1)
    for variants in (ROUTED_VARIANTS, ("low", "high"), ("serving_default",)):
        costs = dict(zip(variants, (700, 1100, 2500), strict=False))
        details = (random.integers(0, 40, 30) / 2).tolist()  # with equal ones among them
        routes = [by_complexity(variants, Routing(5.0, 12.0, 1.0))(detail) for detail in details]
        for limit in (0, 699, 9_000, 21_000, 30_000, 40_000, 1_000_000):
            yield {
                "variants": list(variants), "costs": list(costs.values()), "complexity": details,
                "routes": routes, "time": limit, "routes_within": within(limit, costs, details, routes),
            }  # fmt: skip


def _thresholds() -> Iterator[Record]:
    random = np.random.default_rng(2)
    for variants in (ROUTED_VARIANTS, ("low", "high"), ("mid", "high"), ("serving_default",)):
        costs = dict(zip(variants, (700, 1100, 2500), strict=False))
        details = random.integers(0, 60, 40) / 4
        worst = 3 * (16 * 2) ** 2
        errors = {
            name: (worst * details * random.random(40) * weight).astype(np.int64)
            for name, weight in zip(variants, (0.2, 0.05), strict=False)
        } | {variants[-1]: np.zeros(40, np.int64)}
        table = {name: errors[name] for name in variants}
        for skip in (0.0, 2.5):
            for error in (0.0, 0.01, 0.1, 0.5, 5.0):
                found = thresholds(Routing(skip, 9.0, skip, error), 32, costs, details, table)
                yield {
                    "tile": 16, "scale": 2, "variants": list(variants), "costs": list(costs.values()),
                    "skip": skip, "error": error, "complexity": details.tolist(),
                    "errors": [values.tolist() for values in table.values()],
                    "low": found and found.low, "high": found and found.high,
                }  # fmt: skip


FILES: Mapping[str, Callable[[], Record]] = {
    "tiles.json": tiles,
    "mirror.json": mirror,
    "complexity.json": detail,
    "bicubic.json": bicubic,
    "pixels.json": pixels,
    "routing.json": routing,
}


def contents(name: str) -> str:
    """What the file of that name holds."""
    return json.dumps(FILES[name](), indent=None, separators=(",", ":"), allow_nan=False) + "\n"


def main(folder: Path = Path(__file__).parent) -> None:
    for name in FILES:
        (folder / name).write_text(contents(name))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
