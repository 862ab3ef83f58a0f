"""The networks that can be trained here: how each is built for training, and what of it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from collapsible import collapse, expand
from torch import Tensor, nn

from edgesr.networks.edsr import EDSR
from edgesr.networks.plain import PlainNet

TAIL_GAIN = 0.1


@dataclass(frozen=True)
class Trained:
    """One kind of network.

    Attributes:
        width, depth: as it ships.
        build: (scale, width, depth) -> the network that is written and shipped.
        white: its pixel range.
        trainable: the network, hidden channels -> the module that is trained, for pictures whose white is 1.
        weights: that module -> the state of the network.
        gradient_norm: to which gradients are clipped.
        dtype: of the weights in the file.
    """

    width: int
    depth: int
    build: Callable[[int, int, int], nn.Module]
    white: int
    trainable: Callable[[nn.Module, int], nn.Module]
    weights: Callable[[nn.Module], dict[str, Tensor]]
    gradient_norm: float
    dtype: torch.dtype = torch.float32


class Scaled(nn.Module):
    """A network of another pixel range, for pictures whose white is 1."""

    def __init__(self, network: nn.Module, white: int) -> None:
        super().__init__()
        self.network, self.white = network, white

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.network(image * self.white) / self.white
        return result


def _expanded(network: nn.Module, hidden: int) -> nn.Module:
    wide = expand(network, hidden)
    # Starts near the anchor: the large first gradients of a random residual can kill every ReLU.
    nn.init.xavier_uniform_(wide.get_parameter("tail.narrow.weight"), TAIL_GAIN)
    return wide


@torch.no_grad()
def _own_state(module: nn.Module) -> dict[str, Tensor]:
    return {
        name: tensor.detach().clone() for name, tensor in module.get_submodule("network").state_dict().items()
    }


TRAINED: Mapping[str, Trained] = {
    "plain": Trained(
        width=32, depth=4, build=PlainNet, white=1, trainable=_expanded, weights=collapse,
        gradient_norm=0.03,  # near that of a settled run; 0.03 instead of 0.1 gave 0.16 dB after 1200 steps
    ),
    "edsr": Trained(
        width=64, depth=16, build=EDSR, white=255, trainable=lambda network, hidden: Scaled(network, 255),
        weights=_own_state, gradient_norm=0.1, dtype=torch.float16,
    ),
}  # fmt: skip
