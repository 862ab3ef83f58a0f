"""ExecuTorch's own road: XNNPACKQuantizer through PT2E, lowered to XNNPACK."""

from pathlib import Path
from typing import Any

import numpy as np

from .peer import PROGRAM, Floats, Peer, Run, Subject

PACKAGES = ("executorch", "torchao", "torch")
METHODS = ("forward", "serving_default")


def make_float(subject: Subject, folder: Path) -> None:
    _lower(subject.module, subject, folder)


def make_int8(subject: Subject, folder: Path) -> None:
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    exported = torch.export.export(subject.module, (subject.example,)).module()
    prepared = prepare_pt2e(exported, quantizer)
    with torch.no_grad():
        for tile in subject.pixels:
            prepared(torch.from_numpy(tile[None]))
    _lower(convert_pt2e(prepared), subject, folder)


def _lower(module: Any, subject: Subject, folder: Path) -> None:
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    exported = torch.export.export(module, (subject.example,))
    edge = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    (folder / f"{PROGRAM}.pte").write_bytes(edge.to_executorch().buffer)


def load(folder: Path) -> Run:
    import torch
    from executorch.extension.pybindings import portable_lib
    from executorch.runtime import Runtime

    portable_lib._unsafe_reset_threadpool(1)
    program = Runtime.get().load_program(folder / f"{PROGRAM}.pte")
    method = program.load_method(next(name for name in METHODS if name in program.method_names))

    def run(tile: Floats) -> Floats:
        (answer,) = method.execute([torch.from_numpy(tile)])
        result: Floats = np.asarray(answer)
        return result

    return run


PEERS = (
    Peer("ExecuTorch", "float32", make_float, load, PACKAGES),
    Peer("ExecuTorch", "int8", make_int8, load, PACKAGES),
)
