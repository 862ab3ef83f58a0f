"""Reading a checkpoint's keys: the few questions that detection asks, and an exact comparison.

Detection only has to guess a configuration from some characteristic keys. Whether the guess is right is
decided here, by comparing every key and shape with those of the network that the guess describes; the
same comparison names what is missing, unexpected or mis-shaped in a checkpoint that nearly fits.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from .architecture import Shapes

SHOWN = 4
"""Keys of a kind that an error message names before it says how many more there are."""

MAX_CHANNELS = 2**14
"""Channels of a convolution that detection believes in: several times the widest published network's."""

COUNTER = ".num_batches_tracked"
"""Batch norms count their training steps; old checkpoints lack it, and nothing is computed from it."""


def shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    """Key -> shape of every tensor of a state dict."""
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def conv_channels(shapes: Shapes, stem: str) -> tuple[int, int] | None:
    """(output, input) channels of the convolution at `stem`; None if there is none, or of absurd size.

    For a grouped convolution the second number counts one group's; a transposed one has them swapped.
    """
    shape = shapes.get(f"{stem}.weight", ())
    if len(shape) != 4 or min(shape) < 1 or max(shape) > MAX_CHANNELS:
        return None
    return (shape[0], shape[1])


def count_indices(shapes: Shapes, pattern: str, first: int = 0) -> int:
    """How many indices a numbered family of keys spans: 1 + largest - `first`, 0 if there is none.

    The largest index counts, not the number of keys, so that a hole is reported as missing keys. No more
    than one per key of the checkpoint: an absurd index must not make an absurd network.

    Args:
        pattern: regular expression of the whole key with one group, the index.
    """
    matches = (re.fullmatch(pattern, key) for key in shapes)
    indices = [int(match[1]) for match in matches if match]
    return min(max(indices, default=first - 1) + 1 - first, len(shapes))


def shuffle_scale(channels: int, made: int = 3) -> int:
    """Scale of a pixel shuffle that makes `made` channels of about this many: scale^2 each, from 2 to 8."""
    return min(max(round(math.sqrt(channels / made)), 2), 8)


@dataclass(frozen=True)
class KeyDifference:
    """In what a checkpoint differs from a network.

    Attributes:
        missing: keys that the network has and the checkpoint lacks.
        unexpected: keys that only the checkpoint has.
        misshaped: (key, shape in the checkpoint, shape in the network).
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.unexpected) + len(self.misshaped)

    def describe(self) -> str:
        """One line naming at most `SHOWN` keys of each kind."""
        misshaped = [f"{key} is {_size(found)}, not {_size(wanted)}" for key, found, wanted in self.misshaped]
        parts = (("it lacks ", self.missing), ("it has unexpected ", self.unexpected), ("", misshaped))
        return "; ".join(lead + _some(items) for lead, items in parts if items)


def compare(found: Shapes, expected: Shapes) -> KeyDifference:
    """The difference between a checkpoint's shapes and a network's; empty (false) if they agree."""
    return KeyDifference(
        missing=tuple(key for key in expected if key not in found and not key.endswith(COUNTER)),
        unexpected=tuple(key for key in found if key not in expected),
        misshaped=tuple(
            (key, found[key], shape)
            for key, shape in expected.items()
            if key in found and found[key] != shape
        ),
    )


def without_first_part(keys: Iterable[str]) -> dict[str, str]:
    """Key -> the key without the attribute that a training framework has put before all of them.

    Empty if there is no such part.
    """
    keys = tuple(keys)
    first = {key.partition(".")[0] for key in keys}
    if len(first) != 1 or any("." not in key for key in keys):
        return {}
    return {key: key.partition(".")[2] for key in keys}


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _some(items: Sequence[str]) -> str:
    more = len(items) - SHOWN
    return ", ".join(items[:SHOWN]) + (f" and {more} more" if more > 0 else "")
