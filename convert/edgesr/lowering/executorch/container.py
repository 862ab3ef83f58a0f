"""The .pte container: methods that hand a picture to one delegate, methods that answer a string, constants.

Knows the file format of ExecuTorch (schema of version 0, identifier ET12) and nothing of networks. Delegate
programs and constants lie behind the FlatBuffers part as segments; a constant that several methods name is
stored once.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from .flatbuffer import Table, byte, encode, i32, i32s, u32, u64, union

FILE_IDENTIFIER = b"ET12"
BACKEND = "XnnpackBackend"
ALIGNMENT = 16  # of segments and of tensors in memory; XNNPACK needs no more

_HEADER = struct.Struct("<4sIQQQ")  # magic, its length, bytes of part one, start and sum of segments
_INT8, _FLOAT32 = 1, 6  # numbers of the scalar types
_TENSOR, _STRING = 5, 6  # places in the union of values
_DELEGATE_CALL = 2  # place in the union of instructions
_IN_SEGMENT = 1  # where a delegate's data lies
_ARENA = 1  # memory 0 is for constants
_BOUNDED = 1  # a tensor whose shape may change, up to the one in the file
_LEAF = '{"type": null, "context": null, "children_spec": []}'
_ONE_OUTPUT = f"[1, {_LEAF}]"
_TUPLE = '{{"type": "builtins.tuple", "context": "null", "children_spec": [{}]}}'
_KEYWORDS = '{"type": "builtins.dict", "context": "[]", "children_spec": []}'
_ONE_INPUT = f"[1, {_TUPLE.format(_TUPLE.format(_LEAF) + ', ' + _KEYWORDS)}]"
"""How Python callers nest arguments and results: f(picture) -> picture."""


@dataclass(frozen=True)
class Tensor:
    """A tensor that a method takes or gives: float32, or int8; `resizable` where `shape` is the largest of
    many, for which the method sets memory aside."""

    shape: tuple[int, ...]
    is_int8: bool = False
    resizable: bool = False

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return prod(self.shape) * (1 if self.is_int8 else 4)


@dataclass(frozen=True)
class Delegated:
    """A method that one delegate computes; `payload` is the delegate's program."""

    name: str
    takes: Tensor
    gives: tuple[Tensor, ...]
    payload: bytes


def pack(methods: Sequence[Delegated], answers: Mapping[str, str], constants: Mapping[str, bytes]) -> bytes:
    """The bytes of a .pte file.

    Args:
        methods: in the order in which the file lists them.
        answers: name of a further method -> the string that it returns.
        constants: key under which the delegates ask for it -> the data.
    """
    segments = [b"", *(method.payload for method in methods), *constants.values()]
    starts, length = _layout(len(data) for data in segments)
    plans = [_delegated(method, 1 + index) for index, method in enumerate(methods)]
    plans += [_answer(name, text) for name, text in answers.items()]
    named = [Table({0: key, 1: u32(1 + len(methods) + index)}) for index, key in enumerate(constants)]
    program = Table(
        {
            0: u32(0),
            1: plans,
            2: [],
            3: [],
            4: [Table({0: u64(s), 1: u64(len(data))}) for s, data in zip(starts, segments, strict=True)],
            5: Table({0: u32(0), 1: np.zeros(1, np.uint64)}),  # segment 0: no tensors but the delegates'
            7: named,
        }
    )
    first = _with_header(encode(program, FILE_IDENTIFIER), length)
    padded = [data.ljust(_aligned(len(data)), b"\0") for data in (first, *segments)]
    return b"".join(padded)[: _aligned(len(first)) + length]


def _layout(sizes: Iterable[int]) -> tuple[list[int], int]:
    """Where each of several things of these sizes begins, and where the last one ends."""
    starts, end = [], 0
    for size in sizes:
        starts.append(_aligned(end))
        end = starts[-1] + size
    return starts, end


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _with_header(program: bytes, segment_bytes: int) -> bytes:
    """The FlatBuffers file with ExecuTorch's own header behind the identifier."""
    room = _aligned(_HEADER.size)
    root = int.from_bytes(program[:4], "little") + room
    size = len(program) + room
    header = _HEADER.pack(b"eh00", _HEADER.size, size, _aligned(size), segment_bytes).ljust(room, b"\0")
    return root.to_bytes(4, "little") + program[4:8] + header + program[8:]


def _delegated(method: Delegated, segment: int) -> Table:
    """A method of one instruction, whose tensors lie in memory one behind the other, results first."""
    tensors = [method.takes, *method.gives]
    starts, memory = _layout([*(tensor.size for tensor in method.gives), method.takes.size])
    values = [_tensor(t, start) for t, start in zip(tensors, [starts[-1], *starts[:-1]], strict=True)]
    delegate = Table({0: BACKEND, 1: Table({0: byte(_IN_SEGMENT), 1: u32(segment)}), 2: []})
    everything = range(len(tensors))
    call = Table(union(0, _DELEGATE_CALL, Table({0: i32(0), 1: i32s(everything)})))
    nesting = _ONE_INPUT, _ONE_OUTPUT if len(method.gives) == 1 else _outputs(len(method.gives))
    return _plan(method.name, nesting, values, [0], everything[1:], [call], [delegate], [0, _aligned(memory)])


def _outputs(count: int) -> str:
    return f"[1, {_TUPLE.format(', '.join([_LEAF] * count))}]"


def _answer(name: str, text: str) -> Table:
    value = Table(union(0, _STRING, Table({0: text})))
    return _plan(name, ("", _ONE_OUTPUT), [value], [], [0], [], [], [0])


def _plan(
    name: str, nesting: tuple[str, str], values: Sequence[Table], inputs: Sequence[int],
    outputs: Sequence[int], instructions: Sequence[Table], delegates: Sequence[Table], memory: Sequence[int],
) -> Table:  # fmt: skip
    return Table(
        {
            0: name,
            1: Table({0: nesting[0], 1: nesting[1]}),
            2: values,
            3: i32s(inputs),
            4: i32s(outputs),
            5: [Table({0: i32s([]), 1: i32s([]), 2: instructions})],
            6: [],
            7: delegates,
            8: np.array(memory, np.int64),
        }
    )


def _tensor(tensor: Tensor, place: int) -> Table:
    kind = _INT8 if tensor.is_int8 else _FLOAT32
    order = np.arange(len(tensor.shape), dtype=np.uint8)
    memory = Table({0: u32(_ARENA), 1: u32(place & 0xFFFFFFFF), 2: u32(place >> 32)})
    fields = {0: byte(kind), 1: i32(0), 2: i32s(tensor.shape), 3: order, 5: u32(0), 6: memory}
    if tensor.resizable:
        fields[8] = byte(_BOUNDED)
    return Table(union(0, _TENSOR, Table(fields)))
