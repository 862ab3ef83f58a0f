"""Private members that nested classes share, opened for virtual machines that know no nests.

From Java 11 on, a class may use the private members of the classes that it is nested with (JVM specification
4.7.28). Android's dx knows nothing of that, and the app would end at the first such use. So members that are
used across classes lose their `private`, as older compilers would have arranged by other means.
"""

import struct
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import UserError

PRIVATE, STATIC = 0x0002, 0x0008
CONSTRUCTOR = "<init>"
# Constant pool, JVM specification 4.4: tag -> bytes after it. A long or double counts as two constants.
SIZES = dict.fromkeys((7, 8, 16, 19, 20), 2) | dict.fromkeys((3, 4, 9, 10, 11, 12, 17, 18), 4)
SIZES |= {5: 8, 6: 8, 15: 3}
UTF8, FIELD, METHOD = 1, 9, 10
WIDE = (5, 6)


@dataclass(frozen=True)
class Member:
    """A field or method, by the names that class files use."""

    owner: str
    name: str
    descriptor: str


@dataclass(frozen=True)
class Declared:
    """Its access flags, and where they stand in the class file."""

    flags: int
    place: int


class ClassFile:
    """The little of a class file that tells who uses whose members."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._constants: dict[int, tuple[int, int]] = {}
        at = self._read_constants()
        self.name = self._class_name(self._short(at + 2))
        interfaces = self._short(at + 6)
        self.members = dict(self._read_members(at + 8 + 2 * interfaces))

    def uses(self) -> Iterator[Member]:
        """The members of classes that its code refers to."""
        for tag, place in self._constants.values():
            if tag in (FIELD, METHOD):
                owner, both = struct.unpack_from(">HH", self.data, place)
                _, names = self._constants[both]
                name, descriptor = struct.unpack_from(">HH", self.data, names)
                yield Member(self._class_name(owner), self._text(name), self._text(descriptor))

    def _short(self, place: int) -> int:
        return int(struct.unpack_from(">H", self.data, place)[0])

    def _read_constants(self) -> int:
        """Gives the place after them."""
        index, at = 1, 10
        while index < self._short(8):
            tag = self.data[at]
            self._constants[index] = (tag, at + 1)
            at += 1 + (2 + self._short(at + 1) if tag == UTF8 else SIZES[tag])
            index += 2 if tag in WIDE else 1
        return at

    def _text(self, index: int) -> str:
        _, place = self._constants[index]
        return self.data[place + 2 : place + 2 + self._short(place)].decode("utf-8", "surrogatepass")

    def _class_name(self, index: int) -> str:
        return self._text(self._short(self._constants[index][1]))

    def _read_members(self, at: int) -> Iterator[tuple[Member, Declared]]:
        for _ in ("fields", "methods"):
            count = self._short(at)
            at += 2
            for _ in range(count):
                flags, name, descriptor, attributes = struct.unpack_from(">HHHH", self.data, at)
                yield Member(self.name, self._text(name), self._text(descriptor)), Declared(flags, at)
                at += 8
                for _ in range(attributes):
                    at += 6 + int(struct.unpack_from(">I", self.data, at + 2)[0])


def open_nests(jar: Path, opened: Path) -> None:
    """Writes a copy of a jar in which nothing private is used from another class.

    Raises:
        UserError: several classes have such a method, so that opening it might change which one runs.
    """
    with zipfile.ZipFile(jar) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    classes = {name: ClassFile(data) for name, data in files.items() if name.endswith(".class")}
    shared = _shared_privates(classes.values())
    for name, parsed in classes.items():
        data = bytearray(parsed.data)
        for member, declared in parsed.members.items():
            if member in shared:
                struct.pack_into(">H", data, declared.place, declared.flags & ~PRIVATE)
        files[name] = bytes(data)
    with zipfile.ZipFile(opened, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _shared_privates(parsed: Collection[ClassFile]) -> set[Member]:
    declared = {member: flags for one in parsed for member, flags in one.members.items()}
    shared = {
        member
        for one in parsed
        for member in one.uses()
        if member.owner != one.name and member in declared and declared[member].flags & PRIVATE
    }
    for member in shared:
        virtual = member.name != CONSTRUCTOR and "(" in member.descriptor
        if virtual and not declared[member].flags & STATIC:
            same = [m for m in declared if (m.name, m.descriptor) == (member.name, member.descriptor)]
            if len(same) > 1:
                raise UserError(f"{member.owner}.{member.name} cannot be opened: {len(same)} classes have it")
    return shared
