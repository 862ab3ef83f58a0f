"""ncnn in float32, through pnnx. Its int8 tools (ncnn2table, ncnn2int8) are in no package on PyPI."""

from pathlib import Path

import numpy as np

from .peer import PROGRAM, Floats, Peer, Run, Subject

PACKAGES = ("ncnn", "pnnx")


def make_float(subject: Subject, folder: Path) -> None:
    import pnnx

    pnnx.export(subject.module, str(folder / "traced.pt"), subject.example, fp16=False)
    for suffix in ("param", "bin"):
        (folder / f"traced.ncnn.{suffix}").rename(folder / f"{PROGRAM}.{suffix}")


def load(folder: Path) -> Run:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    for read, suffix in ((net.load_param, "param"), (net.load_model, "bin")):
        if read(str(folder / f"{PROGRAM}.{suffix}")):
            raise RuntimeError(f"ncnn does not load its .{suffix}")

    def run(tile: Floats) -> Floats:
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(tile[0]).clone())
            failed, answer = extractor.extract("out0")
            if failed:
                raise RuntimeError(f"ncnn answers {failed}")
            return np.array(answer)[None]

    return run


PEERS = (Peer("ncnn", "float32", make_float, load, PACKAGES),)
