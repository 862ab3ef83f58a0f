"""ONNX Runtime: torch.onnx's export, static QDQ quantization per channel, int8 on both sides."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .peer import PROGRAM, Floats, Peer, Run, Subject

TOOL = "ONNX Runtime"
PACKAGES = ("onnxruntime", "onnx", "onnxscript", "torch")
INPUT = "image"
AT_ONCE = 4
"""Tiles whose every tensor is kept until statistics are made of them; all at once take tens of gigabytes."""


def make_float(subject: Subject, folder: Path) -> None:
    _export(subject, folder / f"{PROGRAM}.onnx")


def _export(subject: Subject, path: Path) -> None:
    import torch

    torch.onnx.export(
        subject.module, (subject.example,), path, input_names=[INPUT], dynamo=True, external_data=False
    )


def making(method: str) -> Callable[[Subject, Path], None]:
    """Args: method: the calibration's name in `CalibrationMethod`."""

    def make(subject: Subject, folder: Path) -> None:
        from onnxruntime import quantization
        from onnxruntime.quantization.shape_inference import quant_pre_process

        _export(subject, folder / "exported.onnx")
        quant_pre_process(folder / "exported.onnx", folder / "ready.onnx")
        quantization.quantize_static(
            folder / "ready.onnx",
            folder / f"{PROGRAM}.onnx",
            _reader(subject.pixels),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            calibrate_method=quantization.CalibrationMethod[method],
            extra_options={"CalibStridedMinMax": AT_ONCE},
        )

    return make


def _reader(tiles: Floats) -> Any:
    """The tiles as ONNX Runtime asks for them, a stride at a time; the stride must divide their number."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.rest: Iterator[Floats] = iter(())

        def __len__(self) -> int:
            return len(tiles) // AT_ONCE * AT_ONCE

        def set_range(self, start_index: int, end_index: int) -> None:
            self.rest = iter(tiles[start_index:end_index])

        def get_next(self) -> dict[str, Floats] | None:
            tile = next(self.rest, None)
            return None if tile is None else {INPUT: tile[None]}

    return Reader()


def load(folder: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(folder / f"{PROGRAM}.onnx")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda tile: session.run(None, {INPUT: tile})[0]


PEERS = (
    Peer(TOOL, "float32", make_float, load, PACKAGES),
    Peer(TOOL, "int8", making("MinMax"), load, PACKAGES),
    Peer(TOOL, "int8, entropy", making("Entropy"), load, PACKAGES),
    Peer(TOOL, "int8, percentile", making("Percentile"), load, PACKAGES),
)
