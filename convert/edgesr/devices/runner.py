"""Runs on the other side: a few pictures through .tflite programs, under the Python of another device.

Needs the standard library, numpy and either ai-edge-litert (`litert`) or Android's library on the loader's
path (`android`); nothing of edgesr, which is not there. Called as `runner.py JOB`, a folder with `job.json`
and `images.npy`; leaves `N.npz` for the N-th task, and prints `ran` after each picture. Exit code 3: the
runtime refuses a program, the last line of stdout says why.
"""

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

REFUSED = 3
INPUT = "image"
TYPES = {1: np.float32, 9: np.int8}  # TfLiteType

Run = Callable[[Any], Mapping[str, Any]]


class Refusal(Exception):
    """The runtime does not take the program."""


def main(folder: Path) -> int:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    images = np.load(folder / "images.npy")
    load = {"litert": litert, "android": android}[job["engine"]]
    try:
        for index, task in enumerate(job["tasks"]):
            say(f"loading {task['entry']}")
            run = load(str(folder / task["program"]), task["entry"], task["outputs"])
            answers, seconds = [], []
            for image in images:
                start = time.perf_counter()
                values = run(image[None])
                seconds.append(time.perf_counter() - start)
                answers.append([values[name] for name in task["outputs"]])
                say("ran")
            columns = (np.stack(column) for column in zip(*answers, strict=True))
            np.savez(folder / f"{index}.npz", np.array(seconds), *columns)
    except (Refusal, RuntimeError, ValueError) as error:
        say("refused " + " ".join(str(error).split()))
        return REFUSED
    return 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def litert(path: str, entry: str, outputs: list[str]) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    signature = interpreter.get_signature_runner(entry)
    signature(**{INPUT: np.zeros(signature.get_input_details()[INPUT]["shape"], np.float32)})
    return lambda batch: {name: value.copy() for name, value in signature(**{INPUT: batch}).items()}


class XnnpackOptions(ctypes.Structure):
    """Only the first field is set here; the rest has room for what any version adds."""

    _fields_ = (("threads", ctypes.c_int32), ("rest", ctypes.c_uint32 * 63))


def android(path: str, entry: str, outputs: list[str]) -> Run:
    """The TfLite C API of libtensorflowlite_jni.so, with XNNPACK, as an app uses it."""
    for name in ("libc.so", "libm.so", "libdl.so", "liblog.so"):
        ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    call = Api(ctypes.CDLL("libtensorflowlite_jni.so"))
    model = call.pointer("TfLiteModelCreateFromFile", path.encode())
    options = call.pointer("TfLiteInterpreterOptionsCreate")
    call.nothing("TfLiteInterpreterOptionsSetNumThreads", options, 1)
    chosen = call.function("TfLiteXNNPackDelegateOptionsDefault", XnnpackOptions)()
    chosen.threads = 1
    delegate = call.pointer("TfLiteXNNPackDelegateCreate", ctypes.byref(chosen))
    call.nothing("TfLiteInterpreterOptionsAddDelegate", options, delegate)
    interpreter = call.pointer("TfLiteInterpreterCreate", model, options)
    signature = call.pointer("TfLiteInterpreterGetSignatureRunner", interpreter, entry.encode())
    call.check("TfLiteSignatureRunnerAllocateTensors", signature)
    taken = call.pointer("TfLiteSignatureRunnerGetInputTensor", signature, INPUT.encode())

    def run(batch: Any) -> Mapping[str, Any]:
        data = np.ascontiguousarray(batch)
        call.check("TfLiteTensorCopyFromBuffer", taken, data.ctypes.data, data.nbytes)
        call.check("TfLiteSignatureRunnerInvoke", signature)
        return {name: call.value(signature, name) for name in outputs}

    return run


class Api:
    """Calls of a C library in which a null pointer or a status other than 0 is a refusal."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def function(self, name: str, result: Any) -> Any:
        found = getattr(self._library, name)
        found.restype = result
        return found

    def pointer(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        result = self.function(name, ctypes.c_void_p)(*arguments)
        if not result:
            raise Refusal(f"{name} gives nothing")
        return ctypes.c_void_p(result)

    def check(self, name: str, handle: ctypes.c_void_p, *arguments: Any) -> None:
        wide = [ctypes.c_size_t(value) for value in arguments]  # addresses and sizes
        if status := self.function(name, ctypes.c_int)(handle, *wide):
            raise Refusal(f"{name} gives status {status}")

    def nothing(self, name: str, *arguments: Any) -> None:
        self.function(name, None)(*arguments)

    def number(self, name: str, *arguments: Any) -> int:
        return int(self.function(name, ctypes.c_int32)(*arguments))

    def value(self, signature: ctypes.c_void_p, name: str) -> Any:
        tensor = self.pointer("TfLiteSignatureRunnerGetOutputTensor", signature, name.encode())
        rank = self.number("TfLiteTensorNumDims", tensor)
        shape = [self.number("TfLiteTensorDim", tensor, axis) for axis in range(rank)]
        value = np.empty(shape, TYPES[self.number("TfLiteTensorType", tensor)])
        self.check("TfLiteTensorCopyToBuffer", tensor, value.ctypes.data, value.nbytes)
        return value


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    # Android's library must not be unloaded by glibc: its clean-up is bionic's.
    os._exit(status)
