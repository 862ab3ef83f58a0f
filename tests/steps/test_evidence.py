"""The gate's three rules, and figures that JSON can hold."""

from dataclasses import replace
from math import inf, nan

import pytest

from edgesr.devices.host import Agreement, Comparison, Delegated, Delegation
from edgesr.evaluation.judge import Score, Verdict
from edgesr.quantization.search import Budgets
from edgesr.steps.evidence import Evidence, gate, rounded


@pytest.fixture
def evidence() -> Evidence:
    score = Score("a.png", 30.0, 29.95, 30.0, 50.0, 3.0, (0.1, 0.0, -0.1), 0.9, 0.89)
    return Evidence(
        Verdict((score,)),
        Comparison({"serving_default": Agreement(0, 1000, 1, inf)}),
        Delegation({"serving_default": Delegated(10, ())}),
        1.0,
    )


def with_agreement(evidence: Evidence, mismatches: int, psnr: float) -> Evidence:
    return replace(evidence, comparison=Comparison({"a": Agreement(mismatches, 1000, 1, psnr)}))


def test_passes(evidence: Evidence) -> None:
    held = gate(evidence, Budgets(0.10))
    assert held.passed
    assert held.record() == {
        "max_drop": 0.10, "max_bytes": None, "max_ms": None, "passed": True, "failures": [],
    }  # fmt: skip


def test_fails_for_each_reason(evidence: Evidence) -> None:
    assert "loses 0.050 dB" in gate(evidence, Budgets(0.02)).failures[0]
    assert "7 values differ" in gate(with_agreement(evidence, 7, inf), Budgets(0.1)).failures[0]
    assert "59.0 dB to the reference" in gate(with_agreement(evidence, 0, 59.0), Budgets(0.1)).failures[0]
    assert "1001 bytes" in gate(evidence, Budgets(0.1, max_bytes=1000), size=1001).failures[0]
    assert "2.5 ms" in gate(evidence, Budgets(0.1, max_ms=2), milliseconds=2.5).failures[0]
    assert len(gate(with_agreement(evidence, 7, 59.0), Budgets(0.02)).failures) == 3


def test_a_drop_that_is_no_number_fails(evidence: Evidence) -> None:
    broken = replace(evidence, verdict=Verdict((replace(evidence.verdict.scores[0], psnr_program=nan),)))
    assert not gate(broken, Budgets(0.1)).passed


def test_json_has_no_infinities(evidence: Evidence) -> None:
    record = evidence.record()
    assert record["psnr_to_reference"] is None
    assert record["drop_db"] == 0.05
    assert record["worst_image"] == "a.png"
    assert rounded(-0.00001) == 0
    assert str(rounded(-0.00001)) == "0.0"
