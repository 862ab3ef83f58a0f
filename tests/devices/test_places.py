"""The table of places, and the emulator that must be new enough."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgesr.devices.places import CPUS, places, refuse_old
from edgesr.errors import UserError

Emulator = Callable[[str], Path]


@pytest.fixture
def emulator(tmp_path: Path) -> Emulator:
    def make(says: str) -> Path:
        path = tmp_path / "qemu-aarch64"
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(0o755)
        refuse_old.cache_clear()
        return path

    return make


def test_the_words_say_what_is_emulated_and_whose_library_runs() -> None:
    found = places(["host", "arm64", "android-libs"], ["cortex-a53"])
    assert [(place.title, place.emulated) for place in found] == [
        ("Arm Cortex-A53, emulated", True),
        ("Android's library, x86-64, on this host", False),
        ("Android's library, arm64, on an emulated Arm Cortex-A53", True),
    ]
    android = ("android-libs", "android-java")
    assert [place.setups for place in found] == [("arm64",), android, ("arm64", *android)]


def test_a_place_is_not_asked_twice() -> None:
    assert len(places(["arm64", "arm64"], list(CPUS))) == 3
    assert places(["host"]) == ()


@pytest.mark.parametrize(
    ("devices", "cpus"), [(["pixel"], ["cortex-a76"]), (["arm64"], ["x86"]), ([], []), (["arm64"], [])]
)
def test_other_names_are_refused_with_those_that_there_are(devices: list[str], cpus: list[str]) -> None:
    with pytest.raises(UserError, match=r"arm64,android-libs|cortex-a53,cortex-a76"):
        places(devices, cpus)


def test_a_new_emulator_is_taken(emulator: Emulator) -> None:
    refuse_old(emulator("qemu-aarch64 version 10.0.2 (Debian 1:10.0.2)"))


@pytest.mark.parametrize("says", ["qemu-aarch64 version 7.2.19 (Debian)", "frob"])
def test_an_old_emulator_is_refused_with_the_reason(emulator: Emulator, says: str) -> None:
    with pytest.raises(UserError, match=r"older ones than 10 crash.*edgesr devices setup arm64"):
        refuse_old(emulator(says))


def test_a_missing_emulator_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="edgesr devices setup arm64"):
        refuse_old(tmp_path / "none")
