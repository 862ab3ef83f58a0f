"""One variant of a .pte program in ExecuTorch, with inner tensors made visible.

A delegate's inner tensors cannot be asked for, so its program is written again with them as further outputs.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from edgesr_runtime.engines import OUTPUT
from edgesr_runtime.executorch_engine import ExecuTorchEngine, native_module

from ..lowering.executorch.writer import PROBE_METHOD, write_probe
from ..quantization.typed import TypedGraph
from .litert import Values


class PteRunner:
    """One variant; with `names`, those tensors of the graph are given too."""

    def __init__(
        self, program: bytes, variant: str, graph: TypedGraph, threads: int = 1, names: Sequence[str] = ()
    ) -> None:
        """Raises UserError where ExecuTorch is missing or refuses the program."""
        self._engine, self._variant = ExecuTorchEngine(program, threads), variant
        self._names = [node.name for node in graph if node.name in names]
        if self._names:
            tile = self._engine.input_shape(variant)[1]
            self._data = write_probe(graph, tile, self._names)  # read where it lies, so it must stay alive
            self._program = native_module()._load_program_from_buffer(self._data)
            self._probe = self._program.load_method(PROBE_METHOD)

    def __call__(self, batch: NDArray[np.float32]) -> Values:
        """Values of `sr` and of the named tensors for an NHWC batch of the declared shape."""
        if not self._names:
            return {OUTPUT: self._engine.run(self._variant, batch)}
        image = torch.from_numpy(batch.transpose(0, 3, 1, 2).copy())
        *inner, result = (value.clone() for value in self._probe.call((image,)))
        values = {name: value.numpy() for name, value in zip(self._names, inner, strict=True)}
        return {**values, OUTPUT: result.permute(0, 2, 3, 1).contiguous().numpy()}
