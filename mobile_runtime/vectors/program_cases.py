"""Program files of every kind that a reader must tell apart: four small ones and changes of them.

Meant changes are made of the FlatBuffers objects and stored as the bytes that differ; others are cut files
and random ones.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from metadata_cases import between_ends
from runtime.tiny_program import pack, tiny_info, tiny_model
from spoiled_programs import PTE_FIELDS, PTE_ROWS, ROWS, put, spoil
from typed_programs import graph_of, one_input, random_conv

from edgesr.graph import ops
from edgesr.lowering.executorch import container
from edgesr.lowering.executorch.flatbuffer import Table, encode
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.affine import QParams
from edgesr_runtime.metadata import RESIZABLE_SCHEMA, SizeRange

Case = tuple[str, str, list[list[Any]], str]
"""File, name, splices, and what the refusal must say (empty: whatever the Python runtime decides)."""

Changed = tuple[str, bytes, str]
"""Name, the changed file, and what the refusal must say."""

PROGRAMS = TFLITE, WRITTEN, PTE, PACKED = "tiny.tflite", "written.tflite", "tiny.pte", "written.tflite.gz"

_INFO = tiny_info(tile=8, variants=("low", "high"))
_ONE = tiny_info(tile=8, halo=1)


def write_programs(folder: Path) -> None:
    """The four files that all cases change."""
    programs = {
        TFLITE: pack(_tiny()),
        WRITTEN: _written(),
        PTE: _pte(),
        PACKED: gzip.compress(_written(), mtime=0),
    }
    for name, data in programs.items():
        (folder / name).write_bytes(data)


def cases(folder: Path) -> Iterator[Case]:
    """All of them; `folder` holds the four files."""
    files = {name: (folder / name).read_bytes() for name in PROGRAMS}
    for program, changed in ((TFLITE, _tflites()), (PTE, _ptes(files)), (PACKED, _packings(files))):
        for name, data, says in changed:
            yield program, name, difference(files[program], data), says
    for program, data in files.items():
        yield program, "as it is", [], ""
        yield from _cut(program, data)
        yield from _random(program, data)
    for name, splices, says in _broken_tables(files[TFLITE]):
        yield TFLITE, name, splices, says


def _broken_tables(data: bytes) -> Iterator[tuple[str, list[list[Any]], str]]:
    """What no object can say: headers, offsets and alignment."""
    model = _target(data, 0)
    vtable = model - int.from_bytes(data[model : model + 4], "little", signed=True)
    graph = _target(data, _target(data, _field(data, model, 2)) + 4)
    weights = _target(data, _target(data, _field(data, graph, 0)) + 12)
    zeros = _field(data, _target(data, _field(data, weights, 4)), 3)
    for name, place, size, number, says in (
        ("root between two words", 0, 4, model + 2, "a number of 4 bytes lies at"),
        ("root behind the file", 0, 4, len(data), "an offset leads to"),
        ("vtable of odd size", vtable, 2, 19, "invalid header"),
        ("vtable of 2 bytes", vtable, 2, 2, "invalid header"),
        ("vtable behind the file", vtable, 2, 0xFFFE, "an offset leads to"),
        ("vtable before the file", model, 4, model + 2, "an offset leads to"),
        ("object of 2 bytes", vtable + 2, 2, 2, "invalid header"),
        ("object behind the file", vtable + 2, 2, 0xFFFF, "an offset leads to"),
        ("field in its header", vtable + 4, 2, 2, "lies outside it"),
        ("field behind its table", vtable + 4, 2, 400, "lies outside it"),
        ("numbers between two", zeros, 4, _target(data, zeros) - zeros + 4, "a number of 8 bytes lies at"),
        ("list between two words", zeros, 4, _target(data, zeros) - zeros + 2, "a number of 4 bytes lies at"),
    ):
        yield name, [[place, place + size, number.to_bytes(size, "little").hex()]], says


def _field(data: bytes, table: int, slot: int) -> int:
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    return table + int.from_bytes(data[vtable + 4 + 2 * slot : vtable + 6 + 2 * slot], "little")


def _target(data: bytes, place: int) -> int:
    return place + int.from_bytes(data[place : place + 4], "little")


def _tflites() -> Iterator[Changed]:
    for name, (changes, says) in ROWS.items():
        model = _tiny()
        spoil(model, changes)
        yield name, pack(model), says
    for name, info, says in (
        ("of another tile", tiny_info(tile=16, variants=("low", "high")), "does not fit its metadata"),
        (
            "of another scale",
            tiny_info(tile=8, scale=3, variants=("low", "high")),
            "does not fit its metadata",
        ),
        ("of one variant more", tiny_info(tile=8, variants=("low", "mid", "high")), "are not its variants"),
        ("of one variant less", tiny_info(tile=8, variants=("high",)), "are not its variants"),
    ):
        yield name, pack(_saying(info.to_json())), says
    for name, metadata, free, says in (
        ("other sizes as well", _resizable(16), True, ""),
        ("other sizes unsaid", _INFO.to_json(), True, "does not fit its metadata"),
        ("other sizes only said", _resizable(16), False, "does not fit its metadata"),
    ):
        model = _saying(metadata)
        for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors[:2] if free):
            tensor.shapeSignature = [1, -1, -1, 3]
        yield name, pack(model), says


def _saying(metadata: str) -> Any:
    model = _tiny()
    model.buffers[model.metadata[0].buffer].data = np.frombuffer(metadata.encode(), np.uint8)
    return model


def _ptes(files: Mapping[str, bytes]) -> Iterator[Changed]:
    for name, (changes, says) in PTE_ROWS.items():
        with patch.multiple(container, **changes):
            yield name, _pte(), says
    for name, (path, value, says) in PTE_FIELDS.items():
        with patch.object(container, "encode", partial(_encode_changed, path, value)):
            yield name, _pte(), says
    with patch.object(container, "encode", _encode_twice):
        yield "two answers of one name", _pte(), "two methods of the name 'edgesr'"
    for name, place, number, says in (
        ("no room for the header", 16, 39, "begin outside"),
        ("segments inside the first part", 24, 40, "begin outside"),
        ("segments behind the file", 24, 10**4, "begin outside"),
        ("segments far behind the file", 24, 2**63, "begin outside"),
        ("no magic", 8, 0, "no header"),
    ):
        yield name, spliced(files[PTE], [[place, place + 8, number.to_bytes(8, "little").hex()]]), says
    alone = tiny_info(tile=8)
    yield "the default method", _pte(alone.to_json(), names=("forward",)), ""
    yield "the default method by its other name", _pte(alone.to_json(), names=("serving_default",)), ""
    yield "both", _pte(alone.to_json(), names=("forward", "serving_default")), "two methods of the name"
    yield "two methods of one name", _pte(names=("low", "low")), "two methods of the name 'low'"
    yield "a method named edgesr", _pte(names=("low", "high", "edgesr")), "two methods of the name 'edgesr'"
    yield "a method more", _pte(names=("low", "mid", "high")), "are not its variants"
    yield "another tile", _pte(sides=(9, 16)), "does not fit its metadata"
    yield "another scale", _pte(sides=(8, 24)), "does not fit its metadata"
    yield "smaller pictures as well", _pte(_resizable(16), sides=(16, 32), resizable=True), ""
    yield "smaller pictures unsaid", _pte(sides=(8, 16), resizable=True), "does not fit its metadata"
    yield "smaller pictures only said", _pte(_resizable(16), sides=(16, 32)), "does not fit its metadata"
    yield "another largest side", _pte(_resizable(17), sides=(16, 32), resizable=True), "does not fit its"
    yield "an impossible side", _pte(sides=(8, 1 << 17)), "impossible shape"
    yield "side 0", _pte(sides=(0, 16)), "impossible shape"
    yield "no metadata", files[PTE].replace(b"edgesr\0", b"EDGESR\0"), "is not an edgesr program"
    yield "no JSON", _pte("{"), "is not JSON"
    yield "a name not UTF-8", files[PTE].replace(b"low\0", b"l\xffw\0"), "is not UTF-8"


def _encode_changed(path: tuple[int, ...], value: Any, program: Table, identifier: bytes) -> bytes:
    put(program, path, value)
    return encode(program, identifier)


def _encode_twice(program: Table, identifier: bytes) -> bytes:
    program.fields[1].append(program.fields[1][-1])
    return encode(program, identifier)


def _packings(files: Mapping[str, bytes]) -> Iterator[Changed]:
    whole = files[PACKED]
    flags, body = whole[:3], whole[10:]
    yield "nothing", gzip.compress(b"", mtime=0), "is not a sound .tflite file"
    yield "packed twice", gzip.compress(whole, mtime=0), "is not a sound .tflite file"
    yield "another format", gzip.compress(files[PTE], mtime=0), ""
    yield (
        "two parts",
        gzip.compress(files[WRITTEN][:99], mtime=0) + gzip.compress(files[WRITTEN][99:], mtime=0),
        "",
    )
    yield "zeros behind", whole + bytes(5), ""
    yield "more behind", whole + b"x", "is damaged"
    yield "half a part behind", whole + whole[:2], "is damaged"
    yield "one byte behind", whole + whole[:1], "is damaged"
    for name, flag, field in (
        ("name", 8, b"a.tflite\0"), ("comment", 16, b"x\0"), ("extra field", 4, b"\3\0abc"),
        ("checksum", 2, b"xx"),
        ("all fields", 30, b"\1\0xa\0b\0xx"), ("reserved flag", 128, b""), ("text flag", 1, b""),
    ):  # fmt: skip
        yield f"with {name}", flags + bytes([flag]) + whole[4:10] + field + body, ""
    yield "another compression", flags[:2] + b"\7" + whole[3:], "is damaged"
    yield "wrong checksum", whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:], "is damaged"
    yield "wrong length", whole[:-1] + b"\1", "is damaged"


def _cut(program: str, data: bytes) -> Iterator[Case]:
    for length in sorted(
        {0, 1, 4, 7, 8, 11, 12, 39, 40, *range(13, len(data), len(data) // 12), len(data) - 1}
    ):
        yield program, f"{length} bytes of it", [[length, len(data), ""]], None


def _random(program: str, data: bytes) -> Iterator[Case]:
    """Words of the file set to numbers that are likely to be taken for an offset, a length or an index."""
    generator = np.random.default_rng(len(data))
    for index in range(20 if program == PACKED else 50):
        splices = []
        for _ in range(int(generator.integers(1, 3))):
            place = int(generator.integers(0, len(data) // 4)) * 4
            word = int.from_bytes(data[place : place + 4], "little")
            numbers = (
                0,
                1,
                2,
                3,
                word + 1,
                word - 1,
                word + 4,
                word - 4,
                word ^ 1 << 16,
                len(data),
                1 << 31,
                -1,
            )
            new = int(generator.choice(numbers)) & 0xFFFFFFFF
            splices.append([place, place + 4, new.to_bytes(4, "little").hex()])
        yield program, f"random {index}", splices, None


def _tiny() -> Any:
    """Two variants, each quantize, convolution, depth to space, dequantize, by the schema's objects."""
    return tiny_model(_INFO, int8=True)


