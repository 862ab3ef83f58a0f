"""Typed graphs run as .pte programs, and the typed graphs of tiny networks of the registry."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from e2e.test_zoo import CONFIGS, module_scale
from numpy.typing import NDArray
from typed_programs import Nodes, graph_of, picture

from edgesr.graph import ops
from edgesr.graph.graph import Graph
from edgesr.lowering.executorch.writer import write
from edgesr.networks import registry
from edgesr.networks.source import load_network
from edgesr.quantization import methods
from edgesr.quantization.plan import Plan
from edgesr.quantization.quantize import quantize
from edgesr.quantization.reference import run
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.typed import Quantize, TypedGraph
from edgesr.steps.network import float_graph
from edgesr_runtime.executorch_engine import ExecuTorchEngine

SIDE = 24
FORMS = ("w8a8", "w4a8", "mixed", "dynamic", "f32")
SKIPPED = "executorch is not installed: pip install 'edgesr[executorch]'"

Image = NDArray[np.float32]


def needs_executorch() -> None:
    """Skips the test where the runtime is missing; programs can be written and read without it."""
    pytest.importorskip("executorch", reason=SKIPPED)


def on_executorch(graph: TypedGraph, image: Image) -> Image:
    """NCHW result of a program of this graph alone, for an NHWC picture."""
    needs_executorch()
    program = write({"s": graph}, image.shape[1], b"{}")
    return ExecuTorchEngine(program).run("s", image).transpose(0, 3, 1, 2)


def by_reference(graph: TypedGraph, image: Image) -> Image:
    """The same by the integer reference."""
    result: Image = run(graph, torch.from_numpy(image.transpose(0, 3, 1, 2).copy()))[graph.output].numpy()
    return result


def check_equal(nodes: Nodes, channels: int, side: int = 12) -> None:
    """Nodes from one `Quantize` on: ExecuTorch and the reference on the same random picture."""
    graph = graph_of(nodes, channels)
    grid = next(node.qparams for node in nodes if isinstance(node.op, Quantize))
    assert grid is not None
    image = picture(grid, side, channels)
    expected = by_reference(graph, image)
    assert np.array_equal(on_executorch(graph, image), expected)
    assert len(np.unique(expected)) > 3


@dataclass(frozen=True)
class Tiny:
    """A network of the registry with random weights."""

    graph: Graph
    tiles: CalibrationTiles

    def typed(self, form: str) -> TypedGraph:
        plan = self.plan(4 if form == "w4a8" else 8)
        convs = [node.name for node in self.graph.convs]
        changes = {
            "mixed": dict.fromkeys(convs[::3], "f32"),
            "dynamic": dict.fromkeys(convs[1::2], "w8a8-dynamic"),
            "f32": {node.name: "f32" for node in self.graph},
        }
        return quantize(self.graph, plan.with_containers(changes.get(form, {})))  # type: ignore[arg-type]

    def plan(self, bits: int) -> Plan:
        return methods.by_name("minmax")(self.graph, self.tiles, bits)

    def image(self) -> Image:
        """A picture of noise, NHWC."""
        levels = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3))
        return (levels * np.float32(self.tiles.pixel_range / 255)).astype(np.float32)


@cache
def tiny(name: str) -> Tiny:
    torch.manual_seed(0)
    module = registry.by_name(name).build(**CONFIGS[name])
    with TemporaryDirectory() as folder:
        torch.save(module.state_dict(), Path(folder) / "weights.pth")
        network = load_network(str(Path(folder) / "weights.pth"), scale=module_scale(name))
    white = network.pixel_range or 1
    coarse = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)
    return Tiny(float_graph(network), CalibrationTiles((smooth * 255).round() * (white / 255), white))


def float_conv(seed: int, inputs: int, outputs: int, kernel: int = 3, groups: int = 1) -> ops.Conv2d:
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(outputs, inputs // groups, kernel, kernel)).astype(np.float32) / kernel
    edge = kernel // 2
    bias = generator.normal(size=outputs).astype(np.float32)
    return ops.Conv2d(weight, bias, padding=ops.Padding(edge, edge, edge, edge), groups=groups)
