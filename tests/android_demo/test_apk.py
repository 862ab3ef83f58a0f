"""The app's file is what a phone and a store expect: signed, aligned, for both ABIs, without permissions."""

import re
import struct
import zipfile
from pathlib import Path

import pytest
from apk.flavours import Flavour
from apk.tools import ABIS, Tools

from edgesr_runtime.program import read_info

PAGE = 4096
# Items of a dex file's map that only `invoke-custom` needs (Dalvik executable format, "Type codes").
CALL_SITES, METHOD_HANDLES = 0x0007, 0x0008


@pytest.fixture
def badging(apk: Path, tools: Tools) -> str:
    return tools.run("aapt", "dump", "badging", apk)


def test_the_signature_is_sound(apk: Path, tools: Tools) -> None:
    said = tools.run("apksigner", "verify", "--verbose", "--min-sdk-version", "26", apk)
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in said
    assert "Verified using v3 scheme (APK Signature Scheme v3): true" in said


def test_a_byte_changed_later_breaks_the_signature(apk: Path, tools: Tools, tmp_path: Path) -> None:
    data = bytearray(apk.read_bytes())
    with zipfile.ZipFile(apk) as archive:
        entry = archive.getinfo("assets/bench/pictures/leaves.png")
    data[entry.header_offset + 1000] ^= 1
    changed = tmp_path / "changed.apk"
    changed.write_bytes(data)
    with pytest.raises(Exception, match="apksigner fails"):
        tools.run("apksigner", "verify", "--min-sdk-version", "26", changed)


def test_it_is_who_it_says(badging: str, flavour: Flavour) -> None:
    assert f"package: name='{flavour.package}' versionCode='1' versionName='0.1.0'" in badging
    assert "sdkVersion:'26'" in badging
    assert "targetSdkVersion:'34'" in badging
    assert "launchable-activity: name='dev.edgesr.demo.MainActivity'" in badging
    assert "application-debuggable" not in badging


def test_it_asks_for_no_permission(badging: str, apk: Path, tools: Tools) -> None:
    assert "uses-permission" not in badging
    assert "uses-permission" not in tools.run("aapt", "dump", "permissions", apk)


def test_both_abis_have_the_same_libraries(apk: Path, badging: str, flavour: Flavour) -> None:
    assert "native-code: 'arm64-v8a' 'x86_64'" in badging
    with zipfile.ZipFile(apk) as archive:
        found = {name for name in archive.namelist() if name.startswith("lib/")}
    assert found == {f"lib/{abi}/{name}" for abi in ABIS for name in flavour.bridges + flavour.libraries}


def test_entries_are_aligned(apk: Path, tools: Tools) -> None:
    tools.run("zipalign", "-c", "-p", "4", apk)


def test_libraries_are_mapped_from_the_file(apk: Path) -> None:
    """`extractNativeLibs` is false: they must be stored as they are, and begin where a page does."""
    with zipfile.ZipFile(apk) as archive, apk.open("rb") as stream:
        for entry in archive.infolist():
            if entry.filename.endswith(".so"):
                stream.seek(entry.header_offset + 26)
                name, extra = struct.unpack("<HH", stream.read(4))
                assert entry.compress_type == zipfile.ZIP_STORED
                assert (entry.header_offset + 30 + name + extra) % PAGE == 0


def test_the_table_of_resources_is_stored(apk: Path) -> None:
    """Android 11 and newer refuse apps for target 30 and up whose table is compressed."""
    with zipfile.ZipFile(apk) as archive:
        assert archive.getinfo("resources.arsc").compress_type == zipfile.ZIP_STORED


def test_the_bytes_depend_on_no_clock(apk: Path) -> None:
    with zipfile.ZipFile(apk) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_older_androids_find_nothing_that_they_do_not_know(apk: Path) -> None:
    with zipfile.ZipFile(apk) as archive:
        dex = archive.read("classes.dex")
    assert dex.startswith(b"dex\n03")
    kinds = _map_of(dex)
    assert 0x0000 in kinds  # the map was read: every dex file has a header
    assert not kinds & {CALL_SITES, METHOD_HANDLES}


def _map_of(dex: bytes) -> set[int]:
    """Kinds of the items in a dex file."""
    (offset,) = struct.unpack_from("<I", dex, 52)
    (count,) = struct.unpack_from("<I", dex, offset)
    return {struct.unpack_from("<H", dex, offset + 4 + 12 * index)[0] for index in range(count)}


def test_it_brings_programs_pictures_and_golden_ones(apk: Path, flavour: Flavour) -> None:
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        programs = [name for name in names if name.startswith("assets/programs/")]
        for name in programs:
            assert name.endswith(flavour.suffix)
            assert read_info(archive.read(name), name).scale in (2, 3, 4)
    assert programs
    pictures = {Path(name).name for name in names if name.startswith("assets/bench/pictures/")}
    assert pictures
    for program in programs:
        golden = f"assets/bench/golden/{Path(program).stem}/"
        assert {Path(name).name for name in names if name.startswith(golden)} == pictures


def test_light_and_dark_are_both_there(apk: Path, tools: Tools) -> None:
    table = tools.run("aapt", "dump", "resources", apk)
    assert re.search(r"config night", table)
    assert re.search(r"config \(default\)", table)
