"""Running a graph: what is kept, what is taken as known, and the shape of every op's value."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgesr.graph import ops
from edgesr.graph.capture import capture
from edgesr.graph.execute import evaluate, predict, run
from edgesr.graph.graph import Graph, Node, single_input
from edgesr.graph.rewrites import rewrite
from edgesr.graph.shapes import channels, fits, shapes, side_multiple
from edgesr.networks.espcn import ESPCN

KERNEL = ops.Conv2d(np.ones((4, 3, 3, 3), np.float32), np.arange(4, dtype=np.float32))


def example() -> Graph:
    return Graph(
        (
            single_input(),
            Node("conv", KERNEL, ("image",)),
            Node("half", ops.LeakyRelu(0.5), ("conv",)),
            Node("sum", ops.Add(), ("conv", "half")),
            Node("unused", ops.Sigmoid(), ("sum",)),
        ),
        "sum",
    )


def test_only_wanted_values_are_computed_and_returned() -> None:
    seen: list[str] = []

    def hook(node: Node, value: Tensor) -> Tensor:
        seen.append(node.name)
        return value

    values = run(example(), torch.rand(1, 3, 5, 6), hook, keep=["half"])
    assert set(values) == {"sum", "half"}
    assert seen == ["image", "conv", "half", "sum"]


def test_known_values_replace_the_nodes_before_them() -> None:
    known = {"conv": torch.full((1, 4, 3, 3), -2.0)}
    seen: list[str] = []
    values = run(
        example(), torch.empty(0), lambda node, value: (seen.append(node.name), value)[1], known=known
    )
    assert seen == ["half", "sum"]
    assert torch.equal(values["sum"], torch.full((1, 4, 3, 3), -3.0))


def test_a_hook_replaces_values() -> None:
    image = torch.rand(1, 3, 5, 6)
    double = run(example(), image, lambda node, value: value * 2 if node.name == "half" else value)
    plain = run(example(), image, keep=["conv", "half"])
    assert torch.allclose(double["sum"], plain["conv"] + 2 * plain["half"])


def test_graphs_refuse_doubled_and_unknown_names() -> None:
    image = single_input()
    with pytest.raises(ValueError, match="two nodes are named 'image'"):
        Graph((image, image), "image")
    with pytest.raises(ValueError, match="before they are computed"):
        Graph((image, Node("a", ops.Relu(), ("b",))), "a")
    with pytest.raises(ValueError, match="'z' is not a node"):
        Graph((image,), "z")


def conv(outputs: int, per_group: int, kernel: tuple[int, int], **geometry: object) -> ops.Conv2d:
    weight = np.ones((outputs, per_group, *kernel), np.float32)
    return ops.Conv2d(weight, np.zeros(outputs, np.float32), **geometry)  # type: ignore[arg-type]


ONE_INPUT = [
    conv(5, 12, (3, 3)),
    conv(5, 12, (2, 3), padding=ops.Padding(0, 1, 2, 3)),
    conv(24, 1, (3, 3), stride=(2, 3), dilation=(2, 1), groups=12),
    ops.Relu(), ops.LeakyRelu(0.1), ops.PRelu(np.ones(12, np.float32)), ops.Sigmoid(), ops.Clamp(0, 1),
    ops.MaxPool((3, 2), (2, 3)), ops.PixelShuffle(2), ops.DepthToSpace(2), ops.Repeat(4),
    ops.ResizeBilinear(3), ops.ResizeNearest(2), ops.Pad(ops.Padding(1, 2, 3, 4)),
    ops.Tanh(), ops.Sqrt(), ops.Slice(2, 9), ops.Mean(), ops.Std(),
]  # fmt: skip
TWO_INPUTS = [ops.Add(), ops.Sub(), ops.Mul(), ops.SquaredDifference(), ops.Concat()]


@pytest.mark.parametrize("op", [*ONE_INPUT, *TWO_INPUTS], ids=lambda op: op.kind)
def test_shapes_are_those_of_the_values(op: ops.Op) -> None:
    count = 2 if op in TWO_INPUTS else 1
    graph = (single_input(12), Node("op", op, ("image",) * count))
    value = evaluate(op, [torch.rand(1, 12, 13, 10)] * count)
    assert shapes(graph, 13, 10)["op"] == tuple(value.shape[1:])
    assert channels(graph)["op"] == value.shape[1]


def test_bilinear_takes_the_size_of_its_second_input() -> None:
    graph = (
        single_input(),
        Node("small", ops.MaxPool((7, 7), (3, 3)), ("image",)),
        Node("back", ops.ResizeBilinear(), ("small", "image")),
    )
    value = run(Graph(graph, "back"), torch.rand(1, 3, 17, 23))["back"]
    assert shapes(graph, 17, 23)["back"] == tuple(value.shape[1:]) == (3, 17, 23)


def test_every_op_kind_is_among_the_shapes_tested() -> None:
    kinds = {k for k in ops.Op.__subclasses__() if k.__module__ == ops.__name__ and k is not ops.Input}
    assert kinds == {type(op) for op in (*ONE_INPUT, *TWO_INPUTS)}


@pytest.mark.parametrize(
    "op", [ops.Add(), ops.Sub(), ops.Mul(), ops.SquaredDifference()], ids=lambda o: o.kind
)
@pytest.mark.parametrize("inputs", ["image mean", "mean image", "mean mean"])
def test_one_value_for_each_whole_channel(op: ops.Op, inputs: str) -> None:
    graph = (single_input(12), Node("mean", ops.Mean(), ("image",)), Node("op", op, tuple(inputs.split())))
    value = run(Graph(graph, "op"), torch.rand(1, 12, 13, 10))["op"]
    assert shapes(graph, 13, 10)["op"] == tuple(value.shape[1:])


def test_shapes_that_do_not_fit_are_errors() -> None:
    def check(match: str, *nodes: Node) -> None:
        with pytest.raises(ValueError, match=match):
            shapes((single_input(), *nodes), 8, 9)

    pool = Node("pool", ops.MaxPool((2, 2), (2, 2)), ("image",))
    check("Add between shapes", pool, Node("sum", ops.Add(), ("image", "pool")))
    narrow = Node("narrow", ops.Slice(0, 1), ("image",))
    check("Mul between shapes", narrow, Node("gated", ops.Mul(), ("narrow", "image")))
    for start, stop in ((0, 4), (2, 2), (-1, 2)):
        check(f"channels {start} to {stop} of 3", Node("part", ops.Slice(start, stop), ("image",)))


def test_deviation_is_that_of_its_parts_and_can_be_learnt_through() -> None:
    x = torch.randn(2, 5, 7, 6)
    mean = evaluate(ops.Mean(), [x])
    variance = evaluate(ops.Mean(), [evaluate(ops.SquaredDifference(), [x, mean])])
    assert torch.allclose(evaluate(ops.Std(), [x]), evaluate(ops.Sqrt(), [variance]), atol=1e-6)
    flat = torch.ones(1, 2, 4, 4, requires_grad=True)  # the root's slope at zero is infinite
    evaluate(ops.Std(), [flat]).sum().backward()
    assert flat.grad is not None and flat.grad.isfinite().all()


def test_an_empty_tensor_is_named() -> None:
    with pytest.raises(ValueError, match="'conv' is empty for a picture of 9x2 pixels"):
        shapes(example(), 2, 9)


def test_depth_to_space_reads_channels_in_blocks() -> None:
    """Channel (i*r + j)*C + c goes to pixel (i, j) of channel c."""
    x = torch.arange(8.0).view(1, 8, 1, 1)
    assert evaluate(ops.DepthToSpace(2), [x]).tolist() == [[[[0, 2], [4, 6]], [[1, 3], [5, 7]]]]
    assert evaluate(ops.PixelShuffle(2), [x]).tolist() == [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]


def test_slopes_and_bounds_are_float32_values() -> None:
    """So that a program file can hold them exactly."""
    assert ops.LeakyRelu(0.1).slope == float(np.float32(0.1))
    assert (ops.Clamp(0.1, np.inf).low, ops.Clamp(0.1, np.inf).high) == (float(np.float32(0.1)), np.inf)


class DownAndUp(nn.Module):
    """Takes pictures whose sides are multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 32, 3, 2, 1), nn.PixelShuffle(2)
        )
        self.up = nn.Conv2d(11, 12, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        features = functional.interpolate(self.down(image), scale_factor=2)
        return functional.pixel_shuffle(self.up(torch.cat([features, image], 1)), 2)


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 24), (16, 23), (5, 3), (1, 2)])
def test_pictures_that_the_network_does_not_take_are_mirrored(height: int, width: int) -> None:
    module = DownAndUp().eval()
    graph = rewrite(capture(module))
    assert side_multiple(graph, graph.output, 2) == 4
    image = torch.rand(2, 3, height, width)
    pad = (0, -width % 4, 0, -height % 4)
    larger = np.pad(image.numpy(), ((0, 0), (0, 0), (0, pad[3]), (0, pad[1])), mode="reflect")
    with torch.inference_mode():
        expected = module(torch.from_numpy(larger))[:, :, : 2 * height, : 2 * width]
    assert torch.allclose(predict(graph, image), expected, atol=1e-5)


def test_most_networks_take_pictures_of_every_size() -> None:
    graph = capture(ESPCN(scale=3, channels=3))
    assert side_multiple(graph, graph.output, 3) == 1
    assert not fits(graph, graph.output, 2, 20, 20)
