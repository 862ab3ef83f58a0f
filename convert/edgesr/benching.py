"""`edgesr bench` as a library: how long a program takes on this machine, as a whole and layer by layer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgesr_runtime import ProgramInfo
from edgesr_runtime.program import load_program, read_program

from .devices.costs import machine
from .devices.latency import Latency, latencies
from .lowering.targets import target_of
from .steps.progress import Stages, quiet


@dataclass(frozen=True)
class Bench:
    """What a program takes: variant -> `Latency`, on `threads` threads of this machine."""

    path: Path
    size: int
    target: str
    info: ProgramInfo
    threads: int
    runs: int
    variants: Mapping[str, Latency]

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr bench`."""
        return {
            "program": str(self.path),
            "target": self.target,
            "bytes": self.size,
            "scale": self.info.scale,
            "tile": self.info.tile,
            "processor": machine()["processor"],
            "threads": self.threads,
            "runs": self.runs,
            "variants": {name: self._variant(latency) for name, latency in self.variants.items()},
        }

    def _variant(self, latency: Latency) -> dict[str, Any]:
        own = (self.info.tile - 2 * self.info.halo) ** 2
        return {
            "milliseconds": round(latency.milliseconds, 4),
            "megapixels_per_second": round(own / latency.milliseconds / 1000, 4),
            "measured": latency.measured,
            "layers": [
                {**asdict(layer), "milliseconds": round(layer.milliseconds, 4)} for layer in latency.layers
            ],
            "outside": [layer.name for layer in latency.layers if not layer.accelerated],
        }


def bench(program: Path, threads: int, runs: int, stages: Stages = quiet) -> Bench:
    """Measures every variant of a program file.

    Raises:
        UserError: the file cannot be read, is damaged or is not edgesr's, or the runtime is
            missing.
    """
    stages("opening the program", None)
    data = read_program(program)
    info = load_program(data, str(program), threads).info
    advance = stages("measuring", 1 + runs + len(info.variants))
    found = latencies(data, threads, runs, advance)
    return Bench(program, program.stat().st_size, target_of(data).name, info, threads, runs, found)
