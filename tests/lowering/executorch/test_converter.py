"""ExecuTorch's own converter and readers as witnesses: the same network through them is the same program."""

import json
import logging
import subprocess
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgesr.graph import ops
from edgesr.lowering.executorch.kinds import Datatype, Kind
from edgesr.lowering.executorch.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.typed import Dequantize, QConv2d, Quantize, TypedGraph, TypedNode
from edgesr_runtime.executorch_engine import ExecuTorchEngine
from edgesr_runtime.pte import read_pte

from .programs import SIDE, SKIPPED, tiny

pytest.importorskip("executorch", reason=SKIPPED)


class Decomposed(nn.Module):
    """An int8 graph of convolutions and sums in PyTorch's words: float ops between rounding steps."""

    def __init__(self, graph: TypedGraph) -> None:
        super().__init__()
        self.typed = graph
        self.rounding = torch.ops.quantized_decomposed
        for index, node in enumerate(graph):
            if isinstance(node.op, QConv2d):
                source = graph[node.inputs[0]].qparams
                assert source is not None
                unit = np.float64(source.scale) * node.op.scales
                constants = {"levels": node.op.weight, "scales": node.op.scales}
                constants["bias"] = (node.op.bias * unit).astype(np.float32)
                for name, value in constants.items():
                    self.register_buffer(f"{name}{index}", torch.from_numpy(value))
                self.register_buffer(f"zeros{index}", torch.zeros(len(node.op.bias), dtype=torch.int64))

    def forward(self, image: Tensor) -> Tensor:
        values: dict[str, Tensor] = {}
        for index, node in enumerate(self.typed):
            read = [self._value(self.typed[name], values) for name in node.inputs]
            made = image if isinstance(node.op, ops.Input) else self._compute(node.op, index, read)
            values[node.name] = made if node.qparams is None else self._rounded(made, node.qparams)
        return values[self.typed.output]

    def _value(self, node: TypedNode, values: dict[str, Tensor]) -> Tensor:
        """Rounded back to float anew for each reader: one step with several readers would not convert."""
        q = node.qparams
        if q is None:
            return values[node.name]
        restore = self.rounding.dequantize_per_tensor.default
        return restore(values[node.name], q.scale, q.zero_point, -128, 127, torch.int8)

    def _rounded(self, x: Tensor, q: QParams) -> Tensor:
        return self.rounding.quantize_per_tensor.default(x, q.scale, q.zero_point, -128, 127, torch.int8)

    def _compute(self, op: ops.Op, index: int, read: list[Tensor]) -> Tensor:
        if isinstance(op, QConv2d):
            levels, scales, bias, zeros = (
                getattr(self, f"{name}{index}") for name in ("levels", "scales", "bias", "zeros")
            )
            restore = self.rounding.dequantize_per_channel.default
            weight = restore(levels, scales, zeros, 0, -127, 127, torch.int8)
            sides = (op.padding.top, op.padding.left)
            y = nn.functional.conv2d(read[0], weight, bias, op.stride, sides, groups=op.groups)
            return y.relu() if op.relu else y
        if isinstance(op, ops.Add):
            return read[0] + read[1]
        if isinstance(op, ops.PixelShuffle):
            return nn.functional.pixel_shuffle(read[0], op.factor)
        assert isinstance(op, Quantize | Dequantize), op
        return read[0]


@cache
def converted() -> bytes:
    """A tiny EDSR by way of ExecuTorch's converter."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower
        from torch.ao.quantization.fx import _decomposed  # noqa: F401  (registers the rounding ops)

        module = Decomposed(tiny("edsr").typed("w8a8")).eval()
        exported = torch.export.export(module, (torch.zeros(1, 3, SIDE, SIDE),))
        lowered = to_edge_transform_and_lower({"high": exported}, partitioner=[XnnpackPartitioner()])
        program = bytes(lowered.to_executorch().buffer)
    logging.disable(logging.NOTSET)
    return program


def written() -> bytes:
    return write({"high": tiny("edsr").typed("w8a8")}, SIDE, b"{}")


def test_the_converters_program_gives_the_same_numbers() -> None:
    from executorch.extension.pybindings import _C

    image = tiny("edsr").image()
    theirs = _C._load_for_executorch_from_buffer(converted())
    (expected,) = theirs.run_method("high", (torch.from_numpy(image.transpose(0, 3, 1, 2).copy()),))
    got = ExecuTorchEngine(written()).run("high", image)
    assert np.array_equal(got, expected.numpy().transpose(0, 2, 3, 1))


def test_the_container_is_as_the_converter_writes_it() -> None:
    """But for where tensors lie in memory, and whether a delegate's program lies in a segment."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    ours, theirs = (deserialize_pte_binary(data).program for data in (written(), converted()))
    plan, expected = ours.execution_plan[0], theirs.execution_plan[0]
    assert (plan.name, plan.inputs, plan.outputs) == (expected.name, expected.inputs, expected.outputs)
    assert plan.container_meta_type == expected.container_meta_type
    assert plan.chains == expected.chains
    assert [d.id for d in plan.delegates] == [d.id for d in expected.delegates] == ["XnnpackBackend"]
    for value, wanted in zip(plan.values, expected.values, strict=True):
        value.val.allocation_info = wanted.val.allocation_info
    assert plan.values == expected.values


