"""The table of known architectures, and finding the one that a checkpoint belongs to.

Adding an architecture is one file and one line of `ARCHITECTURES`.
"""

import difflib
from functools import lru_cache
from typing import Any

import torch

from edgesr.errors import UserError

from . import carn, edsr, espcn, fsrcnn, idn, imdn, plain, rdn, rfdn, rlfn, srresnet, srvgg
from .architecture import Architecture, Config, Shapes
from .keys import KeyDifference, compare, shapes_of

ARCHITECTURES: tuple[Architecture, ...] = (
    plain.ARCHITECTURE,
    edsr.ARCHITECTURE,
    srvgg.ARCHITECTURE,
    rfdn.ARCHITECTURE,
    rlfn.ARCHITECTURE,
    imdn.ARCHITECTURE,
    carn.ARCHITECTURE,
    carn.ARCHITECTURE_M,
    srresnet.ARCHITECTURE,
    rdn.ARCHITECTURE,
    espcn.ARCHITECTURE,
    fsrcnn.ARCHITECTURE,
    idn.ARCHITECTURE,
)

REMEDY = "give the state_dict as it was trained, or your own network as package.module:factory"


def names() -> tuple[str, ...]:
    """Registry names in the order of the table."""
    return tuple(architecture.name for architecture in ARCHITECTURES)


def by_name(name: str) -> Architecture:
    """The architecture of this registry name, in any case of letters.

    Raises:
        UserError: no such name; the message lists the known ones and what may have been meant.
    """
    for architecture in ARCHITECTURES:
        if architecture.name == name.lower():
            return architecture
    close = difflib.get_close_matches(name.lower(), names(), n=2)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise UserError(
        f"unknown network '{name}'{meant}: give one of {', '.join(names())}, "
        "a .safetensors, .pth, .pt or .pt2 file, or package.module:factory"
    )


def network_shapes(architecture: Architecture, config: Config) -> Shapes:
    """Key -> shape of the network that `config` describes; no memory is spent on its weights."""
    return _network_shapes(architecture.name, tuple(config.items()))


@lru_cache(maxsize=64)  # every detection asks for the published networks again
def _network_shapes(name: str, config: tuple[tuple[str, Any], ...]) -> Shapes:
    with torch.device("meta"):
        return shapes_of(by_name(name).build(**dict(config)).state_dict())


def detect(shapes: Shapes, origin: str = "the checkpoint") -> tuple[Architecture, Config]:
    """The architecture and configuration of a checkpoint, exact in every key and shape.

    Args:
        shapes: key -> shape of the checkpoint's tensors.
        origin: what error messages call the checkpoint, usually its path.

    Raises:
        UserError: no architecture fits; the message says in what the nearest one differs.
    """
    guesses = [_guess(architecture, shapes) for architecture in ARCHITECTURES]
    architecture, config, difference = min(guesses, key=lambda guess: len(guess[2]))
    if not difference:
        return architecture, config
    # Shapes may all be wrong for a near miss, but most names must be right for it to be a near miss.
    strangers = len(difference.missing) + len(difference.unexpected)
    if strangers > len(shapes) // 2:
        raise UserError(
            f"{origin}: no known architecture has these keys ({', '.join(list(shapes)[:3])}, ...); known are "
            f"{', '.join(names())}: {REMEDY}"
        )
    raise _mismatch(architecture, config, difference, origin)


def match(architecture: Architecture, shapes: Shapes, origin: str = "the checkpoint") -> Config:
    """The configuration of a checkpoint that must be of this architecture.

    Raises:
        UserError: it is not; the message says in what it differs.
    """
    _, config, difference = _guess(architecture, shapes)
    if difference:
        raise _mismatch(architecture, config, difference, origin)
    return config


def _guess(architecture: Architecture, shapes: Shapes) -> tuple[Architecture, Config, KeyDifference]:
    """Where the characteristic keys are missing, the published configuration stands in for the report."""
    config = architecture.detect(shapes) or architecture.defaults
    return architecture, config, compare(shapes, network_shapes(architecture, config))


def _mismatch(
    architecture: Architecture, config: Config, difference: KeyDifference, origin: str
) -> UserError:
    settings = ", ".join(f"{key} {value}" for key, value in config.items())
    return UserError(
        f"{origin}: does not fit {architecture.title} ({settings}): {difference.describe()}; {REMEDY}"
    )
