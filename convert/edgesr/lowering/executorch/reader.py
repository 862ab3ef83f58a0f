"""ExecuTorch program -> typed graphs, the inverse of the writer: what a file really says, ready to execute.

So a program is judged by its bytes and not by the memory of how it was made. Every offset is checked before
it is followed; and what was read must, written again, give the very file, which leaves nothing in it unread
or misunderstood.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from edgesr_runtime.flatbuffer import CorruptFile, Table
from edgesr_runtime.pte import METADATA_METHOD, DelegatedMethod, read_pte

from ...errors import UserError
from ...graph import ops
from ...quantization.affine import QParams
from ...quantization.typed import TypedGraph, TypedNode
from .kinds import IDENTIFIER, Datatype, Grid, Kind
from .operators import DTYPES, ENDS, READERS, FileNode, FileValue
from .subgraph import HEADER
from .writer import LAYERS_METHOD, write

LIMIT = 20_000  # entries in any list of a delegate program
REUSE = 16  # times that a program may use its constants, on average
REMEDY = "check a program written by this version of edgesr, or convert the network again"

_PLAIN, _QUANTIZED = 1, 2  # places in the union of values


def read(program: bytes) -> dict[str, TypedGraph]:
    """The typed graph of every variant, as `arrange` left it: names, formats, ops and weights.

    A convolution whose int8 weights all lie within -7..7 reads as one of 4 bits.

    Raises:
        UserError: the file is damaged, or is not one that this version of edgesr writes.
    """
    try:
        graphs, again = _read_program(program)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        what = str(error) if isinstance(error, ValueError) else "it names what is not there"
        raise UserError(f"the program is not a sound .pte file of edgesr: {what}; {REMEDY}") from error
    except UserError as error:  # of writing it again
        raise UserError(f"the program cannot be what edgesr writes: {error}") from error
    if again != program:
        raise UserError(f"the program holds something that edgesr does not write; {REMEDY}")
    return graphs


def labelled_nodes(program: bytes, variant: str) -> list[tuple[Kind, str]]:
    """The nodes of a variant's delegate in order, each with the name of the layer that it helps to compute.

    The last one, which only brings the picture into ExecuTorch's order, has the name "".

    Raises:
        UserError: as `read`.
    """
    read(program)
    contents = read_pte(program)
    names = [*json.loads(contents.strings[LAYERS_METHOD])[variant]["names"], ""]
    reading = _Reading(contents.methods[variant], contents.constants, _Budget(REUSE * len(program)))
    return [(node.kind, names[node.label]) for node in reading.nodes]


def _read_program(program: bytes) -> tuple[dict[str, TypedGraph], bytes]:
    """The graphs, and the file that they make."""
    contents = read_pte(program)
    layers = json.loads(contents.strings[LAYERS_METHOD])
    budget = _Budget(REUSE * len(program))
    readings = {
        name: _Reading(method, contents.constants, budget) for name, method in contents.methods.items()
    }
    graphs = {name: reading.graph(_Layers.of(layers[name])) for name, reading in readings.items()}
    first, *_ = readings.values()
    return graphs, write(graphs, first.tile, contents.strings[METADATA_METHOD].encode(), first.largest)


class _Budget:
    """So that a small file cannot ask for a large amount of work by naming one constant many times."""

    def __init__(self, total: int) -> None:
        self.left = total

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise CorruptFile("it uses its constants more often than any network does")


@dataclass(frozen=True)
class _Layers:
    """What the file says about a method apart from its delegate: names by label, and whose size they take."""

    names: Sequence[str]
    sizes: Mapping[str, str]

    @staticmethod
    def of(value: Mapping[str, object]) -> "_Layers":
        names, sizes = value["names"], value["sizes"]
        if not isinstance(names, list) or not isinstance(sizes, dict) or len(set(names)) != len(names):
            raise CorruptFile("its names of layers are not a list of names")
        if not all(isinstance(name, str) for name in (*names, *sizes.values())):
            raise CorruptFile("a layer's name is not text")
        return _Layers(names, sizes)


class _Reading:
    """One method, read node by node."""

    def __init__(self, method: DelegatedMethod, constants: Mapping[str, bytes], budget: _Budget) -> None:
        self.method, self.constants, self.budget = method, constants, budget
        table = Table.root(_graph_of(method.payload), IDENTIFIER)
        self.places = table.tables(8, LIMIT)
        self.values = [self._value(value) for value in table.tables(2, LIMIT)]
        self.nodes = [_read_node(node) for node in table.tables(1, LIMIT)]

    @property
    def tile(self) -> int:
        """Height and width that the delegate is written for."""
        return self.values[0].shape[2]

    @property
    def largest(self) -> int | None:
        """Height and width of the largest picture; None where tiles are the only ones."""
        return self.method.takes[2] if self.method.resizable else None

    def graph(self, layers: _Layers) -> TypedGraph:
        """The first and the last node only bring pictures into XNNPACK's order and back."""
        first, *groups, last = self._groups()
        image = layers.names[0]
        nodes = {first[-1].out: TypedNode(image, ops.Input(self.method.takes[1]))}
        for name, group in zip(layers.names[1:], groups, strict=True):
            op = READERS[tuple(node.kind for node in group)](group, self.values)
            read = tuple(nodes[index].name for index in group[0].computed(self.values))
            if isinstance(op, ops.ResizeBilinear) and name in layers.sizes:
                op, read = ops.ResizeBilinear(), (*read, layers.sizes[name])
            out = group[-1].out
            nodes[out] = TypedNode(name, op, read, self.values[out].qparams)
        (output,) = last[0].computed(self.values)
        return TypedGraph(tuple(nodes.values()), nodes[output].name)

    def _groups(self) -> Iterator[list[FileNode]]:
        """The nodes that compute one tensor of the typed graph."""
        for _, group in groupby(self.nodes, key=lambda node: node.label):
            yield list(group)

    def _value(self, table: Table) -> FileValue:
        kind, value = table.number(0, "B"), _part(table, 1)
        tensor = _part(value, 0) if kind == _QUANTIZED else value
        if kind not in (_PLAIN, _QUANTIZED):
            raise CorruptFile("a value is of no known kind")
        datatype = Datatype(tensor.number(0, "h"))
        shape = tuple(tensor.numbers(2, "u4").tolist())
        grid = (Grid(value.number(1, "B")), _part(value, 2)) if kind == _QUANTIZED else None
        place = tensor.number(3, "I")
        data = np.frombuffer(self._data(place), DTYPES[datatype]).reshape(shape).copy() if place else None
        return FileValue(datatype, shape, _qparams(grid), self._scales(grid), data)

    def _scales(self, grid: tuple[Grid, Table] | None) -> np.ndarray | None:
        if grid is None or grid[0] != Grid.PER_CHANNEL:
            return None
        return np.frombuffer(self._data(grid[1].number(2, "I")), np.float32).copy()

    def _data(self, place: int) -> bytes:
        data = self.constants[self.places[place].string(2)]
        self.budget.spend(len(data))
        return data


def _graph_of(payload: bytes) -> bytes:
    """The FlatBuffers part of a delegate program."""
    if len(payload) < HEADER.size:
        raise CorruptFile("a delegate's program has no header")
    magic, _, start, size, _, constants = HEADER.unpack_from(payload)
    if magic != b"XH00" or constants or not HEADER.size <= start <= start + size <= len(payload):
        raise CorruptFile("a delegate's program is not where its header says")
    return payload[start : start + size]


def _read_node(table: Table) -> FileNode:
    kind = Kind(table.number(0, "B"))
    limits = table.table(3)
    clip = None if limits is None else (float(limits.number(0, "f")), float(limits.number(1, "f")))
    return FileNode(kind, _part(table, 1), table.number(2, "I"), clip, ENDS[kind])


def _qparams(grid: tuple[Grid, Table] | None) -> QParams | None:
    if grid is None or grid[0] != Grid.PER_TENSOR:
        return None
    return QParams(float(grid[1].number(0, "f")), grid[1].number(1, "i"))


def _part(table: Table, slot: int) -> Table:
    part = table.table(slot)
    if part is None:
        raise CorruptFile("a part of a delegate's program is missing")
    return part
