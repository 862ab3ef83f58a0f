"""What users write: each function must be captured, and compute the same, at another size too."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from .calls import Calls, check_same, deviation

FUNCTIONS = {
    "add number": lambda x: x + 0.5,
    "number minus": lambda x: 1 - x,
    "minus number": lambda x: x - 2,
    "times number": lambda x: 0.2 * x,
    "divided": lambda x: x / 3,
    "negative": lambda x: -x,
    "minus itself twice": lambda x: x * x - x,
    "clamp": lambda x: x.clamp(-0.1, 0.2),
    "clamp below": lambda x: x.clamp(min=-0.1),
    "clamp above": lambda x: torch.clamp(x, max=0.1),
    "clamp at zero": lambda x: x.clamp_min(0),
    "hardtanh": lambda x: functional.hardtanh(3 * x),
    "relu6": lambda x: functional.relu6(20 * x),
    "leaky": lambda x: functional.leaky_relu(x, 0.05),
    "leaky without a leak": lambda x: functional.leaky_relu(x, 0.0),
    "in-place": lambda x: functional.relu(x.mul_(2), inplace=True).add_(1),
    "sigmoid gate": lambda x: x * torch.sigmoid(x),
    "tanh": torch.tanh,
    "square": lambda x: x.square() - x.pow(2),
    "channel mean": lambda x: x - x.mean((2, 3), keepdim=True),
    "pooled to one": lambda x: functional.adaptive_avg_pool2d(x, 1) * x,
    "summed mean": lambda x: x + x.sum(3, keepdim=True).sum(2, keepdim=True) / (x.shape[2] * x.shape[3]),
    "mean by a factor": lambda x: x + x.sum((2, 3), True) * (1 / (x.shape[2] * x.shape[3])),
    "deviation": lambda x: x * x.std((2, 3), correction=0, keepdim=True),
    "biased deviation": lambda x: x - torch.std(x, (-1, -2), False, True),
    "deviation in steps": lambda x: x * deviation(x),
    "root of a variance": lambda x: x + (x - x.mean((2, 3), True)).square().mean((2, 3), True).sqrt(),
    "slices": lambda x: torch.cat([x[:, -2:-1] - x[:, :1], x[:, 1:, :, :], x.narrow(1, 1, 2)[:, 1:]], 1),
    "split": lambda x: torch.cat(torch.split(x, [1, 2], dim=1)[::-1], 1),
    "chunks": lambda x: torch.chunk(x, 3, 1)[2].sigmoid(),
    "alpha": lambda x: torch.add(x, x.relu(), alpha=0.2) + torch.sub(x.tanh(), x, alpha=3) + torch.rsub(x, 1),
    "extremes": lambda x: x.abs() + torch.maximum(x, 0.5 * x.tanh()) - torch.minimum(-x, x.sigmoid()),
    "smooth activations": lambda x: functional.silu(x) + functional.hardswish(9 * x),
    "clip": lambda x: torch.clip(x, 0, 1) + functional.hardsigmoid(9 * x) + functional.rrelu(x, 0.1, 0.3),
    "gate": lambda x: functional.glu(torch.cat([x, x], 1), 1),
    "mean without keepdim": lambda x: (
        x - x.mean((2, 3)).view(1, 3, 1, 1) + x.flatten(2).mean(2)[..., None, None]
    ),
    "mean of each pixel": lambda x: x * x.mean(1, keepdim=True) + x.mean(1)[:, None],
    "squeeze and excite": lambda x: (
        x * functional.linear(x.mean((2, 3)), WEIGHT, BIAS).sigmoid()[..., None, None]
    ),
    "efficient channel attention": lambda x: x * channel_attention(x).expand_as(x),
    "one map for all": lambda x: x * functional.conv2d(x, KERNEL).sigmoid() + functional.conv2d(x, KERNEL),
    "channels last": lambda x: (functional.linear(x.permute(0, 2, 3, 1).relu(), WEIGHT, BIAS) * BIAS).permute(
        0, 3, 1, 2
    ),
    "channel orders": lambda x: torch.cat([x.flip(1), x[:, [2, 0, 0]], x[:, ::2], x.repeat(1, 2, 1, 1)], 1),
    "copies": lambda x: torch.repeat_interleave(x, 4, 1) + torch.stack([x] * 4, 2).flatten(1, 2),
    "interleaved": lambda x: torch.stack([x.relu(), x.sigmoid()], 2).flatten(1, 2),
    "shuffled channels": lambda x: torch.channel_shuffle(torch.cat([x, -x], 1), 2),
    "batch axis": lambda x: x[0].unsqueeze(0) + x.squeeze(0)[None],
    "padding": lambda x: functional.pad(x, (1, 2, 3, 0))[:, :, 2:-1, 1:-2],
    "padding with a number": lambda x: functional.max_pool2d(
        functional.pad(x, (1, 1, 1, 1), value=0.5), 3, 1
    ),
    "pooling after an activation": lambda x: functional.max_pool2d(x.relu(), 3, 1, 1),
    "averages": lambda x: functional.avg_pool2d(x, 3, 1, 1) + functional.avg_pool2d(x, x.shape[2:]),
    "constants": lambda x: (
        x * torch.exp(BIAS).view(1, 3, 1, 1) + torch.full_like(x, 0.5) * torch.ones_like(x)
    ),
    "types": lambda x: x.double().float() + x.to(torch.float32) + x.type_as(x),
    "resized to itself": lambda x: functional.interpolate(x, scale_factor=1, mode="nearest"),
}

WEIGHT, BIAS = (
    torch.tensor([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6], [0.0, 1.0, 2.0]]),
    torch.tensor([0.1, -0.2, 0.3]),
)
KERNEL = torch.tensor([0.1, 0.2, -0.3]).view(1, 3, 1, 1)


def channel_attention(x: Tensor) -> Tensor:
    """As ECA-Net's published code writes it."""
    means = functional.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)
    mixed = functional.conv1d(means, BIAS.view(1, 1, 3), padding=1)
    return torch.sigmoid(mixed.transpose(-1, -2).unsqueeze(-1))


