"""Which variant of a program a tile is sent to: the cheap one where there is little to see."""

from collections.abc import Callable

from edgesr_runtime.complexity import complexity
from edgesr_runtime.metadata import ROUTED_VARIANTS, ProgramInfo
from edgesr_runtime.pictures import RgbPicture

Choice = Callable[[RgbPicture], str]
"""uint8 (tile, tile, 3) -> name of a variant."""


def fixed(info: ProgramInfo, variant: str) -> Choice:
    """The same variant for every tile.

    Raises:
        ValueError: the program has no such variant.
    """
    if variant not in info.variants:
        raise ValueError(f"no variant {variant!r}; the program has {', '.join(info.variants)}")
    return lambda tile: variant


def routed(info: ProgramInfo) -> Choice:
    """By complexity, where the program has thresholds; else its best variant for every tile.

    Below `routing.low` a tile asks for `low`, above `routing.high` for `high`, else for `mid`; what the
    program lacks is replaced by the next better variant that it has, or by its best one.
    """
    routing = info.routing
    if routing is None:
        return fixed(info, info.variants[-1])
    low, mid, high = (_present(info.variants, rank) for rank in range(len(ROUTED_VARIANTS)))

    def choose(tile: RgbPicture) -> str:
        detail = complexity(tile)
        return low if detail < routing.low else high if detail > routing.high else mid

    return choose


def _present(variants: tuple[str, ...], rank: int) -> str:
    better = (name for name in ROUTED_VARIANTS[rank:] if name in variants)
    return next(better, variants[-1])
