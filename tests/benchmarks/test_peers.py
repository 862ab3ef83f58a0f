"""The peers' table says what was measured, and every engine is fed and read in its own layout."""

from dataclasses import replace

import numpy as np
import pytest
from peers.peer import NCHW, NHWC, PeerEngine
from peers.results import BEGIN, END, Results, Row, figures, into_page, table
from peers.worker import ending, reason

FLOAT = Row("edgesr, LiteRT", "float32", 5.0, 1000, 900, 0.0, 0.01, 40.0, 0.1, 40.0)
INT8 = Row("edgesr, LiteRT", "w8a8", 6.0, 300, 200, 0.0834, 0.222, 10.0, 0.1, 10.0, memory=1234.5)
PEER_FLOAT = Row("Other", "float32", 1.0, 2000, 1800, 0.0, 0.01, 20.0, 0.1, 20.0)
PEER = Row("Other", "int8", 2.0, 500, 400, 0.5, 1.0, 15.0, 0.1, 15.0)
BROKEN = Row("Other", "int4", failure="failed: it says no")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_times_are_relative_to_litert_and_to_the_tools_own_float() -> None:
    lines = table([FLOAT, INT8, PEER_FLOAT, PEER]).splitlines()
    assert cells(lines[3]) == [
        "edgesr, LiteRT", "w8a8", "0.083 / 0.222", "0.25", "0.25", "10.00", "300", "200", "6", "1,234",
    ]  # fmt: skip
    assert cells(lines[5])[3:5] == ["0.38", "0.75"]


def test_what_failed_says_why_and_has_no_figures() -> None:
    assert cells(table([FLOAT, BROKEN]).splitlines()[-1]) == [
        "Other", "int4", "failed: it says no", "", "", "", "", "", "", "",
    ]  # fmt: skip


def test_a_row_takes_the_median_and_the_middle_half_of_its_times() -> None:
    processor = [10.0, 10.0, 10.0, 11.0, 12.0, 90.0, 9.0]
    row = Row("Other", "int8").timed([(time, 2 * time) for time in processor])
    assert (row.milliseconds, row.wall) == (10.0, 20.0)
    assert row.spread == pytest.approx(0.2)


def test_the_page_says_how_calm_the_machine_was() -> None:
    rows = tuple(replace(FLOAT, milliseconds=ms, wall=ms * 1.5, spread=0.1) for ms in (10.0, 20.0, 30.0))
    text = figures(Results({"Machine": "one"}, {"net x4": rows}))
    assert "50 % more" in text
    assert "over 10 %" in text


def test_results_are_read_back_as_they_were_saved(tmp_path_factory: pytest.TempPathFactory) -> None:
    results = Results({"Machine": "one"}, {"net x4": (FLOAT, INT8, BROKEN)})
    path = tmp_path_factory.mktemp("peers") / "results.json"
    results.save(path)
    assert Results.read(path) == results


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = into_page(page, figures(Results({"Machine": "one"}, {"net x4": (FLOAT,)})))
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once
    assert "### net x4" in once
    assert into_page(once, "new") == into_page(page, "new")
    with pytest.raises(ValueError, match="figures"):
        into_page(f"{END} {BEGIN}", "new")


@pytest.mark.parametrize("layout", [NCHW, NHWC])
def test_an_engine_gives_channels_last_whatever_its_layout(layout: str) -> None:
    seen: list[tuple[int, ...]] = []

    def doubled(tile: np.ndarray) -> np.ndarray:
        seen.append(tile.shape)
        axes = (2, 3) if layout == NCHW else (1, 2)
        return tile.repeat(2, axes[0]).repeat(2, axes[1])

    engine = PeerEngine(doubled, layout, 4)
    batch = np.arange(48, dtype=np.float32).reshape(engine.input_shape("serving_default"))
    np.testing.assert_array_equal(engine.run("serving_default", batch), batch.repeat(2, 1).repeat(2, 2))
    assert seen == [(1, 3, 4, 4) if layout == NCHW else (1, 4, 4, 3)]


def test_reasons_fit_a_line_of_a_table() -> None:
    assert reason(ValueError("\n no | such op\nmore")) == "ValueError: no / such op"
    assert reason(KeyError()) == "KeyError"
    assert len(reason(ValueError("x" * 1000))) < 130
    assert ending(-11) == "SIGSEGV"
    assert ending(3) == "exit code 3"
