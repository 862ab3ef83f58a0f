"""Setting devices up: whole or not at all, once, one at a time, and repaired by running it again."""

import errno
import fcntl
import platform
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgesr.devices import setups
from edgesr.devices.parts import PARTS, Files, Part
from edgesr.devices.setups import FINISHED, SETUPS, Setup, is_set_up, setup
from edgesr.errors import UserError

Make = Callable[[Files, Path, Path], None]


class Machine:
    """A setup `toy` of two parts, whose making can be made to fail."""

    def __init__(self, devices: Path) -> None:
        self.devices = devices
        self.made: list[str] = []
        self.fail: BaseException | None = None

    def part(self, name: str) -> Part:
        def make(files: Files, folder: Path, devices: Path) -> None:
            self.made.append(name)
            (folder / "half").write_text("half")
            if self.fail and name == "second":
                raise self.fail
            (folder / "key").write_text(name)

        return Part(name, lambda: (), make, "key")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    made = Machine(tmp_path / "devices")
    for name in ("first", "second"):
        monkeypatch.setitem(PARTS, name, made.part(name))
    monkeypatch.setitem(SETUPS, "toy", Setup("toy", ("first", "second"), "a toy"))
    return made


def test_a_setup_is_made_once(machine: Machine) -> None:
    assert not is_set_up("toy")
    assert setup("toy") == machine.devices / "second" == setup("toy")
    assert machine.made == ["first", "second"] and is_set_up("toy")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_was_cut_off_is_repaired_by_running_it_again(machine: Machine, end: BaseException) -> None:
    machine.fail = end
    with pytest.raises((KeyboardInterrupt, UserError), match=r"free some space|^$"):
        setup("toy")
    assert not is_set_up("toy")
    assert sorted(p.name for p in machine.devices.iterdir() if p.is_dir()) == ["downloads", "first"]
    machine.fail = None
    setup("toy")
    assert machine.made == ["first", "second", "second"]  # the first part was kept
    assert (machine.devices / "second" / "key").read_text() == "second"


def test_what_a_killed_process_left_is_cleared_away(machine: Machine) -> None:
    (machine.devices / "second.unfinished").mkdir(parents=True)
    (machine.devices / "second.unfinished" / "key").write_text("half")
    setup("toy")
    assert (machine.devices / "second" / "key").read_text() == "second"
    assert not (machine.devices / "second.unfinished").exists()


@pytest.mark.parametrize("file", ["key", FINISHED])
def test_a_part_with_something_missing_is_made_anew(machine: Machine, file: str) -> None:
    folder = setup("toy")
    (folder / file).unlink()
    setup("toy")
    assert machine.made == ["first", "second", "second"]


def test_another_edgesr_makes_a_part_anew(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    setup("toy")
    monkeypatch.setitem(PARTS, "second", replace(PARTS["second"], version=2))
    setup("toy")
    assert machine.made == ["first", "second", "second"]


def test_two_setups_at_once_wait_for_each_other(machine: Machine) -> None:
    machine.devices.mkdir(parents=True)
    stages: list[str] = []
    waiting = threading.Event()

    def watch(name: str, steps: int | None) -> Callable[[str], object]:
        stages.append(name)
        if name.startswith("waiting"):
            waiting.set()
        return lambda note: None

    with (machine.devices / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=setup, args=("toy", watch))
        thread.start()
        assert waiting.wait(10) and not machine.made
        fcntl.flock(lock, fcntl.LOCK_UN)
        thread.join(10)
    assert machine.made == ["first", "second"]


def test_a_cache_that_cannot_be_written_is_named(machine: Machine) -> None:
    machine.devices.parent.mkdir(exist_ok=True)
    machine.devices.write_text("in the way")
    with pytest.raises(UserError, match="EDGESR_CACHE"):
        setup("toy")


def test_other_names_and_machines_are_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="give arm64, android-libs, android-java, android-sdk"):
        setup("frob")
    monkeypatch.setattr(setups.platform, "machine", lambda: "riscv64")
    with pytest.raises(UserError, match="x86-64"):
        setup("toy")
