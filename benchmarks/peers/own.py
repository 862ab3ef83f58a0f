"""edgesr's own programs; its float32 .tflite is LiteRT's float: the plain network, nothing quantized."""

from collections.abc import Callable
from pathlib import Path

from . import executorch, litert
from .peer import NHWC, PROGRAM, Peer, Subject

MAX_DROP = 0.05
SUFFIXES = {"tflite": ".tflite", "executorch": ".pte"}


def making(target: str, bits: str) -> Callable[[Subject, Path], None]:
    def make(subject: Subject, folder: Path) -> None:
        from edgesr.conversion import Options, convert

        output = (folder / PROGRAM).with_suffix(SUFFIXES[target])
        convert(
            Options(
                subject.model, output, target=target, scale=subject.scale, calib=subject.calib,
                bits=bits, max_drop=MAX_DROP,
            )
        )  # fmt: skip

    return make


def on_litert(form: str, bits: str) -> Peer:
    return Peer("edgesr, LiteRT", form, making("tflite", bits), litert.load, litert.PACKAGES, NHWC)


def on_executorch(form: str, bits: str) -> Peer:
    return Peer("edgesr, ExecuTorch", form, making("executorch", bits), executorch.load, executorch.PACKAGES)


PEERS = (
    on_litert("float32", "f32"),
    on_litert("w8a8", "w8a8"),
    on_litert("auto", "auto"),
    on_executorch("w8a8", "w8a8"),
    on_executorch("auto", "auto"),
)
