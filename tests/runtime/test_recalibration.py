"""New thresholds are the best of all that keep to the error."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr_runtime import Program, UserError, recalibrate, upscale
from edgesr_runtime.engines import Floats
from edgesr_runtime.metadata import ROUTED_VARIANTS, Routing
from edgesr_runtime.recalibration import thresholds
from edgesr_runtime.routing import by_complexity

from .tiny_program import tiny_info

COSTS = {"low": 3, "mid": 5, "high": 9}
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


@st.composite
def tiles(draw: st.DrawFn) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    count = draw(st.integers(1, 7))
    column = st.lists(st.integers(0, 9), min_size=count, max_size=count)
    details = np.array(draw(column)) / 2
    return details, {
        "low": np.array(draw(column)) * 100,
        "mid": np.array(draw(column)) * 100,
        "high": np.zeros(count, np.int64),
    }


@given(tiles(), st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from([0.0, 10.0, 30.0, 1000.0]))
def test_equals_trying_all_pairs(
    measured: tuple[np.ndarray, dict[str, np.ndarray]], skip: float, error: float
) -> None:
    details, errors = measured
    candidates = sorted({skip, 1000.0, *(detail for detail in details.tolist() if detail >= skip)})
    fitting = []
    for low in candidates:
        for high in (candidate for candidate in candidates if candidate >= low):
            choose = by_complexity(ROUTED_VARIANTS, Routing(low, high, skip))
            routes = [choose(detail) for detail in details.tolist()]
            lost = sum(int(errors[r][i]) for i, r in enumerate(routes) if r != "skip")
            if lost <= error * 3 * 4 * len(details):
                fitting.append((sum(COSTS.get(r, 0) for r in routes), lost, low, high))
    found = thresholds(Routing(skip, skip, skip, error), 2, COSTS, details, errors)
    assert (found is None) == (not fitting)
    if found is not None:
        assert (found.low, found.high) == min(fitting)[2:]
        assert (found.skip, found.error) == (skip, error)


@dataclass
class Rough:
    """A program whose cheap variant is wrong by so many levels everywhere."""

    levels: float
    variants: tuple[str, ...] = ("low", "high")

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return (1, 16, 16, 3)

    def run(self, variant: str, batch: Floats) -> Floats:
        answer = (batch / 2).repeat(2, 1).repeat(2, 2)
        return answer + np.float32(self.levels) if variant == "low" else answer


def program(levels: float, routing: Routing | None) -> Program:
    return Program(tiny_info(variants=("low", "high"), routing=routing), Rough(levels))


def test_a_variant_that_errs_too_much_is_left_out() -> None:
    found = recalibrate(program(3, Routing(9.0, 9.0, 0.0, 8.9)), [PIXELS])
    assert found.low <= found.high < 9.0
    rough = program(3, found)
    exact = upscale(rough, PIXELS, "high")
    assert (upscale(rough, PIXELS, "low") != exact).any()
    np.testing.assert_array_equal(upscale(rough, PIXELS), exact)


def test_given_thresholds_take_the_place_of_the_programs() -> None:
    rough = program(3, None)
    low = upscale(rough, PIXELS, routing=Routing(1000.0, 1000.0))
    np.testing.assert_array_equal(low, upscale(rough, PIXELS, "low"))


@pytest.mark.parametrize(
    ("routing", "pictures", "reason"),
    [
        (None, [PIXELS], "no routing.error"),
        (Routing(1.0, 2.0), [PIXELS], "no routing.error"),
        (Routing(1.0, 2.0, 0.0, 1.0), [], "no pictures"),
    ],
)
def test_says_why_it_cannot(routing: Routing | None, pictures: list[np.ndarray], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        recalibrate(program(3, routing), pictures)


def test_no_thresholds_keep_to_an_error_of_nothing() -> None:
    """A flat tile asks at least for `mid`, which here is served by `mid`, and that errs."""
    flat = np.full((16, 16, 3), 90, np.uint8)
    info = tiny_info(variants=ROUTED_VARIANTS, routing=Routing(1.0, 2.0, 0.0, 0.0))

    class Erring(Rough):
        def run(self, variant: str, batch: Floats) -> Floats:
            return super().run("high" if variant == "high" else "low", batch)

    with pytest.raises(UserError, match="keep its own"):
        recalibrate(Program(info, Erring(3, ROUTED_VARIANTS)), [flat])
