"""Reading a FlatBuffers file that nobody vouches for: every offset is checked before it is followed.

The generated readers trust the file (in Python a wrong offset even wraps around to the end of the buffer).
Here each access either stays inside the file or raises `CorruptFile`. Fields are named by their slot: their
position in the schema's table, from 0.
"""

import struct
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MAX_READ = 64 * 2**20  # bytes, by default of what nobody vouches for; no program comes near
_TABLE_COST = 64  # bytes of a budget, for keeping one table in mind


class CorruptFile(ValueError):
    """The file breaks the format; the message says how."""


class Budget:
    """Bytes of lists, names and tables that may be read in all, each counted as often as the file names it.

    Without it a small file whose tables all point at the same long list would take minutes.
    """

    __slots__ = ("_left",)

    def __init__(self, limit: int) -> None:
        self._left = limit

    def charge(self, size: int) -> None:
        """Counts bytes that are about to be read. Raises CorruptFile where they are too many."""
        self._left -= size
        if self._left < 0:
            raise CorruptFile("its lists name the same things again and again")


class Table:
    """A table at byte `position` of `data`; absent fields give the default, None or nothing.

    What is reached from it is read from its `budget`; None for a file that is trusted.
    """

    __slots__ = ("_budget", "_data", "_object_size", "_position", "_vtable", "_vtable_size")

    def __init__(self, data: bytes, position: int, budget: Budget | None = None) -> None:
        """Raises CorruptFile where the table or its vtable does not lie inside `data`."""
        self._data = data
        self._position = position
        self._budget = budget
        self.charge(_TABLE_COST)
        self._vtable = position - _number(data, "<i", position)
        self._vtable_size = _number(data, "<H", self._vtable)
        self._object_size = _number(data, "<H", self._vtable + 2)
        if self._vtable_size < 4 or self._vtable_size % 2 or self._object_size < 4:
            raise CorruptFile(f"a table at byte {position} has an invalid header")
        _check_span(data, self._vtable, self._vtable_size)
        _check_span(data, position, self._object_size)

    @classmethod
    def root(cls, data: bytes, identifier: bytes, budget: Budget | None = None) -> Self:
        """The root table of a file that must carry the four bytes `identifier`."""
        if len(data) < 12 or data[4:8] != identifier:
            raise CorruptFile(f"it does not start like a {identifier.decode()} file")
        return cls(data, _number(data, "<I", 0), budget)

    def charge(self, size: int) -> None:
        """Counts bytes that are about to be read. Raises CorruptFile where they are too many."""
        if self._budget is not None:
            self._budget.charge(size)

    def number(self, slot: int, kind: str, default: int = 0) -> int:
        """The number of `kind` (a `struct` code) in `slot`."""
        place = self._place(slot, struct.calcsize(kind))
        return default if place is None else _number(self._data, "<" + kind, place)

    def table(self, slot: int) -> "Table | None":
        target = self._target(slot)
        return None if target is None else Table(self._data, target, self._budget)

    def string(self, slot: int) -> str:
        target = self._target(slot)
        if target is None:
            return ""
        length = self._vector_length(target, 1)
        self.charge(length)
        try:
            return self._data[target + 4 : target + 4 + length].decode()
        except UnicodeDecodeError as error:
            raise CorruptFile(f"a name at byte {target} is not UTF-8") from error

    def bytes(self, slot: int) -> memoryview:
        """The vector of bytes in `slot`, without a copy."""
        target = self._target(slot)
        if target is None:
            return memoryview(b"")
        return memoryview(self._data)[target + 4 : target + 4 + self._vector_length(target, 1)]

    def numbers(self, slot: int, dtype: Any) -> NDArray[Any]:
        """The vector of little-endian numbers in `slot`, without a copy."""
        target = self._target(slot)
        kind = np.dtype(dtype)
        if target is None:
            return np.empty(0, kind)
        length = self._vector_length(target, kind.itemsize)
        _check_alignment(target + 4, kind.itemsize)
        self.charge(length * kind.itemsize)
        return np.frombuffer(self._data, kind.newbyteorder("<"), length, target + 4)

    def tables(self, slot: int, limit: int) -> list["Table"]:
        """The vector of tables in `slot`, at most `limit` of them."""
        target = self._target(slot)
        if target is None:
            return []
        length = self._vector_length(target, 4)
        if length > limit:
            raise CorruptFile(f"a list at byte {target} has {length} entries, more than {limit}")
        places = range(target + 4, target + 4 + 4 * length, 4)
        return [Table(self._data, place + _number(self._data, "<I", place), self._budget) for place in places]

    def check_fields(self) -> None:
        """Check the header of a table whose schema is not known: all fields must lie inside it."""
        self.charge(self._vtable_size)
        for slot in range((self._vtable_size - 4) // 2):
            self._place(slot, 1)

    def _place(self, slot: int, size: int) -> int | None:
        """Where the field in `slot` lies, which must hold `size` bytes; None where it is absent."""
        entry = 4 + 2 * slot
        offset = _number(self._data, "<H", self._vtable + entry) if entry < self._vtable_size else 0
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._object_size:
            raise CorruptFile(f"a field of the table at byte {self._position} lies outside it")
        return self._position + offset

    def _target(self, slot: int) -> int | None:
        """Where the offset in `slot` leads."""
        place = self._place(slot, 4)
        return None if place is None else place + _number(self._data, "<I", place)

    def _vector_length(self, target: int, item_size: int) -> int:
        length = _number(self._data, "<I", target)
        _check_span(self._data, target + 4, length * item_size)
        return length


def _number(data: bytes, kind: str, position: int) -> int:
    size = struct.calcsize(kind)
    _check_span(data, position, size)
    _check_alignment(position, size)
    value: int = struct.unpack_from(kind, data, position)[0]
    return value


def _check_span(data: bytes, position: int, size: int) -> None:
    if position < 0 or position + size > len(data):
        raise CorruptFile(f"an offset leads to byte {position + size} of a file of {len(data)}")


def _check_alignment(position: int, size: int) -> None:
    if position % size:  # some processors fault on it
        raise CorruptFile(f"a number of {size} bytes lies at byte {position}")
