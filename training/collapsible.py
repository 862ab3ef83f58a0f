"""Over-parameterised 3x3 convolutions that train wide and ship narrow.

A convolution is written as 3x3 (to `hidden` channels), then 1x1, plus an identity shortcut where the
channel counts allow it; no non-linearity stands between, so the three are one 3x3 kernel. Following
SESR (Bhardwaj et al., MLSys 2022) the kernel is collapsed before every step, in weight space, so a
step costs what the narrow network costs while the optimiser moves in the wide parametrisation.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class CollapsibleConv(nn.Module):
    """Stands in for `nn.Conv2d(inputs, outputs, 3, padding=1)` during training."""

    identity: Tensor

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.narrow = nn.Conv2d(hidden, outputs, 1)
        identity = torch.zeros(outputs, inputs, 3, 3)
        if inputs == outputs:
            identity[range(outputs), range(inputs), 1, 1] = 1
        self.register_buffer("identity", identity, persistent=False)
        for conv in (self.wide, self.narrow):
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def kernel(self) -> tuple[Tensor, Tensor]:
        """The collapsed weight (outputs, inputs, 3, 3) and bias (outputs,)."""
        mix = self.narrow.weight[:, :, 0, 0]
        weight = (mix @ self.wide.weight.flatten(1)).view_as(self.identity) + self.identity
        return weight, mix @ self.wide.bias + self.narrow.bias  # type: ignore[operator]

    def forward(self, features: Tensor) -> Tensor:
        return functional.conv2d(features, *self.kernel(), padding=1)

    def forward_expanded(self, features: Tensor) -> Tensor:
        """What `forward` computes, branch by branch: the reference for the collapse."""
        shortcut = features if self.identity.any() else 0
        return self.narrow(self.wide(features)) + shortcut


def expand(network: nn.Module, hidden: int) -> nn.Module:
    """Replaces every 3x3 `nn.Conv2d` of `network` by a fresh `CollapsibleConv`, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.Conv2d):
            setattr(network, name, CollapsibleConv(child.in_channels, child.out_channels, hidden))
        else:
            expand(child, hidden)
    return network


@torch.no_grad()
def collapse(network: nn.Module) -> dict[str, Tensor]:
    """The state dict of the narrow network that `expand` was given, with the trained kernels."""
    return {
        f"{name}.{part}": tensor
        for name, child in network.named_modules()
        if isinstance(child, CollapsibleConv)
        for part, tensor in zip(("weight", "bias"), child.kernel(), strict=True)
    }
