"""A float32 program to int8 through ai-edge-quantizer, on grids that edgesr chose.

The quantizer's own calibration is not used: ranges are given to it, and weights lie on their grid before it
sees them, so that it finds the same scale again. Ops that it does not know stay float32.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import UserError
from ...quantization.affine import weight_levels
from ...quantization.weights import omse_scales
from .converter import quiet, reason
from .model import MOVES, WEIGHTS, Model, name_of

Range = tuple[float, float]
BITS = 8
EVERY_OP = ("*",)
HEAVY_OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")
"""Where nearly all multiplications are, in the quantizer's words."""


def int8_program(program: bytes, ranges: Mapping[str, Range], kinds: Sequence[str] = EVERY_OP) -> bytes:
    """The program with 8-bit weights per output channel and 8-bit activations; float32 at both ends.

    Args:
        ranges: float tensor -> its least and its greatest value, as `settled` leaves them.
        kinds: ops that become int8, where the quantizer knows them; all others stay float32.

    Raises:
        UserError: the quantizer does not take the program.
    """
    with quiet():
        try:
            return _quantized(on_grid(program), ranges, kinds)
        except Exception as error:  # the quantizer raises many kinds
            raise UserError(
                f"ai-edge-quantizer cannot quantize the network ({reason(error)}): give --bits f32"
            ) from error


def _quantized(program: bytes, ranges: Mapping[str, Range], kinds: Sequence[str]) -> bytes:
    from ai_edge_quantizer import qtyping, quantizer

    work = quantizer.Quantizer(program)
    for kind in kinds:
        work.add_static_config(".*", qtyping.TFLOperationName(kind), BITS, BITS)
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        work.update_quantization_recipe(".*", end, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    rank = {name_of(tensor): len(tensor.shape) for tensor in Model(program).graph.tensors}
    given = {
        name: {
            end: np.full([1] * rank[name], value, np.float32)
            for end, value in zip(("min", "max"), bounds, strict=True)
        }
        for name, bounds in ranges.items()
    }
    result: Any = work.quantize(given, enable_progress_report=False, enable_progress_bar=False)
    return Model(bytes(result.quantized_model)).to_bytes()


def on_grid(program: bytes) -> bytes:
    """The float program with every weight rounded to the 8-bit grid of least squared error.

    Such a grid always has a weight on its outermost level: from the largest magnitude alone, anyone who
    quantizes these weights symmetrically finds the same scale and the same integers.
    """
    model = Model(program)
    done: set[int] = set()
    for step in model.steps():
        weight = step.weight
        values = None if weight is None or id(weight) in done else model.constant(weight)
        if values is not None:
            done.add(id(weight))
            model.replace(weight, rounded(values, WEIGHTS[step.kind].axis))
    return model.to_bytes()


def rounded(weight: np.ndarray, axis: int) -> np.ndarray:
    """float32 weights on the symmetric int8 grid of each channel along `axis`."""
    rows = np.moveaxis(weight, axis, 0)
    limit = weight_levels(BITS)
    scales = omse_scales(rows, BITS).reshape(-1, *[1] * (rows.ndim - 1))
    levels = np.clip(np.rint(rows / scales), -limit, limit)
    return np.moveaxis((levels * scales).astype(np.float32), 0, axis)


def settled(program: bytes, ranges: Mapping[str, Range], pixel_range: int) -> dict[str, Range]:
    """The ranges with the picture's and the output's fixed to those of 8-bit pixels.

    What only moves the output's values has the same range, back to the op that makes them; but not what
    another op reads too, for which values that no pixel has may count.
    """
    model = Model(program)
    steps = tuple(model.steps())
    maker = {name_of(output): step for step in steps for output in step.outputs}
    readers = Counter(name_of(tensor) for step in steps for tensor in step.inputs if tensor is not None)
    image, result = model.ends
    fixed = {image, result}
    while (step := maker.get(result)) is not None and step.kind in MOVES:
        result = name_of(step.picture)
        if readers[result] > 1:
            break
        fixed.add(result)
    return {**ranges, **dict.fromkeys(fixed, (0.0, float(pixel_range)))}
