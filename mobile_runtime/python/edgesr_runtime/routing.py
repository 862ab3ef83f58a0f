"""Where a tile is sent: to the cheap variant, or to none, where there is little to see."""

from collections.abc import Callable

from edgesr_runtime.complexity import complexity
from edgesr_runtime.metadata import ROUTED_VARIANTS, ProgramInfo, Routing
from edgesr_runtime.pictures import RgbPicture

SKIP = "skip"
"""The route of a tile that no network sees: it is enlarged by `bicubic.enlarge`."""

Choice = Callable[[RgbPicture], str]
"""uint8 (tile, tile, 3) -> name of a variant, or `SKIP`."""


def fixed(info: ProgramInfo, route: str) -> Choice:
    """The same variant, or `SKIP`, for every tile.

    Raises:
        ValueError: the program has no such variant.
    """
    if route not in (SKIP, *info.variants):
        raise ValueError(f"no variant {route!r}; the program has {', '.join(info.variants)}")
    return lambda tile: route


def routed(info: ProgramInfo, routing: Routing | None = None) -> Choice:
    """By complexity, where there are thresholds; else the best variant for every tile.

    `routing` takes the place of the program's own thresholds.
    """
    thresholds = routing or info.routing
    if thresholds is None:
        return fixed(info, info.variants[-1])
    choose = by_complexity(info.variants, thresholds)
    return lambda tile: choose(complexity(tile))


def by_complexity(variants: tuple[str, ...], routing: Routing) -> Callable[[float], str]:
    """Complexity of a tile -> its route.

    Below `routing.skip` a tile is skipped; below `low` it asks for the variant `low`, above `high` for
    `high`, else for `mid`; what the program lacks is replaced by the next better variant that it has, or by
    its best one.
    """
    low, mid, high = served(variants)

    def choose(detail: float) -> str:
        if detail < routing.skip:
            return SKIP
        return low if detail < routing.low else high if detail > routing.high else mid

    return choose


def served(variants: tuple[str, ...]) -> tuple[str, str, str]:
    """The variants that serve tiles which ask for low, mid and high."""
    low, mid, high = (_present(variants, rank) for rank in range(len(ROUTED_VARIANTS)))
    return low, mid, high


def _present(variants: tuple[str, ...], rank: int) -> str:
    better = (name for name in ROUTED_VARIANTS[rank:] if name in variants)
    return next(better, variants[-1])
