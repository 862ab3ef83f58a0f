"""Reading a .pte file that nobody vouches for: methods, the strings that some return, and shared data.

An edgesr program's methods each hand one picture to one XNNPACK delegate, or return a string. Whatever else
an ExecuTorch file may hold is refused, so that what the engine is given is little and known. What no such
reading can promise is left to a run in a process of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgesr_runtime.errors import UserError
from edgesr_runtime.flatbuffer import MAX_READ, Budget, CorruptFile, Table
from edgesr_runtime.metadata import DEFAULT_VARIANT

IDENTIFIER = b"ET12"
BACKEND = "XnnpackBackend"
METADATA_METHOD = "edgesr"
DEFAULT_METHOD = "forward"  # what ExecuTorch apps call where they name no method

_HEADER = 8, 40  # where ExecuTorch's own header begins and ends
_MAX_METHODS = 16
_MAX_SEGMENTS = 100_000
_MAX_SIDE = 1 << 16
_FLOAT32 = 6
_TENSOR, _STRING = 5, 6  # places in the union of values
_DELEGATE_CALL = 2  # place in the union of instructions
_IN_SEGMENT = 1  # where a delegate's data lies
_FIXED, _BOUNDED = 0, 1  # whether a tensor's shape may change, up to the one in the file


@dataclass(frozen=True)
class DelegatedMethod:
    """A method of one delegate: its name in the file, the NCHW shapes of the float32 tensors in and out, the
    delegate's program, and whether the shapes are the largest of many."""

    name: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    payload: bytes
    resizable: bool


@dataclass(frozen=True)
class PteContents:
    """What a sound file holds for its reader: methods by variant, the rest by name."""

    methods: Mapping[str, DelegatedMethod]
    strings: Mapping[str, str]
    constants: Mapping[str, bytes]


def method_name(variant: str) -> str:
    """What a variant is called in the file."""
    return DEFAULT_METHOD if variant == DEFAULT_VARIANT else variant


def is_pte(data: bytes) -> bool:
    """Whether a file's first bytes say that it is an ExecuTorch program."""
    return data[4:8] == IDENTIFIER


def read_pte(data: bytes) -> PteContents:
    """Check a .pte file's structure and give what it holds.

    Raises:
        CorruptFile: the file breaks the format, or holds what edgesr programs never hold (operators outside
            a delegate, other backends, data outside the file).
    """
    program = Table.root(data, IDENTIFIER, Budget(MAX_READ))
    if program.number(0, "I") != 0:
        raise CorruptFile(f"its ExecuTorch schema version is {program.number(0, 'I')}, not 0")
    segments = _read_segments(data, program)
    methods: dict[str, DelegatedMethod] = {}
    strings: dict[str, str] = {}
    for plan in program.tables(1, _MAX_METHODS):
        name = plan.string(0)
        variant = DEFAULT_VARIANT if name == DEFAULT_METHOD else name
        if variant in methods or name in strings:
            raise CorruptFile(f"it has two methods of the name {name!r}")
        if plan.tables(7, 1):
            methods[variant] = _read_delegated(name, plan, segments)
        else:
            strings[name] = _read_string(plan)
    return PteContents(methods, strings, _read_constants(program, segments))


def read_pte_metadata(data: bytes, source: str = "the program") -> bytes:
    """The JSON that the method `edgesr` of a .pte file returns, read without running anything.

    Raises:
        UserError: the file is damaged or has no such method; `source` names the file.
    """
    try:
        strings = read_pte(data).strings
    except CorruptFile as error:
        raise UserError(f"{source} is not a sound .pte file: {error}; convert it again") from error
    if METADATA_METHOD not in strings:
        raise UserError(f"{source} is not an edgesr program (it has no method 'edgesr'); convert it")
    return strings[METADATA_METHOD].encode()


