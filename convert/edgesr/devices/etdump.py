"""ExecuTorch's own account of a run (ETDump): the time of every op inside the delegate, by layer.

The events carry XNNPACK's names of its operators, in the order in which they ran; the program's nodes carry
the layers' names in the same order. A node that XNNPACK merged into another has no event.
"""

import logging
import os
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgesr_runtime.executorch_engine import ExecuTorchEngine, native_module
from edgesr_runtime.pte import method_name

from ..errors import UserError
from ..lowering.executorch.kinds import CONCATS, Kind
from ..lowering.executorch.reader import labelled_nodes

REACH = 4  # nodes that may be passed over: XNNPACK has merged them into another
WARM_UP = 1  # runs that are not counted: the first one prepares the delegate
_CONVOLUTIONS = (Kind.CONV, Kind.DEPTHWISE_CONV)
OPERATORS: Mapping[str, tuple[Kind, ...]] = {
    "add": (Kind.ADD,),
    "clamp": (Kind.CLAMP,),
    "constantpad": (Kind.PAD,),
    "convert": (Kind.CONVERT,),
    "convolution": _CONVOLUTIONS,
    "copy": (*CONCATS.values(), Kind.RESHAPE),
    "deconvolution": (Kind.TRANSPOSED_CONV,),
    "fullyconnected": _CONVOLUTIONS,
    "invalidunaryop": (Kind.CONVERT,),  # from int8 to int8
    "leakyrelu": (Kind.LEAKY_RELU,),
    "maxpooling": (Kind.MAX_POOL,),
    "mean": (Kind.MEAN,),
    "meansquared": (Kind.MEAN,),
    "multiply": (Kind.MULTIPLY,),
    "prelu": (Kind.PRELU,),
    "resizebilinear": (Kind.RESIZE_BILINEAR,),
    "sigmoid": (Kind.SIGMOID,),
    "slice": (Kind.SLICE,),
    "square": (Kind.SQUARE,),
    "squareroot": (Kind.SQUARE_ROOT,),
    "staticreshape": (Kind.RESHAPE,),
    "subtract": (Kind.SUBTRACT,),
    "tanh": (Kind.TANH,),
    "transpose": (Kind.TRANSPOSE,),
}
"""XNNPACK's name of an operator, without spaces and capitals -> the kinds of node that it serves."""


def op_times(program: bytes, variant: str, threads: int, runs: int) -> dict[str, float]:
    """Layer name -> median milliseconds of its ops in one run of a .pte program on a tile.

    Raises:
        UserError: executorch is not installed.
    """
    events = _events(program, variant, threads, runs)
    return by_layer(events, labelled_nodes(program, variant))


def by_layer(events: Sequence[tuple[str, float]], nodes: Sequence[tuple[Kind, str]]) -> dict[str, float]:
    """Sums events (operator, milliseconds) over the layers whose nodes they belong to, both in order.

    An event that fits none of the next few nodes belongs to the layer before it: XNNPACK makes an operator
    of its own of some activations.
    """
    times: dict[str, float] = defaultdict(float)
    position = -1
    for operator, milliseconds in events:
        kinds = OPERATORS.get(operator.partition("(")[0].replace(" ", "").lower(), ())
        near = range(position + 1, min(position + 1 + REACH, len(nodes)))
        position = next((i for i in near if nodes[i][0] in kinds), max(position, 0))
        times[nodes[position][1]] += milliseconds
    return dict(times)


def _events(program: bytes, variant: str, threads: int, runs: int) -> list[tuple[str, float]]:
    import torch

    native = native_module()
    _, height, width, channels = ExecuTorchEngine(program).input_shape(variant)
    image = torch.zeros(1, channels, height, width)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "run.etdump"
        native._unsafe_reset_threadpool(threads)
        loaded = native._load_for_executorch_from_buffer(program, enable_etdump=True)
        for _ in range(WARM_UP + runs):
            loaded.run_method(method_name(variant), (image,))
        loaded.write_etdump_result_to_file(str(path), str(Path(folder) / "unused"))
        blocks = _inspected(path)
    events = [event for block in blocks if block.name == "Execute" for event in block.events]
    return [(event.name, float(event.perf_data.p50)) for event in events if event.is_delegated_op]


def _inspected(path: Path) -> Any:
    try:
        from executorch.devtools import Inspector
    except ImportError as error:
        hint = "pip install 'edgesr[executorch]'"
        raise UserError(f"times of layers need executorch's developer tools ({error}); {hint}") from error
    return Inspector(etdump_path=str(path)).event_blocks


@contextmanager
def _quiet() -> Iterator[None]:
    """ExecuTorch and its tools write what they do to stderr, in three ways; what goes wrong is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    saved = os.dup(2)
    try:
        with warnings.catch_warnings(action="ignore"), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        logging.disable(before)
