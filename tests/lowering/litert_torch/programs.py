"""Programs as the converter would leave them, made by edgesr's own writer."""

import numpy as np
import pytest
from typed_programs import graph_of

from edgesr.graph import ops
from edgesr.lowering.tflite.writer import write
from edgesr.quantization.typed import TypedNode
from lowering.executorch.programs import float_conv

SIDE = 12
SKIPPED = "the extra edgesr[litert-torch] is not installed"


def needs_litert_torch() -> None:
    """Skips a whole test module, or a test, where the extra is missing."""
    pytest.importorskip("litert_torch", reason=SKIPPED)


def float_net(depthwise: bool = False) -> bytes:
    """Two convolutions with a tanh between them, float32, of the signature `serving_default`, x2."""
    middle = float_conv(1, 8, 8, groups=8) if depthwise else float_conv(1, 8, 8)
    nodes = [
        TypedNode("head", float_conv(0, 3, 8), ("image",)),
        TypedNode("act", ops.Tanh(), ("head",)),
        TypedNode("body", middle, ("act",)),
        TypedNode("tail", float_conv(2, 8, 12), ("body",)),
        TypedNode("up", ops.PixelShuffle(2), ("tail",)),
    ]
    return write({"serving_default": graph_of(nodes, 3)}, SIDE, b"{}")


def noise(count: int) -> np.ndarray:
    """float32 (count,1,SIDE,SIDE,3) in 0..1."""
    return np.random.default_rng(0).random((count, 1, SIDE, SIDE, 3), np.float32)
