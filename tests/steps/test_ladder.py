"""What a plan file says about variants, written and read."""

import json
from pathlib import Path
from typing import Any

import pytest

from edgesr.errors import UserError
from edgesr.quantization.plan import Plan
from edgesr.steps.ladder import Decision, Decisions, read_decisions
from edgesr_runtime.metadata import Routing

PLAN = Plan({"a": (0.0, 1.0)}, {"a": (0.5, 0.1)}, weight_levels={"a": b"\x01\xff"})
LADDER = Decisions(
    {"low": Decision(PLAN, "plain"), "high": Decision(PLAN.with_containers({"a": "f32"}))},
    Routing(1.5, 2.5, 0.5, 2.0),
)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    for decisions in (LADDER, Decisions.single(PLAN), Decisions(LADDER.variants)):
        assert read_decisions(written(tmp_path / "plan.json", decisions.to_json())) == decisions


def test_one_form_alone_is_a_plain_plan() -> None:
    assert Decisions.single(PLAN).to_json() == PLAN.to_json()
    assert LADDER.best == LADDER.variants["high"].plan


@pytest.mark.parametrize(
    "change",
    [
        {"variants": {}},
        {"variants": {"best": {}}},
        {"variants": {"low": {"network": ""}}},
        {"variants": {"low": 3}},
        {"variants": []},
        {"routing": [2, 1]},
        {"routing": {"skip": 0, "low": 0, "high": 10**400, "error": None}},
        {"routing": {"skip": 0, "low": 2, "high": 1, "error": None}},
        {"routing": {"skip": 2, "low": 1, "high": 3, "error": None}},
        {"routing": {"skip": 0, "low": "a", "high": 1, "error": None}},
        {"routing": {"low": 1, "high": 1}},
        {"routing": {"skip": 0, "low": 0, "high": float("nan"), "error": None}},
        {"routing": {"skip": 0, "low": 0, "high": 1, "error": -1}},
    ],
)
def test_a_spoilt_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(LADDER.to_json()), **change})
    with pytest.raises(UserError, match="is not a plan"):
        read_decisions(written(tmp_path / "plan.json", text))


def test_variants_in_another_order_are_refused(tmp_path: Path) -> None:
    data = json.loads(LADDER.to_json())
    data["variants"] = dict(reversed(data["variants"].items()))
    with pytest.raises(UserError, match="its variants are high, low"):
        read_decisions(written(tmp_path / "plan.json", json.dumps(data)))


def test_a_spoilt_plan_inside_names_its_variant(tmp_path: Path) -> None:
    data = json.loads(LADDER.to_json())
    del data["variants"]["low"]["plan"]["ranges"]
    with pytest.raises(UserError, match="variant 'low' is not a plan: 'ranges' is missing"):
        read_decisions(written(tmp_path / "plan.json", json.dumps(data)))