def _written() -> bytes:
    """A convolution as edgesr writes it, with scales per channel and weights of 4 bits."""
    grid, inner = QParams(1.0, -128), QParams(0.3, -20)
    conv = random_conv(np.random.default_rng(0), 3, 12, (1, 1), bits=4)
    nodes = one_input(conv, grid, inner)
    graph = graph_of([*nodes, replace(nodes[-1], name="up", op=ops.DepthToSpace(2), inputs=("op",))], 3)
    return write({"serving_default": graph}, 8, _ONE.to_json().encode(), pack_int4=True)


def _resizable(largest: int) -> str:
    return replace(_INFO, schema=RESIZABLE_SCHEMA, sizes=SizeRange(4, largest)).to_json()


def _pte(
    metadata: str | None = None, sides: tuple[int, int] = (8, 16), names: tuple[str, ...] = ("low", "high"),
    resizable: bool = False,
) -> bytes:  # fmt: skip
    """Methods that hand a picture to a delegate whose program is no more than a few bytes here."""
    takes, gives = (container.Tensor((1, 3, side, side), resizable=resizable) for side in sides)
    methods = [container.Delegated(name, takes, (gives,), name.encode()) for name in names]
    return container.pack(methods, {"edgesr": metadata or _INFO.to_json()}, {"w": bytes(64), "b": bytes(16)})


def difference(base: bytes, changed: bytes) -> list[list[Any]]:
    """The splices that make `changed` of `base`, the shorter of two ways to tell it."""
    start, end, new = between_ends(base, changed)
    return min([[start, end, new.hex()]], _by_words(base, changed), key=lambda splices: len(repr(splices)))


def _by_words(base: bytes, changed: bytes) -> list[list[Any]]:
    """By words of four bytes that are equal; the last splice comes first, so that none moves the next."""
    old, new = ([data[at : at + 4] for at in range(0, len(data), 4)] for data in (base, changed))
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found = [
        [4 * i, min(4 * j, len(base)), b"".join(new[k:m]).hex()]
        for tag, i, j, k, m in steps
        if tag != "equal"
    ]
    return found[::-1]


def spliced(data: bytes, splices: list[list[Any]]) -> bytes:
    for start, end, new in splices:
        data = data[:start] + bytes.fromhex(new) + data[end:]
    return data