def test_the_delegates_program_follows_its_schema(tmp_path: Path) -> None:
    """Read by the schema's own compiler."""
    graph = delegate_in_words(read_pte(written()).methods["high"].payload, tmp_path)
    kinds = [node["xnode_union_type"] for node in graph["xnodes"]]
    typed = tiny("edsr").typed("w8a8")
    convs = kinds.count("XNNConv2d") + kinds.count("XNNDepthwiseConv2d")
    assert convs == sum(isinstance(node.op, QConv2d) for node in typed)
    assert kinds[:3] == ["XNNStaticTranspose", "XNNConvert", "XNNDepthwiseConv2d"]
    assert kinds[-2:] == ["XNNConvert", "XNNStaticTranspose"]
    shuffle = kinds.index("XNNStaticReshape")
    assert kinds[shuffle : shuffle + 3] == ["XNNStaticReshape", "XNNStaticTranspose", "XNNStaticReshape"]
    formats = {v["xvalue_union"].get("tensor_value", v["xvalue_union"])["datatype"] for v in graph["xvalues"]}
    assert formats == {f"xnn_datatype_{name}" for name in ("fp32", "qint8", "qcint8", "qcint32")}


def test_every_number_is_the_schemas() -> None:
    kinds, formats = enumerators("XNodeUnion"), enumerators("XNNDatatype")
    assert {kind.name: kinds[kind] for kind in Kind} == KINDS
    assert {kind.name: formats[kind] for kind in Datatype} == FORMATS


KINDS = {
    "ADD": "XNNAdd", "SIGMOID": "XNNSigmoid", "TRANSPOSE": "XNNStaticTranspose", "CLAMP": "XNNClamp",
    "CONV": "XNNConv2d", "RESIZE_BILINEAR": "XNNStaticResizeBilinear2D", "PAD": "XNNStaticConstantPad",
    "DEPTHWISE_CONV": "XNNDepthwiseConv2d", "MAX_POOL": "XNNMaxPooling2d", "MULTIPLY": "XNNMultiply",
    "SUBTRACT": "XNNSubtract", "CONVERT": "XNNConvert", "MEAN": "XNNGlobalAvgPooling2d",
    "RESHAPE": "XNNStaticReshape", "SQUARE_ROOT": "XNNSquareRoot", "LEAKY_RELU": "XNNLeakyReLU",
    "SQUARE": "XNNSquare", "PRELU": "XNNPReLU", "CONCAT_2": "XNNConcatenate2", "CONCAT_3": "XNNConcatenate3",
    "CONCAT_4": "XNNConcatenate4", "CONCAT_5": "XNNConcatenate5", "SLICE": "XNNStaticSlice",
    "TRANSPOSED_CONV": "XNNConvTranspose2d", "TANH": "XNNTanh",
}  # fmt: skip
FORMATS = {
    "FLOAT": "xnn_datatype_fp32", "INT8": "xnn_datatype_qint8", "INT8_PER_CHANNEL": "xnn_datatype_qcint8",
    "INT32_PER_CHANNEL": "xnn_datatype_qcint32", "INT8_DYNAMIC": "xnn_datatype_qdint8",
}  # fmt: skip


def schema() -> str:
    return files("executorch.backends.xnnpack.serialization").joinpath("schema.fbs").read_text()


def enumerators(name: str) -> dict[int, str]:
    """Number -> name of an enumeration or union of the schema; a union counts from 1."""
    body = schema().split(f" {name} ", 1)[1].split("{", 1)[1].split("}", 1)[0]
    lines = [line.split("//")[0].strip() for line in body.splitlines()]
    items = [part.strip() for line in lines for part in line.split(",") if part.strip()]
    if "=" in items[0]:
        return {int(item.split("=")[1]): item.split("=")[0].strip() for item in items}
    return {1 + place: item.split(":")[0].strip() for place, item in enumerate(items)}


def delegate_in_words(payload: bytes, folder: Path) -> Any:
    """A delegate's program as JSON, by the schema's own compiler."""
    start, size = (int.from_bytes(payload[at : at + 4], "little") for at in (10, 14))
    (folder / "graph.bin").write_bytes(payload[start : start + size])
    (folder / "schema.fbs").write_text(schema())
    compiler = str(files("executorch") / "data" / "bin" / "flatc")
    words = ["--json", "--strict-json", "--defaults-json", "-o", str(folder)]
    subprocess.run(
        [compiler, *words, str(folder / "schema.fbs"), "--", str(folder / "graph.bin")], check=True
    )
    return json.loads((folder / "graph.json").read_text().replace(": inf", ": Infinity"))
