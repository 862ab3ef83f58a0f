"""Where to clip: ranges that spend the int8 levels where the next op can see them.

AdaBM's bit-aware clipping shrinks a range to the multiple of it that loses least (METHODS A.5). Here the
loss is measured behind the activation that reads the tensor: a leaky ReLU forgives coarse negative values,
a sigmoid everything beyond its slopes. Only the side that the activation flattens is clipped; elsewhere an
outlier is a white letter or a lamp, and clipping it costs more than it saves.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..graph import ops
from ..graph.execute import evaluate, run
from ..graph.graph import Graph, Node
from .affine import fake_quantize, qparams
from .plan import Range
from .statistics import CalibrationTiles

FACTORS = 0.85 ** np.arange(20)  # 1.00 down to 0.05 of the observed range
SAMPLES = 2**16  # values per tensor
TILES = 12
SIDE = 64  # of each tile: the values before all activations are kept at once
SLACK = 1.3  # wider than the best on the tiles seen: other pictures reach further

_FLATTENED = {
    ops.LeakyRelu: (True, False),
    ops.Relu: (True, False),
    ops.Sigmoid: (True, True),
    ops.Tanh: (True, True),
}
"""Activation -> which sides (low, high) of its input it compresses."""


def activation_of(graph: Graph, node: Node) -> ops.Op | None:
    """The compressing activation that alone reads a node, if there is one."""
    user = graph.only_user(node.name)
    return user.op if user is not None and type(user.op) in _FLATTENED else None


def clip_before_activations(
    graph: Graph, ranges: dict[str, Range], tiles: CalibrationTiles
) -> dict[str, Range]:
    """New ranges for the nodes that only an activation reads."""
    readers = {node.name: op for node in graph if (op := activation_of(graph, node)) is not None}
    with torch.inference_mode():
        stride = max(1, len(tiles.pixels) // TILES)
        values = run(graph, tiles.pixels[::stride, :, :SIDE, :SIDE], keep=list(readers))
        return {name: best_clip(values[name], ranges[name], op) for name, op in readers.items()}


def best_clip(value: Tensor, bounds: Range, activation: ops.Op) -> Range:
    """The range, within the observed one, with the least squared error behind the activation, plus slack."""
    flat = value.flatten()
    sample = flat[:: max(1, len(flat) // SAMPLES)]
    after = evaluate(activation, [sample])
    clips_low, clips_high = _FLATTENED[type(activation)]
    low, high = bounds

    def loss(factors: tuple[float, float]) -> float:
        rounded = fake_quantize(sample, qparams(factors[0] * low, factors[1] * high))
        return float((evaluate(activation, [rounded]) - after).square().sum())

    best = (1.0, 1.0)
    best = _descend(best, 0, loss) if clips_low else best
    best = _descend(best, 1, loss) if clips_high else best
    best = _descend(best, 0, loss) if clips_high else best
    return low * min(1.0, SLACK * best[0]), high * min(1.0, SLACK * best[1])


def _descend(
    start: tuple[float, float], side: int, loss: Callable[[tuple[float, float]], float]
) -> tuple[float, float]:
    """The best factor of one side, the other kept."""
    options = [(float(f), start[1]) if side == 0 else (start[0], float(f)) for f in FACTORS]
    return min(options, key=loss)
