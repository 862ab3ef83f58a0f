"""What a converted program says about itself: a record for each layer with weights, and its int8 share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr_runtime.metadata import LayerRecord

from .model import WEIGHTS, Model, Step, name_of

KINDS = {
    "CONV_2D": "Conv2d",
    "DEPTHWISE_CONV_2D": "Conv2d",
    "TRANSPOSE_CONV": "ConvTranspose2d",
    "FULLY_CONNECTED": "Linear",
}
"""TFLite's word -> PyTorch's."""
BITS = {schema.TensorType.INT8: 8, schema.TensorType.FLOAT32: 32}


def layer_records(program: bytes, ranges: Mapping[str, tuple[float, float]]) -> tuple[LayerRecord, ...]:
    """Layers with weights in the order of execution, under the names that the converter gave them."""
    steps = tuple(Model(program).steps())
    copies = {name_of(s.outputs[0]): name_of(s.inputs[0]) for s in steps if s.kind == "QUANTIZE"}
    known = {**ranges, **{copy: ranges[name] for copy, name in copies.items() if name in ranges}}
    return tuple(_record(step, known) for step in steps if step.kind in WEIGHTS)


def _record(step: Step, ranges: Mapping[str, tuple[float, float]]) -> LayerRecord:
    result = step.outputs[0]
    integer = _is_int8(step.weight) and _is_int8(step.picture)
    return LayerRecord(
        name=name_of(result),
        kind=KINDS[step.kind],
        weight_bits=BITS.get(step.weight.type, 32),
        activation_bits=8 if integer else 32,
        container="int8" if integer else "f32",
        input_range=ranges.get(name_of(step.picture)),
        output_range=ranges.get(name_of(result)),
        sensitivity=None,
    )


def int8_mac_share(program: bytes) -> float:
    """Share of the multiplications of all layers with weights, and of matrix products, that are int8."""
    macs = {True: 0.0, False: 0.0}
    for step in Model(program).steps():
        if step.kind in WEIGHTS:
            macs[_is_int8(step.weight) and _is_int8(step.picture)] += _multiplications(step)
        elif step.kind == "BATCH_MATMUL":
            depth = step.inputs[0].shape[-1]  # of the usual layout; of others it is as large at most
            macs[all(map(_is_int8, step.inputs))] += float(depth) * _size(step.outputs[0])
    return macs[True] / max(1.0, sum(macs.values()))


def _multiplications(step: Step) -> float:
    """Every weight is used once for each place: of the input where that is the smaller picture."""
    weight = float(_size(step.weight))
    places = step.picture if step.kind == "TRANSPOSE_CONV" else step.outputs[0]
    return weight * _size(places) / places.shape[-1]


def _size(tensor: Any) -> int:
    return int(np.prod(tensor.shape, dtype=np.int64))


def _is_int8(tensor: Any) -> bool:
    return tensor is not None and tensor.type == schema.TensorType.INT8
