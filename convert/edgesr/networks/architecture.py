"""What edgesr knows about a published network: how to build it and how to recognise its checkpoints.

Each file of this package holds one architecture and ends with one `Architecture` descriptor; the
registry is the list of these descriptors. A descriptor never touches weights: detection reads only
the keys and shapes of a checkpoint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

Shapes = Mapping[str, tuple[int, ...]]
"""Key -> shape of every tensor in a checkpoint."""

Config = Mapping[str, Any]
"""Keyword arguments of an architecture's constructor; `scale` is always among them."""


@dataclass(frozen=True)
class Architecture:
    """One published super-resolution network.

    Attributes:
        name: registry name in lower case, as `--help` and `edgesr models` print it.
        title: the name as its paper writes it.
        source: paper, venue and year.
        pixel_range: value of white at the published network's input and output, 1 or 255.
        build: constructor; takes the items of a `Config`.
        detect: the `Config` that a checkpoint's characteristic keys and shapes speak for, or None if it
            lacks them. A guess: the registry then compares every key with the network so described.
        defaults: the published configuration, used when a network is built without a checkpoint.
        alike_scales: scales at which the weights have the same shapes. Detection cannot tell which and
            returns the published one; who loads a checkpoint must ask for the real one. Empty, as for
            most networks, if the shapes tell the scale.
    """

    name: str
    title: str
    source: str
    pixel_range: int
    build: Callable[..., nn.Module]
    detect: Callable[[Shapes], Config | None]
    defaults: Config = field(default_factory=dict)
    alike_scales: tuple[int, ...] = ()


@dataclass(frozen=True)
class Network:
    """A network ready to convert.

    Attributes:
        module: in evaluation mode, float32, weights loaded; maps (N,3,H,W) to (N,3,H*scale,W*scale).
        name: architecture name, or the user's module path for a network that edgesr did not build.
        scale: up-scaling factor.
        pixel_range: value of white at input and output, 1 or 255; 0 if not known, which happens only
            to a user's own module: `convert` then decides on the calibration pictures.
        config: the architecture's constructor arguments (empty for a user's own module).
        size: (height, width) of the only pictures that the module takes, as a torch.export program may
            demand; None for a module that takes any.
    """

    module: nn.Module
    name: str
    scale: int
    pixel_range: int
    config: Config = field(default_factory=dict)
    size: tuple[int, int] | None = None
