"""litert-torch and ai-edge-quantizer as they come, in an environment of their own."""

import subprocess
from pathlib import Path

from . import litert
from .peer import NHWC, PROGRAM, Peer, Subject

SCRIPT = Path(__file__).with_name("litert_torch_script.py")
TOOL = "litert-torch + ai-edge-quantizer"
APART = ("litert-torch", "ai-edge-quantizer")
PACKAGES = (*APART, *litert.PACKAGES)
LAST_WORDS = 1000


def make_float(subject: Subject, folder: Path) -> None:
    _run(subject, folder)


def make_int8(subject: Subject, folder: Path) -> None:
    _run(subject, folder, "--int8")


def _run(subject: Subject, folder: Path, *flags: str) -> None:
    import torch

    if subject.litert_torch is None:
        raise RuntimeError("no environment with litert-torch (--litert-torch)")
    exported = folder / "network.pt2"
    torch.export.save(torch.export.export(subject.module, (subject.example,)), exported)
    command = [
        subject.litert_torch,
        "-BP",
        SCRIPT,
        exported,
        subject.tiles,
        folder / f"{PROGRAM}.tflite",
        *flags,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-LAST_WORDS:].strip().splitlines()[-1])


PEERS = (
    Peer(TOOL, "float32", make_float, litert.load, PACKAGES, NHWC),
    Peer(TOOL, "int8", make_int8, litert.load, PACKAGES, NHWC),
)
