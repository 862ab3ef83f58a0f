"""Every rewrite keeps the float output, fires where it should and nowhere else."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from edgesr.graph import ops, rewrites
from edgesr.graph.execute import predict
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.graph.rewrites import rewrite

SAME = ops.Padding(1, 1, 1, 1)
RNG = np.random.default_rng(0)


def conv(inputs: int, outputs: int, kernel: int = 3, groups: int = 1, **more: object) -> ops.Conv2d:
    weight = RNG.normal(size=(outputs, inputs // groups, kernel, kernel)).astype(np.float32) / kernel
    bias = RNG.normal(size=outputs).astype(np.float32)
    return ops.Conv2d(weight, bias, groups=groups, **more)  # type: ignore[arg-type]


def affine(channels: int, shift: bool = True) -> ops.Conv2d:
    op = conv(channels, channels, 1, groups=channels)
    return op if shift else replace(op, bias=np.zeros(channels, np.float32))


def unbiased(op: ops.Conv2d) -> ops.Conv2d:
    return replace(op, bias=np.zeros_like(op.bias))


def diagonal(channels: int) -> ops.Conv2d:
    scale = RNG.normal(size=channels).astype(np.float32)
    return ops.Conv2d(np.diag(scale)[:, :, None, None].copy(), RNG.normal(size=channels).astype(np.float32))


def chain(*steps: ops.Op | tuple[ops.Op, ...], output: str | None = None) -> Graph:
    """image -> n1 -> n2 ...; a tuple (op, source, ...) names its inputs."""
    nodes: list[Node] = [single_input()]
    for index, step in enumerate(steps, 1):
        op, *sources = step if isinstance(step, tuple) else (step,)
        nodes.append(Node(f"n{index}", op, tuple(sources) or (nodes[-1].name,)))  # type: ignore[arg-type]
    return Graph(tuple(nodes), output or nodes[-1].name)


def check_equal(before: Graph, after: Graph) -> None:
    image = torch.rand(2, 3, 14, 11, generator=torch.Generator().manual_seed(0))
    a, b = predict(before, image), predict(after, image)
    assert torch.allclose(a, b, atol=1e-5 * float(a.abs().max() + 1))


FIRES: dict[str, list[Graph]] = {
    "collapse_pointwise_before_conv": [
        chain(conv(3, 3, 1), conv(3, 4)),
        chain(unbiased(conv(3, 16, 1)), conv(16, 4, padding=SAME, relu=True)),
        chain(conv(3, 4), ops.Tanh(), unbiased(conv(4, 4, 1)), conv(4, 8, stride=(2, 2))),
    ],
    "fold_pad_into_conv": [
        chain(ops.Pad(ops.Padding(1, 2, 0, 1)), conv(3, 4)),
        chain(ops.Pad(SAME), conv(3, 6, groups=3, padding=SAME)),
    ],
    "copy_by_conv": [
        chain(ops.Repeat(4)),
        chain(ops.Repeat(2), ops.PixelShuffle(1)),
        chain(ops.Repeat(4), (conv(3, 12, groups=3, padding=SAME), "image"), (ops.Add(), "n1", "n2"),
              ops.PixelShuffle(2)),
        chain(ops.Repeat(4), ops.PixelShuffle(2), (ops.Sigmoid(), "n1"), (ops.PixelShuffle(2), "n3"),
              (ops.Add(), "n2", "n4")),
    ],
    "diagonal_to_affine": [chain(diagonal(3)), chain(conv(3, 8), diagonal(8))],
    "fold_affine_into_conv_before": [
        chain(conv(3, 8, padding=SAME), affine(8)),
        chain(conv(3, 6, groups=3), affine(6)),
    ],
    "fold_affine_into_conv_after": [
        chain(affine(3), conv(3, 8)),
        chain(affine(3, shift=False), conv(3, 8, padding=SAME)),
        chain(conv(3, 8), ops.Sigmoid(), affine(8), conv(8, 4, groups=2)),
    ],
    "collapse_pointwise_after_conv": [
        chain(conv(3, 16, padding=SAME), conv(16, 4, 1)),
        chain(conv(3, 16, 3, stride=(2, 2)), conv(16, 4, 1, relu=True)),
    ],
    "merge_parallel_convs": [
        chain((conv(3, 4, padding=SAME), "image"), (conv(3, 4, 1), "image"), (ops.Add(), "n1", "n2")),
        chain((conv(3, 4, 1), "image"), (conv(3, 4, padding=SAME), "image"),
              (ops.Add(relu=True), "n1", "n2")),
        chain((conv(3, 4, 3), "image"), (conv(3, 4, 3), "image"), (ops.Add(), "n1", "n2")),
    ],
    "fuse_relu": [
        chain(conv(3, 4), ops.Relu()),
        chain(conv(3, 3, padding=SAME), (ops.Add(), "image", "n1"), ops.Relu()),
    ],
    "nearest_to_shuffle": [chain(ops.ResizeNearest(2)), chain(conv(3, 4), ops.ResizeNearest(3))],
    "add_before_shuffle": [
        chain((conv(3, 12, padding=SAME), "image"), (conv(3, 12, 1), "image"), (ops.PixelShuffle(2), "n1"),
              (ops.PixelShuffle(2), "n2"), (ops.Add(), "n3", "n4")),
    ],
    "split_where_sliced": [
        chain(conv(3, 8, padding=SAME, relu=True), (ops.Slice(0, 3), "n1"), (ops.Slice(4, 8), "n1"),
              (ops.Concat(), "n3", "n2")),
        chain(conv(3, 8), ops.LeakyRelu(0.1), (ops.Slice(2, 5), "n2"), (ops.Slice(5, 8), "n2"),
              (ops.Add(), "n3", "n4")),
        chain(ops.PRelu(np.array([0.1, 0.2, 0.3], np.float32)), ops.Slice(1, 3)),
    ],
}  # fmt: skip

SLEEPS: dict[str, list[Graph]] = {
    "diagonal_to_affine": [chain(conv(3, 3, 1)), chain(conv(3, 1, 1)), chain(affine(3))],
    "fold_affine_into_conv_before": [
        chain(conv(3, 8, relu=True), affine(8)),
        chain(conv(3, 8), ops.LeakyRelu(0.1), affine(8)),
        chain(conv(3, 8), affine(8), (ops.Add(), "n1", "n2")),
    ],
    "fold_affine_into_conv_after": [
        chain(affine(3), conv(3, 8, padding=SAME)),
        chain(affine(3), ops.LeakyRelu(0.1), conv(3, 8)),
        chain(affine(3), conv(3, 3, 1), (ops.Add(), "n1", "n2")),
    ],
    "collapse_pointwise_after_conv": [
        chain(conv(3, 4, padding=SAME), conv(4, 64, 1)),  # would cost more
        chain(conv(3, 16, relu=True), conv(16, 4, 1)),
        chain(conv(3, 16), ops.LeakyRelu(0.1), conv(16, 4, 1)),
        chain(conv(3, 16), conv(16, 4, 1), conv(4, 16, 1), (ops.Add(), "n1", "n3")),
        chain(conv(3, 16), conv(16, 4, 1, padding=SAME)),
    ],
    "collapse_pointwise_before_conv": [
        chain(conv(3, 3, 1), conv(3, 4, padding=SAME)),  # around the picture its bias would be missing
        chain(conv(3, 2, 1), conv(2, 16)),  # would cost more
        chain(conv(3, 3, 1, relu=True), conv(3, 4)),
        chain(conv(3, 4, 1), conv(4, 4, groups=2)),
        chain(conv(3, 3, 1), conv(3, 3, 1), (ops.Add(), "n1", "n2")),
    ],
    "fold_pad_into_conv": [
        chain(ops.Pad(SAME), ops.MaxPool((3, 3), (1, 1))),
        chain(ops.Pad(SAME), (conv(3, 4, 3), "n1"), (conv(3, 4, 3), "n1"), (ops.Add(), "n2", "n3")),
    ],
    "copy_by_conv": [
        chain(ops.Repeat(4), ops.PixelShuffle(2)),
        chain(ops.Repeat(4), (conv(3, 12, padding=SAME), "image"), (ops.Add(), "n1", "n2"), ops.Relu(),
              ops.PixelShuffle(2)),
        chain(conv(3, 12)),
    ],
    "merge_parallel_convs": [
        chain((conv(3, 4), "image"), (conv(3, 4, 1), "image"), (ops.MaxPool((3, 3), (1, 1)), "n2"),
              (ops.Add(), "n1", "n3")),
        chain((conv(3, 4, padding=SAME, relu=True), "image"), (conv(3, 4, 1), "image"),
              (ops.Add(), "n1", "n2")),
        chain((conv(3, 4, padding=SAME), "image"), (conv(3, 4, 1), "image"), (ops.Add(), "n1", "n2"),
              (ops.Mul(), "n3", "n2")),
        chain((conv(3, 3, 1), "image"), (conv(3, 3, 1), "n1"), (ops.Add(), "n1", "n2")),
    ],
    "fuse_relu": [
        chain(conv(3, 3, 1), ops.Relu(), (ops.Add(), "n1", "n2")),
        chain(conv(3, 3, 1), (ops.Mul(), "n1", "n1"), ops.Relu()),
        chain(conv(3, 3, 1), (ops.Relu(), "n1"), output="n1"),
    ],
    "nearest_to_shuffle": [chain(ops.ResizeBilinear(2))],
    "add_before_shuffle": [
        chain((conv(3, 12, 1), "image"), (ops.PixelShuffle(2), "n1"), (ops.Add(), "n2", "n2")),
        chain((conv(3, 12, 1), "image"), (ops.PixelShuffle(2), "n1"), (ops.ResizeNearest(2), "image"),
              (ops.Add(), "n2", "n3")),
    ],
    "split_where_sliced": [
        chain(conv(3, 8), (ops.Slice(0, 5), "n1"), (ops.Slice(3, 8), "n1"), (ops.Add(), "n2", "n3")),
        chain(conv(3, 3), (ops.Slice(0, 2), "n1"), (ops.Concat(), "n1", "n2")),
        chain(conv(3, 8), (ops.Slice(0, 2), "n1"), output="n1"),
        chain(ops.Sigmoid(), ops.Slice(0, 2)),
        chain(ops.Slice(0, 2)),
    ],
}  # fmt: skip


KEEP_LENGTH = ("nearest_to_shuffle", "diagonal_to_affine", "split_where_sliced", "copy_by_conv")


@pytest.mark.parametrize("name", FIRES)
def test_fires_and_keeps_the_output(name: str) -> None:
    for graph in FIRES[name]:
        after = getattr(rewrites, name)(graph)
        assert after is not None
        assert len(after.nodes) < len(graph.nodes) or name in KEEP_LENGTH
        check_equal(graph, after)


@pytest.mark.parametrize("name", SLEEPS)
def test_leaves_other_graphs_alone(name: str) -> None:
    apply: Callable[[Graph], Graph | None] = getattr(rewrites, name)
    assert all(apply(graph) is None for graph in SLEEPS[name])


def test_every_rewrite_of_the_table_is_tested() -> None:
    names = {apply.__name__ for apply in (*rewrites.REWRITES, *rewrites.FINAL)}
    assert names == set(FIRES) == set(SLEEPS)


@pytest.mark.parametrize("name", FIRES)
def test_the_whole_table_keeps_every_output(name: str) -> None:
    for graph in (*FIRES[name], *SLEEPS[name]):
        after = rewrite(graph)
        check_equal(graph, after)
        assert rewrite(after) == after  # nothing is left to do


def test_a_batch_norm_style_network_ends_as_plain_convolutions() -> None:
    graph = chain(
        affine(3, shift=False), conv(3, 16, padding=SAME), affine(16), ops.Relu(),
        (conv(16, 12, padding=SAME), "n4"), (conv(16, 12, 1), "n4"), (ops.Add(), "n5", "n6"), affine(12),
        ops.PixelShuffle(2), (ops.ResizeNearest(2), "image"), (ops.Add(), "n9", "n10"),
    )  # fmt: skip
    after = rewrite(graph)
    check_equal(graph, after)
    assert [node.op.kind for node in after] == ["Input", "Conv2d", "Conv2d", "Repeat", "Add", "PixelShuffle"]
    assert after["n2"].op.relu


def test_slices_of_activations_reach_the_convolution_and_are_named_after_it() -> None:
    (graph,) = FIRES["split_where_sliced"][1:2]
    after = rewrite(graph)
    check_equal(graph, after)
    assert [node.name for node in after][1:] == ["n1[2:5]", "n1[5:8]", "n2[2:5]", "n2[5:8]", "n5"]
