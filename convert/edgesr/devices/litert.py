"""One variant of a .tflite program in LiteRT, with inner tensors made visible.

They become visible by a probe: the same program with those tensors as further outputs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edgesr_runtime.engines import INPUT, without_chatter

from ..errors import UserError
from ..lowering.tflite.flatbuffer import FILE_IDENTIFIER

Values = Mapping[str, NDArray[Any]]
"""Tensor name -> value in NHWC, int8 or float32."""


class Runner:
    """One variant in LiteRT, with further tensors as outputs where `names` are given."""

    def __init__(self, program: bytes, variant: str, threads: int = 1, names: Sequence[str] = ()) -> None:
        """Raises UserError where LiteRT refuses the program."""
        interpreter = load(probe_program(program, variant, names), threads)
        self._run = interpreter.get_signature_runner(variant)
        self._shape = tuple(self._run.get_input_details()[INPUT]["shape"].tolist())

    def __call__(self, batch: NDArray[np.float32]) -> Values:
        """Values of `sr` and of the named tensors for an NHWC batch of the declared shape."""
        if batch.shape != self._shape:
            raise ValueError(f"the program takes {self._shape}, not {batch.shape}")
        return dict(self._run(**{INPUT: batch}))


def load(program: bytes, threads: int) -> Any:
    """An interpreter that is ready to run.

    Raises:
        UserError: LiteRT refuses the program.
    """
    with without_chatter():
        try:
            interpreter = Interpreter(model_content=program, num_threads=threads)
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise UserError(f"LiteRT refuses the program ({' '.join(str(error).split())})") from error
    return interpreter


def probe_program(program: bytes, variant: str, names: Sequence[str] = ()) -> bytes:
    """The program with the variant as its only one and the named tensors as further outputs."""
    model = schema.ModelT.InitFromPackedBuf(program, 0)
    signature = next(s for s in model.signatureDefs if s.signatureKey.decode() == variant)
    subgraph = model.subgraphs[signature.subgraphIndex]
    model.subgraphs, model.signatureDefs, signature.subgraphIndex = [subgraph], [signature], 0
    computed = [i for i, tensor in enumerate(subgraph.tensors) if model.buffers[tensor.buffer].data is None]
    index = {subgraph.tensors[i].name.decode(): i for i in computed}
    for name in names:
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index[name]
        signature.outputs.append(entry)
    subgraph.outputs = [*subgraph.outputs, *(index[name] for name in names)]
    builder = flatbuffers.Builder(len(program))
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())
