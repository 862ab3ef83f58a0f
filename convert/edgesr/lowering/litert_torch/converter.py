"""A network through litert-torch: whatever PyTorch exports, as a float32 .tflite program of one tile size.

The way for networks with ops that edgesr's own graph does not have. litert-torch is heavy and talks a lot:
it is imported when it is needed, and what it prints is held back.
"""

import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn

from edgesr_runtime.engines import INPUT, OUTPUT
from edgesr_runtime.metadata import DEFAULT_VARIANT

from ...errors import UserError
from .model import Model
from .names import classes_of, rename

LONGEST = 200  # characters of a message
KEPT_METADATA = (b"min_runtime_version",)


class _ChannelsLast(nn.Module):
    """(1,H,W,3) to (1,H*scale,W*scale,3), as programs take pictures."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = False  # eval() would reach the module of a torch.export program, which refuses it

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.network(image.permute(0, 3, 1, 2).contiguous())
        return result.permute(0, 2, 3, 1)


def float_program(network: nn.Module, tile: int) -> bytes:
    """A .tflite file with the one signature `serving_default`, from `image` to `sr`, float32, NHWC.

    Args:
        network: maps (1,3,H,W) to (1,3,H*scale,W*scale).
        tile: height and width of the only input that the program takes.

    Raises:
        UserError: litert-torch does not take the network.
    """
    example = torch.zeros(1, tile, tile, 3)
    with quiet():
        try:
            import litert_torch

            signature = litert_torch.signature(
                DEFAULT_VARIANT, _ChannelsLast(network), sample_kwargs={INPUT: example}
            )
            converted: Any = signature.convert()
            written = bytes(converted.model_content())
        except Exception as error:  # the converter and the user's code can raise anything
            raise UserError(f"litert-torch cannot convert the network: {reason(error)}") from error
    return as_program(written, network)


def as_program(converted: bytes, network: nn.Module) -> bytes:
    """The converter's file as programs are: the output is `sr`, names are short, nothing else is said."""
    model = Model(converted)
    model.signature.outputs[0].name = OUTPUT
    model.table.metadata = [m for m in model.table.metadata or () if m.name in KEPT_METADATA]
    rename(model, classes_of(network))
    return model.to_bytes()


def reason(error: Exception) -> str:
    """The first words of a message that may be pages long, without folders and code of the compiler's own;
    the error's kind where there are none.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    words = re.sub(r"/\S*/", "", lines[0].partition(": %")[0])
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} ..."


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that Python or native code prints, logs or warns in here reaches the user."""
    threshold = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            tempfile.TemporaryFile("w+") as sink,
            warnings.catch_warnings(),
            _descriptors_to(sink.fileno()),
            redirect_stdout(sink),
            redirect_stderr(sink),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(threshold)


@contextmanager
def _descriptors_to(sink: int) -> Iterator[None]:
    """Native code writes past Python; descriptors that are closed need no silencing."""
    saved: dict[int, int] = {}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        try:
            saved[descriptor] = os.dup(descriptor)
        except OSError:
            continue
        os.dup2(sink, descriptor)
    try:
        yield
    finally:
        for descriptor, copy in saved.items():
            os.dup2(copy, descriptor)
            os.close(copy)
