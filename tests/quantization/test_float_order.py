"""float32 convolutions and means, bit for bit as LiteRT computes them."""

import platform
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from typed_programs import graph_of

from edgesr.devices.litert import Runner
from edgesr.graph import ops
from edgesr.graph.execute import evaluate
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.float_order import fused_conv2d, sequential_mean
from edgesr.quantization.typed import TypedNode
from edgesr_runtime.engines import LiteRtEngine

X86 = platform.machine().lower() in ("x86_64", "amd64")
HAS_FMA = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")  # both come with FMA
in_litert = pytest.mark.skipif(
    not (X86 and HAS_FMA),
    reason="the order in which LiteRT sums float32 is known on x86-64 processors with FMA only",
)

SAME = ops.Padding(1, 1, 1, 1)


def conv(
    inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3), groups: int = 1, **geometry: object
) -> ops.Conv2d:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(outputs, inputs // groups, *kernel)).astype(np.float32)
    bias = generator.normal(size=outputs).astype(np.float32)
    return ops.Conv2d(weight, bias, groups=groups, **geometry)  # type: ignore[arg-type]


SHAPES: Mapping[str, ops.Conv2d] = {
    "3x3": conv(3, 16, padding=SAME),
    "odd channels": conv(5, 7, padding=SAME),
    "wide": conv(48, 52, padding=SAME),
    "no padding": conv(8, 8),
    "relu": conv(8, 12, padding=SAME, relu=True),
    "1x1": conv(17, 33, (1, 1)),
    "1x1 relu": conv(16, 4, (1, 1), relu=True),
    "stride": conv(8, 8, stride=(2, 2), padding=SAME),
    "uneven stride": conv(4, 9, stride=(2, 3)),
    "5x3": conv(6, 8, (5, 3), padding=ops.Padding(2, 2, 1, 1)),
    "one-sided padding": conv(4, 6, padding=ops.Padding(0, 2, 1, 0)),
    "dilation": conv(4, 6, padding=ops.Padding(2, 2, 2, 2), dilation=(2, 2)),
    "two groups": conv(8, 12, groups=2, padding=SAME),
    "depthwise": conv(8, 8, groups=8, padding=SAME),
    "depthwise 5x5": conv(8, 8, (5, 5), groups=8, padding=ops.Padding(2, 2, 2, 2)),
    "depthwise 7x7": conv(8, 8, (7, 7), groups=8, padding=ops.Padding(3, 3, 3, 3)),
    "depthwise stride": conv(40, 40, groups=40, stride=(2, 2), relu=True),
    "depthwise dilation": conv(8, 8, groups=8, dilation=(2, 2)),
    "one channel": conv(1, 1, padding=SAME),
    "depth multiplier": conv(3, 12, groups=3, padding=SAME),
}


def picture(channels: int, side: int = 13) -> torch.Tensor:
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(0))


@in_litert
@pytest.mark.parametrize("name", SHAPES)
def test_bits_are_litert_s(name: str) -> None:
    op = SHAPES[name]
    image = picture(op.weight.shape[1] * op.groups)
    graph = graph_of([TypedNode("conv", op, ("image",))], image.shape[1])
    engine = LiteRtEngine(write({"s": graph}, image.shape[2], b"{}"))
    got = engine.run("s", image.permute(0, 2, 3, 1).contiguous().numpy()).transpose(0, 3, 1, 2)
    assert np.array_equal(fused_conv2d(op, image).numpy(), got)


@in_litert
@pytest.mark.parametrize(("side", "channels"), [(1, 5), (7, 3), (13, 16), (32, 50), (64, 70)])
def test_means_add_pixel_by_pixel(side: int, channels: int) -> None:
    image = picture(channels, side)
    graph = graph_of([TypedNode("mean", ops.Mean(), ("image",))], channels)
    runner = Runner(write({"s": graph}, side, b"{}"), "s")
    got = runner(image.permute(0, 2, 3, 1).contiguous().numpy())["sr"].transpose(0, 3, 1, 2)
    expected = sequential_mean(ops.Mean(), image)
    assert np.array_equal(expected.numpy(), got)
    assert torch.allclose(expected, evaluate(ops.Mean(), [image]), atol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_it_is_the_convolution(name: str) -> None:
    op = SHAPES[name]
    first = picture(op.weight.shape[1] * op.groups)
    image = torch.cat([first, -2 * first])
    assert torch.allclose(fused_conv2d(op, image), evaluate(op, [image]), rtol=1e-4, atol=1e-4)


def test_each_product_is_added_with_one_rounding_in_order() -> None:
    """Bias first, then kernel rows, columns, channels: 1e8 swallows the small ones before its negative."""
    weight = np.array([[[[1e8, 1.0]], [[1.0, -1e8]]]], np.float32)  # (1, 2, 1, 2)
    op = ops.Conv2d(weight, np.array([0.5], np.float32))
    image = torch.ones(1, 2, 1, 2)
    # ((((0.5 + 1e8) + 1) + 1) - 1e8), where columns go before channels.
    assert fused_conv2d(op, image).item() == 0.0
    # One rounding: (1 + 2^-12)^2 - 1 keeps the last bit that a rounded product would lose.
    tiny = np.float32(1 + 2**-12)
    op = ops.Conv2d(np.full((1, 1, 1, 1), tiny), np.array([-1.0], np.float32))
    assert fused_conv2d(op, torch.full((1, 1, 1, 1), float(tiny))).item() == 2**-11 + 2**-24
