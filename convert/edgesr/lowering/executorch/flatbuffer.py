"""Writing a FlatBuffers file slot by slot, the counterpart of the runtime's careful reader.

A table is a mapping from its fields' slots (their positions in the schema's table, from 0) to their values.
The same values always give the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types

from ...graph.ops import Array

_FLAGS = {
    "b": number_types.Int8Flags,
    "B": number_types.Uint8Flags,
    "h": number_types.Int16Flags,
    "i": number_types.Int32Flags,
    "I": number_types.Uint32Flags,
    "Q": number_types.Uint64Flags,
    "f": number_types.Float32Flags,
}


@dataclass(frozen=True)
class Number:
    """A number in a table; `kind` is its `struct` code."""

    kind: str
    value: float


@dataclass(frozen=True)
class Table:
    """A table: slot -> field. A field is a `Number`, a string, an array, a table or a sequence of tables."""

    fields: Mapping[int, Any]


def byte(value: int) -> Number:
    return Number("B", value)


def i32(value: int) -> Number:
    return Number("i", value)


def u32(value: int) -> Number:
    return Number("I", value)


def u64(value: int) -> Number:
    return Number("Q", value)


def f32(value: float) -> Number:
    return Number("f", value)


def u32s(values: Iterable[int]) -> Array:
    return np.array(list(values), np.uint32)


def i32s(values: Iterable[int]) -> Array:
    return np.array(list(values), np.int32)


def union(slot: int, kind: int, table: Table) -> dict[int, Any]:
    """A union's two fields: which of its tables it is (from 1), and the table."""
    return {slot: byte(kind), slot + 1: table}


def encode(root: Table, identifier: bytes) -> bytes:
    """A file of this root table that carries the four bytes `identifier`."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_place(root, builder), file_identifier=identifier)
    return bytes(builder.Output())


@singledispatch
def _place(value: Any, builder: flatbuffers.Builder) -> int:
    """Writes what a field refers to and says where it is."""
    raise TypeError(f"a FlatBuffers field cannot hold {type(value).__name__}")


@_place.register
def _(value: str, builder: flatbuffers.Builder) -> int:
    return int(builder.CreateString(value))


@_place.register
def _(value: np.ndarray, builder: flatbuffers.Builder) -> int:
    return int(builder.CreateNumpyVector(value))


@_place.register(list)
@_place.register(tuple)
def _(value: Sequence[Table], builder: flatbuffers.Builder) -> int:
    places = [_place(table, builder) for table in value]
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())


@_place.register
def _(value: Table, builder: flatbuffers.Builder) -> int:
    places = {
        slot: _place(field, builder) for slot, field in value.fields.items() if not isinstance(field, Number)
    }
    builder.StartObject(max(value.fields, default=-1) + 1)
    for slot, field in value.fields.items():
        if isinstance(field, Number):
            builder.Prepend(_FLAGS[field.kind], field.value)
        else:
            builder.PrependUOffsetTRelative(places[slot])
        builder.Slot(slot)
    return int(builder.EndObject())
