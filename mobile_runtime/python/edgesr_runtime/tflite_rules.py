"""The rules that one tensor of a .tflite file keeps, as a table of types and a few checks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgesr_runtime.flatbuffer import CorruptFile, Table

_MAX_BYTES = 1 << 31  # of one tensor
_MAX_RANK = 8


@dataclass(frozen=True)
class TensorType:
    """A type of the TFLite schema: bits of one value, and where its zero points may lie."""

    name: str
    bits: int
    zero_points: tuple[int, int] = (0, 0)


def _integer_type(bits: int, signed: bool = True) -> TensorType:
    low = -(1 << (bits - 1)) if signed else 0
    return TensorType(f"{'int' if signed else 'uint'}{bits}", bits, (low, low + (1 << bits) - 1))


# By number in the schema. Types that no image network uses (strings, resources, complex) are left out.
TYPES: Mapping[int, TensorType] = {
    0: TensorType("float32", 32),
    1: TensorType("float16", 16),
    2: TensorType("int32", 32),  # quantized only as a bias, whose zero point is 0
    3: _integer_type(8, signed=False),
    4: TensorType("int64", 64),
    6: TensorType("bool", 8),
    7: _integer_type(16),
    9: _integer_type(8),
    16: _integer_type(16, signed=False),
    17: _integer_type(4),
    19: _integer_type(2),
    20: _integer_type(4, signed=False),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the file declares it; `constant` where the file holds its values, `resizable` where it is a
    picture whose height and width are chosen at run time."""

    name: str
    type: str
    shape: tuple[int, ...]
    constant: bool
    variable: bool
    resizable: bool = False


def read_tensor(table: Table, buffers: Sequence[memoryview]) -> Tensor:
    """Read and check one tensor.

    Raises:
        CorruptFile: an unknown type, a negative or huge shape, data that does not fill the shape,
            impossible quantization, or a kind of tensor that edgesr programs never hold.
    """
    name = table.string(3)
    kind = TYPES.get(table.number(1, "b"))
    if kind is None:
        raise CorruptFile(f"tensor {name!r} has type {table.number(1, 'b')}, which is not supported")
    if table.table(6) is not None or table.tables(9, 0) or table.number(10, "I"):
        raise CorruptFile(f"tensor {name!r} is sparse, a variant or kept in another file")
    shape = tuple(table.numbers(0, "i4").tolist())
    bytes_needed = _checked_bytes(name, shape, kind)
    index = table.number(2, "I")
    if index >= len(buffers):
        raise CorruptFile(f"tensor {name!r} names buffer {index} of {len(buffers)}")
    constant, variable = len(buffers[index]) > 0, bool(table.number(5, "b"))
    if constant and (len(buffers[index]) != bytes_needed or variable):
        raise CorruptFile(f"tensor {name!r} of {bytes_needed} bytes has {len(buffers[index])} bytes of data")
    resizable = _check_shape_signature(table, name, shape)
    quantization = table.table(4)
    if quantization is not None:
        _check_quantization(quantization, name, shape, kind)
    return Tensor(name, kind.name, shape, constant, variable, resizable)


def _checked_bytes(name: str, shape: tuple[int, ...], kind: TensorType) -> int:
    if len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        raise CorruptFile(f"tensor {name!r} has shape {list(shape)}")
    bytes_needed = (math.prod(shape) * kind.bits + 7) // 8
    if bytes_needed > _MAX_BYTES:
        raise CorruptFile(f"tensor {name!r} of shape {list(shape)} is too large")
    return bytes_needed


def _check_shape_signature(table: Table, name: str, shape: tuple[int, ...]) -> bool:
    """A dimension is fixed or -1, which is for a size chosen at run time: whether height and width are."""
    signature = table.numbers(7, "i4").tolist()
    if signature and not (
        len(signature) == len(shape) and all(s in (-1, d) for s, d in zip(signature, shape, strict=True))
    ):
        raise CorruptFile(f"tensor {name!r} of shape {list(shape)} has the signature {signature}")
    return len(shape) == 4 and signature == [shape[0], -1, -1, shape[3]]


def _check_quantization(table: Table, name: str, shape: tuple[int, ...], kind: TensorType) -> None:
    scales, zero_points = table.numbers(2, "f4"), table.numbers(3, "i8")
    if table.number(4, "B") or table.table(5) is not None:
        raise CorruptFile(f"tensor {name!r} is quantized in blocks or by custom rules")
    if len(scales) != len(zero_points):
        raise CorruptFile(f"tensor {name!r} has {len(scales)} scales and {len(zero_points)} zero points")
    if not len(scales):
        return
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise CorruptFile(f"tensor {name!r} has a scale that is not finite and above 0")
    low, high = kind.zero_points
    if zero_points.min() < low or zero_points.max() > high:
        raise CorruptFile(f"tensor {name!r} has a zero point outside {low}..{high} of {kind.name}")
    axis = table.number(6, "i")
    if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise CorruptFile(f"tensor {name!r} of shape {list(shape)} has {len(scales)} scales on axis {axis}")
