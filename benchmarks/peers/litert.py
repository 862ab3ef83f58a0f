"""Programs in LiteRT's format, whoever wrote them."""

from pathlib import Path

import numpy as np

from edgesr_runtime.metadata import DEFAULT_VARIANT

from .peer import PROGRAM, Floats, Run

PACKAGES = ("ai-edge-litert",)


def load(folder: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / f"{PROGRAM}.tflite"), num_threads=1)
    runner = interpreter.get_signature_runner(DEFAULT_VARIANT)
    (name,), (result,) = runner.get_input_details(), runner.get_output_details()

    def run(tile: Floats) -> Floats:
        answer = runner(**{name: tile})[result]
        assert answer.dtype == np.float32
        return answer

    return run
