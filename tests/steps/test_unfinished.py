"""What an interrupted conversion leaves behind, and what the next one makes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgesr.evaluation.judge import Foreseen
from edgesr.quantization.plan import Plan
from edgesr.steps.unfinished import Unfinished

PLAN = Plan({"a": (0.0, 1.0)}, {"a": (0.5,)})
OTHER = PLAN.with_containers({"a": "f32"})
DROP = Foreseen(0.1, 0.30000000000000004)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path))
    return tmp_path


def never(*_: object) -> Plan | Foreseen:
    raise AssertionError("made again")


def worked() -> Unfinished:
    memory = Unfinished(b"network", b"pictures")
    memory.plan(lambda: PLAN)
    memory.foreseen(OTHER, lambda _: DROP)
    return memory


def test_the_same_conversion_goes_on() -> None:
    worked()
    again = Unfinished(b"network", b"pictures")
    assert again.plan(never) == PLAN and again.foreseen(OTHER, never) == DROP  # type: ignore[arg-type]


def test_another_plan_is_measured() -> None:
    assert worked().foreseen(PLAN, lambda _: Foreseen(1.0, 2.0)) == Foreseen(1.0, 2.0)


@pytest.mark.parametrize("identity", [(b"network", b"others"), (b"networkp", b"ictures"), (b"network",)])
def test_another_conversion_starts_anew(identity: tuple[bytes, ...]) -> None:
    worked()
    made = replace(PLAN, apart=("b",))
    assert Unfinished(*identity).plan(lambda: made) == made


def test_another_edgesr_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    worked()
    monkeypatch.setattr("edgesr.steps.unfinished._own_sources", lambda: b"changed")
    assert Unfinished(b"network", b"pictures").plan(lambda: OTHER) == OTHER


def test_nothing_is_left_in_the_end(cache: Path) -> None:
    worked().finish()
    assert not [path for path in cache.rglob("*") if path.is_file()]
    assert Unfinished(b"network", b"pictures").plan(lambda: OTHER) == OTHER


@pytest.mark.parametrize("spoil", [lambda p: p.write_text("{"), lambda p: p.write_text("[1]"), Path.unlink])
def test_damaged_memory_is_made_again(cache: Path, spoil: Callable[[Path], object]) -> None:
    worked()
    for path in cache.rglob("*.json"):
        spoil(path)
    again = Unfinished(b"network", b"pictures")
    assert again.plan(lambda: OTHER) == OTHER and again.foreseen(OTHER, lambda _: DROP) == DROP


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path / "file"))
    worked().finish()
