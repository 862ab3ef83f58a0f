"""Test copies of Android's libraries: changed where they must be, and nowhere else."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.devices.bionic import RENAMED, VERSION_TAGS, adapted

NAMES = b"\0sysconf\0mysysconf\0read\0"
SYMBOLIC = 0x10


def library(tags: list[int]) -> bytes:
    """An ELF header, one dynamic segment and names: no more than the adapting looks at."""
    dynamic = b"".join(struct.pack("<QQ", tag, 7) for tag in (*tags, 0))
    header = (
        b"\x7fELF\x02\x01".ljust(32, b"\0") + struct.pack("<QQ", 64, 0) + struct.pack("<IHHH", 0, 64, 56, 1)
    )
    segment = struct.pack("<IIQQQQQQ", 2, 0, 120, 0, 0, len(dynamic), len(dynamic), 8)
    return header.ljust(64, b"\0") + segment + dynamic + NAMES


def tags_of(data: bytes, count: int) -> list[int]:
    return [struct.unpack_from("<Q", data, 120 + 16 * i)[0] for i in range(count)]


def test_versions_are_made_void_and_own_symbols_win() -> None:
    tags = [1, VERSION_TAGS[0], 5, VERSION_TAGS[3]]
    changed = tags_of(adapted(library(tags)), 4)
    assert changed[::2] == [1, 5] and changed[1] == SYMBOLIC
    assert changed[3] not in VERSION_TAGS


def test_only_whole_names_are_changed() -> None:
    result = adapted(library([1]))
    assert b"\0sysc0nf\0mysysconf\0read\0" in result


@given(st.lists(st.integers(0, 2**32), max_size=6))
def test_a_library_without_versions_keeps_its_dynamic_section(tags: list[int]) -> None:
    tags = [tag for tag in tags if tag not in VERSION_TAGS]
    assert tags_of(adapted(library(tags)), len(tags)) == tags


def test_new_names_fit_into_the_place_of_the_old() -> None:
    assert all(len(old) == len(new) and old != new for old, new in RENAMED.items())
    assert not set(RENAMED) & set(RENAMED.values())


@pytest.mark.parametrize("data", [b"", b"MZ" * 100, library([1])[:4] + b"\x01" + library([1])[5:]])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        adapted(data)
