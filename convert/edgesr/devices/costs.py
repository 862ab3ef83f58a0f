"""The cost table: milliseconds of every op of a program, each measured alone on the runtime.

An op's time depends on its kind, number format, geometry and shapes, not on the network around it: the sum
over a program's ops comes within a few percent of the program's own time. So a table of a few dozen
measured ops tells what every mixture of containers would take, without making and running it. What was
measured is kept for the machine and the runtime that it was measured on, so that one machine answers the
same question always the same way.
"""

import json
import platform
import time
from collections import Counter
from hashlib import sha256
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

from edgesr_runtime.files import write_atomically

from ..cache import cache_folder
from ..errors import UserError
from ..graph import ops
from ..graph.shapes import Shape, shapes
from ..lowering.arrange import arrange
from ..lowering.tflite.writer import write_op
from ..quantization.typed import AnyConv, TypedGraph, TypedNode
from .litert import load

SCHEMA = 1
SECONDS = 0.02  # for which an op is run
RUNS = 5  # at least
DIGITS = 3  # significant, of a measured time


class CostTable:
    """Op -> milliseconds on one thread of this machine; missing ones are measured when asked for.

    The least of several runs counts, for other work on the machine only adds to it.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Args: path: where the table is kept; None keeps it among the user's caches.

        A table that cannot be read, or that stands for another machine, is begun anew.
        """
        self.machine = machine()
        digest = sha256(json.dumps(self.machine).encode()).hexdigest()[:12]
        self.path = path or cache_folder() / f"costs-{digest}.json"
        self._known = _read(self.path, self.machine)
        self._measured = False

    def milliseconds(self, graph: TypedGraph, tile: int) -> float:
        """Of one run of a typed graph on a tile of so many pixels a side."""
        arranged = arrange(graph)
        sizes = shapes(arranged, tile, tile)
        counts: Counter[str] = Counter()
        for node in arranged:
            if isinstance(node.op, ops.Input):
                continue
            name = op_key(node, arranged, sizes)
            counts[name] += 1
            if name not in self._known:
                self._known[name] = measure_op(node, arranged, sizes)
                self._measured = True
        return sum(self._known[name] * count for name, count in counts.items())

    def save(self) -> None:
        """Keeps what was measured; where that is not possible, it is measured again next time."""
        if not self._measured:
            return
        record = {"schema": SCHEMA, **self.machine, "milliseconds": dict(sorted(self._known.items()))}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps(record, indent=1) + "\n")
        except (OSError, UserError):
            return
        self._measured = False


def machine() -> dict[str, str]:
    """What a measured time depends on besides the op."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {"processor": processor, "runtime": f"ai-edge-litert {version('ai-edge-litert')}"}


def op_key(node: TypedNode, graph: TypedGraph, sizes: dict[str, Shape]) -> str:
    """All that an op's time depends on, in words: kind, formats, shapes, geometry."""
    op = node.op
    words = [op.kind]
    if isinstance(op, AnyConv):
        geometry = (op.weight.shape[2:], op.stride, op.dilation, (op.padding.top, op.padding.left))
        words += ["x".join(map(str, pair)) for pair in geometry]
        words += [f"groups {op.groups}", "relu" if op.relu else "linear"]
    if isinstance(op, ops.MaxPool):
        words += ["x".join(map(str, pair)) for pair in (op.kernel, op.stride)]
    words += [_tensor(graph[name], sizes) for name in node.inputs]
    return " ".join([*words, "->", _tensor(node, sizes)])


def _tensor(node: TypedNode, sizes: dict[str, Shape]) -> str:
    return f"{'f32' if node.qparams is None else 'int8'}[{'x'.join(map(str, sizes[node.name]))}]"


def measure_op(node: TypedNode, graph: TypedGraph, sizes: dict[str, Shape], threads: int = 1) -> float:
    """Milliseconds of one op of an arranged graph, run alone in LiteRT; the least of several runs."""
    interpreter = load(write_op(node, graph, sizes), threads)
    interpreter.invoke()
    begin, best, runs = time.perf_counter(), float("inf"), 0
    while runs < RUNS or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        interpreter.invoke()
        best = min(best, time.perf_counter() - start)
        runs += 1
    return float(f"{1000 * best:.{DIGITS}g}")


def _read(path: Path, expected: dict[str, str]) -> dict[str, float]:
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        if {name: record[name] for name in ("schema", *expected)} != {"schema": SCHEMA, **expected}:
            return {}
        known = {str(name): float(value) for name, value in record["milliseconds"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return known if all(isfinite(value) and value >= 0 for value in known.values()) else {}
