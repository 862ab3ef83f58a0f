"""From modules to graphs: values, names, source lines, and what is said about what cannot be captured."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.graph.capture import capture, verify
from edgesr.graph.execute import predict

from .calls import Calls, check_same, deviation


def test_every_layer_keeps_its_geometry() -> None:
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(8)
    norm.running_mean, norm.running_var = torch.randn(8), torch.rand(8) + 0.1
    norm.weight.data, norm.bias.data = torch.randn(8), torch.randn(8)
    check_same(
        nn.Sequential(
            nn.Conv2d(3, 8, (3, 5), padding=(1, 2), bias=False),
            norm,
            nn.PReLU(8),
            nn.Conv2d(8, 16, 3, padding="same", dilation=2, groups=4),
            nn.PReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(16, 12, 2, padding="valid"),
            nn.Conv2d(12, 12, 3, stride=(2, 1), padding=1, groups=12),
            nn.PixelShuffle(2),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
    )


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "kernel_after", "edges"),
    [(9, 2, 4, 5, (2, 2)), (9, 3, 4, 4, (1, 2)), (9, 4, 4, 3, (1, 1)), (17, 3, 8, 6, (2, 3)),
     (2, 2, 0, 1, (0, 0)), (4, 2, 1, 3, (1, 1)), (3, 1, 1, 3, (1, 1))],
)  # fmt: skip
def test_transposed_convolutions_become_subpixel_ones(
    kernel: int, stride: int, padding: int, kernel_after: int, edges: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    output_padding = stride + 2 * padding - kernel
    module = nn.ConvTranspose2d(3, 5, kernel, stride, padding, output_padding)
    check_same(module)
    conv = next(node.op for node in capture(module) if isinstance(node.op, ops.Conv2d))
    assert conv.weight.shape == (5 * stride**2, 3, kernel_after, kernel_after)
    assert conv.padding == ops.Padding(*edges, *edges)


def test_one_slope_for_all_channels_is_a_leaky_relu() -> None:
    graph = capture(nn.Sequential(nn.Conv2d(3, 4, 1), nn.PReLU(init=0.5), nn.PReLU(4), nn.PReLU(init=0.0)))
    assert [node.op.kind for node in graph] == ["Input", "Conv2d", "LeakyRelu", "PRelu", "Relu"]


def test_deviations_are_one_op() -> None:
    graph = capture(Calls(lambda x: x * (deviation(x) + x.mean((2, 3), keepdim=True))))
    assert [(n.name, n.op.kind) for n in graph][2:] == [
        ("mean", "Mean"), ("std", "Std"), ("add", "Add"), ("mul", "Mul"),
    ]  # fmt: skip


def test_batch_norm_without_scale_and_shift() -> None:
    norm = nn.BatchNorm2d(3, affine=False)
    norm.running_mean, norm.running_var = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([1.0, 2.0, 3.0])
    check_same(nn.Sequential(nn.Conv2d(3, 3, 1), norm))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + functional.leaky_relu(self.act(self.conv(x)), 0.1)


class Shared(nn.Module):
    """Uses one block twice."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.block = nn.Conv2d(3, 4, 3, padding=1), Block()
        self.up = nn.Sequential(nn.Conv2d(4, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, image: Tensor) -> Tensor:
        return self.up(self.block(self.block(self.head(image))))


def test_names_are_module_paths() -> None:
    graph = capture(Shared())
    assert [node.name for node in graph] == [
        "image", "head", "block.conv", "block.act", "block.leaky_relu", "block.add",
        "block.conv#2", "block.act#2", "block.leaky_relu#2", "block.add#2", "up.0", "up.1",
    ]  # fmt: skip
    assert graph["block.conv"].op.weight is not None and graph.output == "up.1"
    check_same(Shared())


def test_nodes_know_their_source_line() -> None:
    line = next(
        number
        for number, text in enumerate(Path(__file__).read_text().splitlines(), 1)
        if "return x + functional.leaky_relu" in text
    )
    assert capture(Shared())["block.leaky_relu"].source == f"test_capture.py, line {line}"


def test_an_unsupported_op_is_named_with_path_and_line() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.fft2(x).real

    module = nn.Sequential()
    module.add_module("first", nn.Conv2d(3, 3, 1))
    module.add_module("odd", Odd())
    with pytest.raises(UserError, match=r"^odd: .*fft.* \(test_capture\.py, line \d+\) is not supported"):
        capture(module)


def test_all_unsupported_ops_are_counted() -> None:
    module = Calls(lambda x: torch.sin(torch.erf(x)).cos())
    with pytest.raises(UserError, match=r"the op erf .*\(and 2 more\)"):
        capture(module)


SQUARE, FLAT = torch.ones(3, 3, 2, 2), torch.ones(3, 3, 2, 1)
UNSUPPORTED = {
    "align_corners": lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "ceil mode": lambda x: functional.max_pool2d(x, 3, 2, ceil_mode=True),
    "max pool with padding": lambda x: functional.max_pool2d(x, 3, 1, 1),
    "average pool": lambda x: functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
    "put together of parts": lambda x: torch.cat([x, x], 2),
    "pixels in another order": lambda x: x.flip(3),
    "in place of a picture": lambda x: torch.stack([x, x]).sum(0),
    "something else than a whole channel": lambda x: x - x.mean(3, keepdim=True),
    "not divided by": lambda x: x + x.sum((2, 3), keepdim=True),
    "not divided": lambda x: x + x.sum((2, 3), keepdim=True) / 100,
    "unbiased": lambda x: x * x.std((2, 3), keepdim=True),
    "a power other": lambda x: x.pow(3),
    "root of a variance": lambda x: torch.sqrt(x),
    "windows of unequal sizes": lambda x: functional.adaptive_avg_pool2d(x, 5),
    "maximum over the whole picture": lambda x: functional.adaptive_max_pool2d(x, 1),
    "multiple of its stride": lambda x: functional.conv_transpose2d(x, SQUARE, stride=3),
    "transposed convolution with dilation": lambda x: functional.conv_transpose2d(x, SQUARE, dilation=2),
    "same in both": lambda x: functional.conv_transpose2d(x, FLAT, stride=(2, 1)),
    "between shapes": lambda x: x * x[:, :, :1],
    "division by something computed": lambda x: x / x,
    "integer factor": lambda x: functional.interpolate(x, scale_factor=1.5, mode="nearest"),
    "the op reflection_pad2d": lambda x: functional.pad(x, (1, 1, 1, 1), mode="reflect"),
    "a random number": lambda x: x + torch.rand(1, 3, 1, 1),
    "conversion to whole numbers": lambda x: x * x.to(torch.int64),
    "along something else than the channels": lambda x: functional.linear(x, torch.ones(72, 72)),
}


@pytest.mark.parametrize("reason", UNSUPPORTED)
def test_uses_that_have_no_counterpart_say_why(reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        capture(Calls(UNSUPPORTED[reason]))


def test_a_buffer_of_another_shape_is_refused() -> None:
    class Mask(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", torch.rand(1, 1, 104, 72))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.mask

    with pytest.raises(UserError, match=r"constant of shape \(1, 1, 104, 72\)"):
        capture(Mask())


def test_weights_that_are_computed_from_others_are_computed_at_once() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
    nn.utils.parametrizations.weight_norm(network[0])
    nn.utils.parametrizations.spectral_norm(network[2])
    check_same(network)
    assert [node.op.kind for node in capture(network)] == ["Input", "Conv2d", "Relu", "Conv2d"]


def test_layers_that_cannot_be_captured_are_named_as_the_user_knows_them() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.GELU())
    with pytest.raises(UserError, match=r"^1 \(InstanceNorm2d\): the op instance_norm .*\(and 1 more\)"):
        capture(network)


def test_transposed_convolutions_with_groups_and_with_more_pixels_than_needed() -> None:
    check_same(nn.Sequential(nn.Conv2d(3, 8, 1), nn.ConvTranspose2d(8, 12, 4, 2, 1, groups=4)))
    check_same(
        Calls(lambda x: functional.conv_transpose2d(x, torch.ones(3, 3, 4, 4), stride=2)[:, :, 1:-1, 1:-1])
    )


def test_data_dependent_control_flow_is_explained() -> None:
    with pytest.raises(UserError, match="data-dependent control flow"):
        capture(Calls(lambda x: x if x.sum() > 0 else -x))


def test_two_inputs_two_outputs_and_other_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, image: Tensor, other: Tensor) -> Tensor:
            return image + other

    picture = torch.zeros(1, 3, 16, 16)
    with pytest.raises(UserError, match="more than one input"):
        capture(torch.export.export(Two(), (picture, picture), strict=False))
    with pytest.raises(UserError, match="must return one picture"):
        capture(Calls(lambda x: (x, x + 1)))
    with pytest.raises(UserError, match="trace"):
        capture(nn.Conv2d(1, 1, 3))  # grey pictures
    with pytest.raises(UserError, match=r"\(1, 1, 16, 16\)"):
        capture(torch.export.export(nn.Conv2d(1, 1, 3), (torch.zeros(1, 1, 16, 16),), strict=False))


def test_an_exported_program_gives_the_same_graph() -> None:
    module = Shared().eval()
    program = torch.export.export(module, (torch.zeros(1, 3, 32, 24),), strict=False)
    image = torch.rand(1, 3, 20, 28)
    with torch.inference_mode():
        assert torch.allclose(predict(capture(program), image), module(image), atol=1e-6)


def test_a_program_exported_in_training_mode_is_refused() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).train()
    program = torch.export.export(module, (torch.zeros(1, 3, 8, 8),))
    with pytest.raises(UserError, match=r"training mode: call eval\(\)"):
        capture(program)


def test_weights_that_are_not_finite_are_refused() -> None:
    module = nn.Conv2d(3, 3, 1)
    module.weight.data[0, 0] = torch.nan
    with pytest.raises(UserError, match="weight holds NaN"):
        capture(module)


def test_a_network_that_depends_on_the_size_is_found_out() -> None:
    class Sized(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2 if x.shape[2] > 80 else x

    module = Sized()
    with pytest.raises(UserError, match="same for every picture size"):
        verify(capture(module), module, 1.0)


def test_capture_leaves_the_weights_of_the_module_alone() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    before = [p.clone() for p in module.parameters()]
    graph = capture(module)
    assert isinstance(graph["0"].op, ops.Conv2d)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
