"""Is a .tflite file sound enough to be handed to the engine?

The engine trusts its input: an invalid zero point or index ends the process by a segmentation fault. So a
file is read here first, in Python, and every rule is checked whose breach is known or likely to crash.
What no such reading can promise is left to `probe`, which runs the file once in a process of its own.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgesr_runtime.errors import UserError
from edgesr_runtime.flatbuffer import MAX_READ, Budget, CorruptFile, Table
from edgesr_runtime.tflite_rules import Tensor, read_tensor

PROBE_SECONDS = 120

_MAX_ITEMS = 100_000  # in any list of the file: tensors, operators, buffers
_MODEL_VERSION = 3


@dataclass(frozen=True)
class Signature:
    """An entry point of the file: its tensors by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True)
class Contents:
    """What a sound file holds for its reader: metadata entries and signatures, both by name."""

    metadata: Mapping[str, bytes]
    signatures: Mapping[str, Signature]


@dataclass(frozen=True)
class _Graph:
    tensors: Sequence[Tensor]
    inputs: frozenset[int]
    outputs: frozenset[int]


def check_structure(data: bytes) -> Contents:
    """Check a .tflite file's structure and give its metadata and signatures.

    Raises:
        CorruptFile: the file breaks the format, or uses what edgesr programs never use (tensor data
            outside the file, sparse or variable-shaped tensors, custom operators).
    """
    model = Table.root(data, b"TFL3", Budget(MAX_READ))
    if model.number(0, "I") != _MODEL_VERSION:
        raise CorruptFile(f"its TFLite schema version is {model.number(0, 'I')}, not {_MODEL_VERSION}")
    if model.tables(8, 0) or model.tables(9, 0):
        raise CorruptFile("it keeps tensor data in other files")
    buffers = [_read_buffer(table) for table in model.tables(4, _MAX_ITEMS)]
    if not buffers or len(buffers[0]):
        raise CorruptFile("its buffer 0, which stands for no data, is missing or not empty")
    operator_codes = model.tables(1, _MAX_ITEMS)
    for code in operator_codes:
        if code.string(1):
            raise CorruptFile(f"it uses the custom operator {code.string(1)!r}")
    graphs = [_read_graph(table, buffers, len(operator_codes)) for table in model.tables(2, 100)]
    return Contents(_read_metadata(model, buffers), _read_signatures(model, graphs))


def probe(data: bytes, source: str) -> None:
    """Load the file and run every signature once on zeros, in a process of its own.

    A crash or an endless loop then ends that process alone. `source` names the file in messages.

    Raises:
        UserError: the file does not load, does not run, crashes the engine or takes over two minutes.
    """
    # -P: python -m would else import from the current folder, where the untrusted file may lie.
    command = [sys.executable, "-P", "-m", "edgesr_runtime.probe", "-"]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        reason = f"it did not finish a run within {PROBE_SECONDS} seconds"
        raise UserError(f"{source} cannot be used: {reason}; convert it again") from error
    except OSError as error:
        raise UserError(f"{source} cannot be checked: no new process starts ({error.strerror})") from error
    if child.returncode == 1 and child.stdout:
        line = child.stdout.decode(errors="replace").split("\n")[0]
        raise UserError(line.replace("<stdin>", source, 1))
    if child.returncode:
        raise UserError(f"{source} crashes the engine (status {child.returncode}); convert it again")


def _read_buffer(table: Table) -> memoryview:
    if table.number(1, "Q") or table.number(2, "Q"):
        raise CorruptFile("it keeps tensor data behind the end of its FlatBuffers part")
    return table.bytes(0)


def _read_metadata(model: Table, buffers: Sequence[memoryview]) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    for entry in model.tables(6, 1000):
        name, index = entry.string(0), entry.number(1, "I")
        if name in entries or index >= len(buffers):
            raise CorruptFile(f"its metadata entry {name!r} is double or has no buffer")
        model.charge(len(buffers[index]))
        entries[name] = bytes(buffers[index])
    return entries


def _read_graph(table: Table, buffers: Sequence[memoryview], operator_codes: int) -> _Graph:
    """Check one subgraph; above all that every operator reads only what exists by then."""
    tensors = [read_tensor(item, buffers) for item in table.tables(0, _MAX_ITEMS)]
    inputs, outputs = (_indices(table, slot, len(tensors)) for slot in (1, 2))
    written = set(inputs)
    for index in inputs:
        if tensors[index].constant:
            raise CorruptFile(f"tensor {tensors[index].name!r} is an input and a constant")
    ready = written | {i for i, tensor in enumerate(tensors) if tensor.constant or tensor.variable}
    for operator in table.tables(3, _MAX_ITEMS):
        _check_operator(operator, tensors, ready, written, operator_codes)
    for index in outputs:
        if index not in ready:
            raise CorruptFile(f"output tensor {tensors[index].name!r} is never computed")
    return _Graph(tensors, frozenset(inputs), frozenset(outputs))


def _check_operator(
    operator: Table, tensors: Sequence[Tensor], ready: set[int], written: set[int], operator_codes: int
) -> None:
    """Check one operator and add its outputs to `ready` and `written`."""
    if operator.number(0, "I") >= operator_codes:
        raise CorruptFile("an operator has no operator code")
    for options in (operator.table(4), operator.table(12)):
        if options is not None:
            options.check_fields()
    for index in _indices(operator, 1, len(tensors), absent=True):
        if index >= 0 and index not in ready:
            raise CorruptFile(f"tensor {tensors[index].name!r} is read before it is computed")
    _indices(operator, 8, len(tensors), absent=True)
    for index in _indices(operator, 2, len(tensors)):
        if index in written or tensors[index].constant:
            raise CorruptFile(f"tensor {tensors[index].name!r} is computed twice or a constant")
        written.add(index)
        ready.add(index)


def _indices(table: Table, slot: int, count: int, absent: bool = False) -> list[int]:
    """The tensor indices in `slot`; -1 stands for an optional input left out."""
    found: list[int] = table.numbers(slot, "i4").tolist()
    for index in found:
        if not (-1 if absent else 0) <= index < count:
            raise CorruptFile(f"it names tensor {index} of {count}")
    return found


def _read_signatures(model: Table, graphs: Sequence[_Graph]) -> dict[str, Signature]:
    signatures: dict[str, Signature] = {}
    for entry in model.tables(7, 1000):
        name, graph_index = entry.string(2), entry.number(4, "I")
        if name in signatures or graph_index >= len(graphs):
            raise CorruptFile(f"its signature {name!r} is double or has no subgraph")
        graph = graphs[graph_index]
        inputs = _named_tensors(entry, 0, graph, graph.inputs, name)
        outputs = _named_tensors(entry, 1, graph, graph.outputs, name)
        signatures[name] = Signature(inputs, outputs)
    return signatures


def _named_tensors(
    entry: Table, slot: int, graph: _Graph, expected: frozenset[int], signature: str
) -> dict[str, Tensor]:
    """A signature's inputs or outputs, which must be the subgraph's own."""
    named = {item.string(0): item.number(1, "I") for item in entry.tables(slot, 1000)}
    if set(named.values()) != expected:
        raise CorruptFile(f"the tensors of its signature {signature!r} are not those of its subgraph")
    return {name: graph.tensors[index] for name, index in named.items()}
