"""What XNNPACK's delegate program is made of: its node kinds, number formats and flags, by their numbers.

The numbers are those of the delegate's schema (identifier XN01); writer and reader share them.
"""

import math
from enum import IntEnum

IDENTIFIER = b"XN01"
VERSION = "0"


class Kind(IntEnum):
    """Node kinds that edgesr uses: their places in the union of nodes."""

    ADD = 1
    SIGMOID = 4
    TRANSPOSE = 5
    CLAMP = 6
    CONV = 7
    RESIZE_BILINEAR = 9
    PAD = 10
    DEPTHWISE_CONV = 13
    MAX_POOL = 14
    MULTIPLY = 15
    SUBTRACT = 16
    CONVERT = 18
    MEAN = 19
    RESHAPE = 20
    SQUARE_ROOT = 22
    LEAKY_RELU = 25
    SQUARE = 28
    PRELU = 31
    CONCAT_2 = 32
    CONCAT_3 = 33
    CONCAT_4 = 34
    SLICE = 35
    CONCAT_5 = 38
    TRANSPOSED_CONV = 39
    TANH = 43


CONCATS = {2: Kind.CONCAT_2, 3: Kind.CONCAT_3, 4: Kind.CONCAT_4, 5: Kind.CONCAT_5}
"""How many tensors each kind joins."""


class Datatype(IntEnum):
    """Number formats of values."""

    FLOAT = 1
    INT8 = 3
    INT8_PER_CHANNEL = 6
    INT32_PER_CHANNEL = 7
    INT8_DYNAMIC = 9


class Grid(IntEnum):
    """How a value is quantized: places in the union of quantization parameters."""

    PER_CHANNEL = 1
    PER_TENSOR = 2
    DYNAMIC = 3


NONE = 0xFFFFFFFF  # in place of a value's number
NOT_INSIDE = 0xFFFFFFFFFFFFFFFF  # in place of an offset: a constant lies outside and is asked for by its key
INPUT_FLAG, OUTPUT_FLAG = 1, 2
ALL = 0  # in place of an axis' length in a slice: as long as the input
KEEP_AXES = 0x40  # a mean keeps the axes over which it is taken
RELU = (0.0, math.inf)  # what a fused ReLU clips to
TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
BLOCKS_APART = (0, 2, 1, 3)  # (rows, columns, row in block, rest) -> (rows, row in block, columns, rest)
