"""Native libraries, read as files: each for its ABI, and with all that they ask for, so that they load."""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from apk.flavours import Flavour
from apk.tools import ABIS

MACHINES = {"arm64-v8a": 183, "x86_64": 62}  # ELF: EM_AARCH64, EM_X86_64
# Android's public libraries, which every device has.
SYSTEM = {"libc.so", "libm.so", "libdl.so", "liblog.so", "libandroid.so"}
LIBC = {"calloc", "free", "posix_memalign", "snprintf", "vsnprintf"}
BRIDGE = "libedgesr_jni.so"
SECTION, DYNAMIC, SYMBOL = "<IIQQQQIIQQ", "<qQ", "<IBBHQQ"
SHT_DYNAMIC, SHT_DYNSYM, DT_NEEDED, UNDEFINED = 6, 11, 1, 0


@dataclass(frozen=True)
class Library:
    """What an ELF file says about itself."""

    machine: int
    needed: frozenset[str]
    wanted: frozenset[str]
    offered: frozenset[str]


def read(data: bytes) -> Library:
    (machine,) = struct.unpack_from("<H", data, 18)
    (table,), (size, count) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from(SECTION, data, table + size * index) for index in range(count)]

    def entries(kind: int, form: str) -> list[tuple[str, tuple[int, ...]]]:
        """Records of a section, each after the text that its name or value stands for."""
        found = []
        for section in (s for s in sections if s[1] == kind):
            texts = sections[section[6]][4]
            for record in struct.iter_unpack(form, data[section[4] : section[4] + section[5]]):
                start = texts + (record[0] if form == SYMBOL else record[1])
                text = data[start : data.index(b"\0", start)] if start < len(data) else b""
                found.append((text.decode("ascii", "replace"), record))
        return found

    symbols = entries(SHT_DYNSYM, SYMBOL)
    return Library(
        machine,
        frozenset(text for text, record in entries(SHT_DYNAMIC, DYNAMIC) if record[0] == DT_NEEDED),
        frozenset(text for text, record in symbols if text and record[3] == UNDEFINED),
        frozenset(text for text, record in symbols if text and record[3] != UNDEFINED),
    )


@pytest.fixture(scope="module", params=ABIS)
def abi(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def libraries(apk: Path, abi: str) -> dict[str, Library]:
    folder = f"lib/{abi}/"
    with zipfile.ZipFile(apk) as archive:
        names = [name for name in archive.namelist() if name.startswith(folder)]
        return {name.removeprefix(folder): read(archive.read(name)) for name in names}


def test_each_is_for_its_abi(libraries: dict[str, Library], abi: str) -> None:
    assert {library.machine for library in libraries.values()} == {MACHINES[abi]}


def test_what_they_need_is_in_the_app_or_in_android(libraries: dict[str, Library]) -> None:
    for name, library in libraries.items():
        assert "libc.so" in library.needed, name
        assert library.needed <= {*libraries, *SYSTEM}, name


def test_the_bridge_finds_all_its_functions(libraries: dict[str, Library], flavour: Flavour) -> None:
    if BRIDGE not in flavour.bridges:
        assert BRIDGE not in libraries
        return
    bridge = libraries[BRIDGE]
    (engine,) = flavour.libraries
    tensorflow = {name for name in bridge.wanted if name.startswith("TfLite")}
    assert tensorflow
    assert tensorflow <= libraries[engine].offered
    assert bridge.wanted - tensorflow <= LIBC


def test_the_bridge_offers_what_java_calls(libraries: dict[str, Library], flavour: Flavour) -> None:
    """By the names that `native` methods of the engine have."""
    offered = {name for library in libraries.values() for name in library.offered}
    natives = {
        f"Java_edgesr_runtime_TfLiteEngine_{name}" for name in ("open", "run", "close", "tfLiteVersion")
    }
    assert natives <= offered if BRIDGE in flavour.bridges else not natives & offered
