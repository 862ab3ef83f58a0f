"""The cost table: what it distinguishes, what it keeps, and that its sum stands for a program."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typed_programs import random_conv

from edgesr.devices import costs
from edgesr.devices.costs import CostTable
from edgesr.graph import ops
from edgesr.quantization.affine import QParams
from edgesr.quantization.typed import Dequantize, Quantize, TypedGraph, TypedNode

GRID = QParams(0.02, 0)
SIDE = 16


def chain(count: int) -> TypedGraph:
    """Equal convolutions of 8 channels after one of 3."""
    draw = np.random.default_rng(0)
    first, other = (random_conv(draw, n, 8, padding=ops.Padding(1, 1, 1, 1)) for n in (3, 8))
    nodes = [TypedNode("image", ops.Input(3)), TypedNode("q", Quantize(), ("image",), GRID)]
    nodes.append(TypedNode("c0", first, ("q",), GRID))
    nodes += [TypedNode(f"c{i}", other, (f"c{i - 1}",), GRID) for i in range(1, count)]
    nodes.append(TypedNode("sr", Dequantize(), (nodes[-1].name,)))
    return TypedGraph(tuple(nodes), "sr")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the nodes that are measured; each takes 2 ms."""
    names: list[str] = []

    def pretend(node: TypedNode, *_: object) -> float:
        names.append(node.name)
        return 2.0

    monkeypatch.setattr(costs, "measure_op", pretend)
    return names


def test_equal_ops_are_measured_once(tmp_path: Path, measured: list[str]) -> None:
    table = CostTable(tmp_path / "costs.json")
    assert table.milliseconds(chain(4), SIDE) == 2.0 * 6  # quantize, four convolutions, dequantize
    assert measured == ["q", "c0", "c1", "sr"]
    table.milliseconds(chain(9), SIDE)
    assert len(measured) == 4


@pytest.mark.parametrize(
    "change",
    [{"groups": 8}, {"relu": True}, {"dilation": (2, 2), "padding": ops.Padding(2, 2, 2, 2)}],
)
def test_other_geometry_is_another_op(tmp_path: Path, measured: list[str], change: dict[str, object]) -> None:
    table, graph = CostTable(tmp_path / "costs.json"), chain(2)
    table.milliseconds(graph, SIDE)
    op = graph["c1"].op
    if "groups" in change:
        op = replace(op, weight=op.weight[:, :1])  # type: ignore[attr-defined, type-var]
    changed = [replace(n, op=replace(op, **change)) if n.name == "c1" else n for n in graph]  # type: ignore[type-var]
    table.milliseconds(TypedGraph(tuple(changed), "sr"), SIDE)
    assert measured == ["q", "c0", "c1", "sr", "c1"]


def test_another_tile_is_measured_anew(tmp_path: Path, measured: list[str]) -> None:
    table = CostTable(tmp_path / "costs.json")
    for side in (SIDE, 2 * SIDE):
        table.milliseconds(chain(2), side)
    assert len(measured) == 8


def test_what_was_measured_is_kept(tmp_path: Path, measured: list[str]) -> None:
    path = tmp_path / "new" / "costs.json"
    first = CostTable(path)
    value = first.milliseconds(chain(3), SIDE)
    first.save()
    assert CostTable(path).milliseconds(chain(3), SIDE) == value and len(measured) == 4


def _other_machine(text: str) -> str:
    return json.dumps({**json.loads(text), "processor": "another"})


def _absurd(text: str) -> str:
    data = json.loads(text)
    return json.dumps({**data, "milliseconds": dict.fromkeys(data["milliseconds"], -1.0)})


@pytest.mark.parametrize("spoil", [_other_machine, _absurd, lambda _: "{", lambda _: "[]", lambda _: "\0"])
def test_tables_that_do_not_count_are_begun_anew(
    tmp_path: Path, measured: list[str], spoil: Callable[[str], str]
) -> None:
    path = tmp_path / "costs.json"
    first = CostTable(path)
    first.milliseconds(chain(3), SIDE)
    first.save()
    path.write_text(spoil(path.read_text()))
    assert CostTable(path).milliseconds(chain(3), SIDE) == 10.0 and len(measured) == 8


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, measured: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    table = CostTable(tmp_path / "file" / "costs.json")
    assert table.milliseconds(chain(1), SIDE) == 6.0
    table.save()


def test_real_ops_take_time(tmp_path: Path) -> None:
    """Nothing about how long, but more of the same takes more."""
    table = CostTable(tmp_path / "costs.json")
    assert 0 < table.milliseconds(chain(2), SIDE) < table.milliseconds(chain(8), SIDE)
