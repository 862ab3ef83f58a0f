"""One delegate program in the making: values, nodes, and constants that the file keeps outside of it.

Knows XNNPACK's format and nothing of networks. Tensors are NHWC within; the delegate is handed NCHW.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...graph.ops import Array
from ...quantization.affine import QParams
from .flatbuffer import Number, Table, encode, f32, i32, u32, u32s, u64, union
from .kinds import (
    IDENTIFIER,
    INPUT_FLAG,
    NONE,
    NOT_INSIDE,
    OUTPUT_FLAG,
    VERSION,
    Datatype,
    Grid,
    Kind,
)

HEADER = struct.Struct("<4x4sHIIIQ")  # magic, its length, place and size of graph and of constants
_PLAIN, _QUANTIZED = 1, 2  # places in the union of values

Shape = Sequence[int]


class Constants:
    """Data that delegate programs share, by content."""

    def __init__(self) -> None:
        self.by_key: dict[str, bytes] = {}

    def key(self, data: bytes) -> str:
        """The name to ask for it by: made of its content, for ExecuTorch may keep it beyond one program."""
        name = hashlib.sha256(data).hexdigest()[:32]
        self.by_key[name] = data
        return name


class Subgraph:
    """A delegate program.

    It is handed the tensors that come in or go out in the order in which they are made here, inputs first.
    """

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.nodes: list[Table] = []
        self.values: list[Table] = []
        self.places: list[Table] = [Table({0: u64(0), 1: u64(0), 2: ""})]  # place 0 says: no constant
        self._known: dict[tuple[object, ...], int] = {}
        self._handed: list[tuple[int, int]] = []  # flag and number of the tensors that come in or go out

    def value(self, shape: Shape, qparams: QParams | None, flag: int = 0) -> int:
        """Number of a new tensor: int8 with `qparams`, float32 without.

        `flag` says that it comes in or goes out.
        """
        if qparams is None:
            return self._value(Datatype.FLOAT, shape, flag=flag)
        grid = Table({0: f32(qparams.scale), 1: i32(qparams.zero_point)})
        return self._value(Datatype.INT8, shape, (Grid.PER_TENSOR, grid), flag=flag)

    def dynamic(self, shape: Shape, axes: int) -> int:
        """Number of a new int8 tensor whose grid is found at run time, over the last `axes` axes."""
        return self._value(Datatype.INT8_DYNAMIC, shape, (Grid.DYNAMIC, Table({0: i32(axes)})))

    def constant(self, data: Array, kind: Datatype, scales: Array | None = None, axis: int = 0) -> int:
        """Number of a constant tensor, with one scale for each index of `axis` where it is quantized."""
        place = self._place(data.tobytes())
        scale_place = None if scales is None else self._place(scales.astype(np.float32).tobytes())
        known = (place, scale_place, kind, data.shape, axis)
        if known not in self._known:
            grid = None
            if scales is not None and scale_place is not None:
                table = Table({1: i32(axis), 2: u32(scale_place), 3: u32(len(scales))})
                grid = (Grid.PER_CHANNEL, table)
            self._known[known] = self._value(kind, data.shape, grid, place)
        return self._known[known]

    def node(
        self, kind: Kind, fields: Mapping[int, Any], label: int, limits: tuple[float, float] | None = None
    ) -> None:
        """Adds a node; nodes that compute one tensor have one `label`, `limits` are what it is clipped to."""
        plain = {slot: v if isinstance(v, Number | np.ndarray) else u32(v) for slot, v in fields.items()}
        clip = {} if limits is None else {3: Table({0: f32(limits[0]), 1: f32(limits[1])})}
        self.nodes.append(Table({**union(0, kind, Table(plain)), 2: u32(label), **clip}))

    def to_bytes(self) -> bytes:
        graph = Table(
            {
                0: VERSION,
                1: self.nodes,
                2: self.values,
                3: u32(len(self._handed)),
                4: u32s(n for flag, n in self._handed if flag == INPUT_FLAG),
                5: u32s(n for flag, n in self._handed if flag == OUTPUT_FLAG),
                8: self.places,
            }
        )
        data = encode(graph, IDENTIFIER)
        room = 16 * -(-HEADER.size // 16)
        end = room + 16 * -(-len(data) // 16)
        header = HEADER.pack(b"XH00", HEADER.size, room, len(data), end, 0)
        return header.ljust(room, b"\0") + data.ljust(end - room, b"\0")

    def _value(
        self, kind: Datatype, shape: Shape, grid: tuple[Grid, Table] | None = None, place: int = 0,
        flag: int = 0,
    ) -> int:  # fmt: skip
        index = len(self.values)
        tensor = Table(
            {
                0: Number("h", kind), 1: u32(len(shape)), 2: u32s(shape), 3: u32(place),
                4: u32(len(self._handed) if flag else NONE), 5: u32(flag), 6: u32(index),
            }
        )  # fmt: skip
        quantized = grid and Table({0: tensor, **union(1, *grid)})
        self.values.append(Table(union(0, _QUANTIZED, quantized) if quantized else union(0, _PLAIN, tensor)))
        if flag:
            self._handed.append((flag, index))
        return index

    def _place(self, data: bytes) -> int:
        key = self.constants.key(data)
        if (key,) not in self._known:
            self._known[key,] = len(self.places)
            self.places.append(Table({0: u64(NOT_INSIDE), 1: u64(len(data)), 2: key}))
        return self._known[key,]