RESIZING = {
    "nearest by factor": lambda x: functional.interpolate(x, scale_factor=2, mode="nearest"),
    "nearest by size": lambda x: functional.interpolate(
        x, size=(x.shape[2] * 3, x.shape[3] * 3), mode="nearest"
    ),
    "bilinear by factor": lambda x: functional.interpolate(
        x, scale_factor=2, mode="bilinear", align_corners=False
    ),
    "bilinear back": lambda x: functional.interpolate(
        functional.max_pool2d(x, 3, 2), size=x.shape[2:], mode="bilinear", align_corners=False
    ),
    "pooled": lambda x: functional.max_pool2d(x, (3, 2), stride=1),
    "bicubic": lambda x: functional.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False),
    "bicubic of many channels": lambda x: functional.interpolate(
        torch.cat([x, -x], 1), size=(x.shape[2] * 3, x.shape[3] * 3), mode="bicubic"
    ),
    "nearest exact": lambda x: functional.interpolate(x, scale_factor=2, mode="nearest-exact"),
    "space to depth and back": lambda x: functional.pixel_shuffle(functional.pixel_unshuffle(x, 2).relu(), 2),
    "shuffle spelled out": lambda x: shuffled(torch.cat([x, -x, x.relu(), x.tanh()], 1), (0, 3, 4, 1, 5, 2)),
    "shuffle, channels inside": lambda x: shuffled(torch.cat([x, -x, x.relu(), x], 1), (0, 1, 4, 2, 5, 3)),
    "unshuffle spelled out": lambda x: x.view(1, 3, x.shape[2] // 2, 2, x.shape[3] // 2, 2)
    .permute(0, 5, 3, 1, 2, 4).reshape(1, 12, x.shape[2] // 2, x.shape[3] // 2),
    "pooled to a part": lambda x: functional.interpolate(
        functional.adaptive_max_pool2d(x, (x.shape[2] // 4, x.shape[3] // 4))
        + functional.adaptive_avg_pool2d(x, (x.shape[2] // 4, x.shape[3] // 4)), size=x.shape[2:]
    ),
    "copies of pixels": lambda x: x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
    .reshape(1, 3, 2 * x.shape[2], 2 * x.shape[3]),
}  # fmt: skip


def shuffled(x: Tensor, order: tuple[int, ...]) -> Tensor:
    """Pixel shuffle by 2 as a view and a permutation; channels come last, as TensorFlow has it, or first."""
    _, channels, height, width = x.shape
    parts = (1, 2, 2, channels // 4) if order[1] == 3 else (1, channels // 4, 2, 2)
    return x.view(*parts, height, width).permute(order).reshape(1, channels // 4, 2 * height, 2 * width)


def test_functions_that_keep_the_size() -> None:
    """Side by side in one network, for one export costs half a second; their values lie in its channels."""
    check_same(Calls(lambda x: torch.cat([function(x) for function in FUNCTIONS.values()], 1)))


@pytest.mark.parametrize("name", RESIZING)
def test_functions_that_change_the_size(name: str) -> None:
    check_same(Calls(RESIZING[name]))