def _read_segments(data: bytes, program: Table) -> list[bytes]:
    """The data behind the FlatBuffers part."""
    start, end = _HEADER
    if data[start : start + 4] != b"eh00" or len(data) < end:
        raise CorruptFile("it has no header for its segments")
    size, base = (int.from_bytes(data[at : at + 8], "little") for at in (start + 8, start + 16))
    if not end <= size <= base <= len(data):
        raise CorruptFile("its segments begin outside the file")
    segments, left = [], len(data)
    for table in program.tables(4, _MAX_SEGMENTS):
        first, length = base + table.number(0, "Q"), table.number(1, "Q")
        if first + length > len(data):
            raise CorruptFile("a segment ends outside the file")
        left -= length
        if left < 0:  # 100,000 copies of a large part would take all memory
            raise CorruptFile("its segments share bytes")
        segments.append(data[first : first + length])
    return segments


def _read_constants(program: Table, segments: Sequence[bytes]) -> dict[str, bytes]:
    constants: dict[str, bytes] = {}
    for entry in program.tables(7, _MAX_SEGMENTS):
        key = entry.string(0)
        if key in constants:
            raise CorruptFile(f"it has two constants of the name {key!r}")
        constants[key] = _at(segments, entry.number(1, "I"))
    if any(program.tables(slot, _MAX_SEGMENTS) for slot in (2, 3, 6)):
        raise CorruptFile("it keeps data in places that edgesr does not use")
    return constants


def _at(segments: Sequence[bytes], index: int) -> bytes:
    if index >= len(segments):
        raise CorruptFile(f"it names segment {index} of {len(segments)}")
    return segments[index]


def _read_delegated(name: str, plan: Table, segments: Sequence[bytes]) -> DelegatedMethod:
    (delegate,) = plan.tables(7, 1)
    values, place = plan.tables(2, 2), delegate.table(1)
    ends = [plan.numbers(slot, "i4").tolist() for slot in (3, 4)]
    if delegate.string(0) != BACKEND or delegate.tables(2, 0) or plan.tables(6, 0):
        raise CorruptFile("it runs something outside XNNPACK")
    if ends != [[0], [1]] or len(values) != 2 or _calls(plan) != [[0, 0, 1]]:
        raise CorruptFile("a method is more than one delegate between one picture and another")
    if place is None or place.number(0, "b") != _IN_SEGMENT:
        raise CorruptFile("a delegate's program is not in a segment")
    (takes, resizable), (gives, follows) = (_read_shape(value) for value in values)
    if resizable != follows:
        raise CorruptFile("of a method's two pictures one has a fixed size and the other has not")
    return DelegatedMethod(name, takes, gives, _at(segments, place.number(1, "I")), resizable)


def _calls(plan: Table) -> list[list[int]]:
    """Delegate and arguments of each instruction."""
    calls = []
    for chain in plan.tables(5, 1):
        for instruction in chain.tables(2, 1):
            call = instruction.table(1)
            if instruction.number(0, "B") != _DELEGATE_CALL or call is None:
                raise CorruptFile("an instruction is not the call of a delegate")
            calls.append([call.number(0, "i"), *call.numbers(1, "i4").tolist()])
    return calls


def _read_shape(value: Table) -> tuple[tuple[int, ...], bool]:
    """Of a float32 tensor of four axes in NCHW order whose memory the program plans itself, and whether it
    may also be smaller."""
    tensor = value.table(1)
    if value.number(0, "B") != _TENSOR or tensor is None or tensor.number(0, "b") != _FLOAT32:
        raise CorruptFile("a method takes or gives something else than float32")
    shape = tuple(tensor.numbers(2, "i4").tolist())
    if len(shape) != 4 or tensor.numbers(3, "u1").tolist() != [0, 1, 2, 3]:
        raise CorruptFile("a method takes or gives something else than an NCHW picture")
    if not all(1 <= length <= _MAX_SIDE for length in shape):
        raise CorruptFile(f"a method's picture has the impossible shape {list(shape)}")
    dynamism = tensor.number(8, "b")
    if tensor.number(5, "I") or dynamism not in (_FIXED, _BOUNDED):
        raise CorruptFile("a method's picture is a constant or of no known size")
    return shape, dynamism == _BOUNDED


def _read_string(plan: Table) -> str:
    values = plan.tables(2, 1)
    value = values[0].table(1) if values else None
    ends = [plan.numbers(slot, "i4").tolist() for slot in (3, 4)]
    if value is None or values[0].number(0, "B") != _STRING or ends != [[], [0]] or _calls(plan):
        raise CorruptFile("a method is neither one delegate nor a string")
    return value.string(0)
