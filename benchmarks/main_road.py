"""Speed of programs against their own float32 form, and time and memory of whole conversions.

    python benchmarks/main_road.py speed [CHECKPOINT ...]
    python benchmarks/main_road.py costs CHECKPOINT [...]
    python benchmarks/main_road.py convert --calib DIR CHECKPOINT [...]

`speed` times EDSR 8x32 x2 (random weights) and the given checkpoints, each as f32 and as w8a8, one thread,
runs interleaved, and prints medians and their ratio. `costs` compares what the cost table says about whole
programs, as the sum of their ops, with their own times (the least of many runs). `convert` runs the command
in a process of its own and prints wall time and peak memory. Figures belong to the machine that is named in
the first line; compare ratios, and only within one run.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from edgesr.devices.costs import CostTable
from edgesr.devices.litert import load
from edgesr.graph.capture import capture
from edgesr.graph.graph import Graph
from edgesr.graph.rewrites import rewrite
from edgesr.lowering.tflite.writer import write
from edgesr.networks.edsr import EDSR
from edgesr.networks.source import load_network
from edgesr.quantization.methods.minmax import minmax
from edgesr.quantization.quantize import quantize
from edgesr.quantization.statistics import CalibrationTiles
from edgesr.quantization.sums import cheap_sums, terms_apart
from edgesr.quantization.typed import TypedGraph
from edgesr_runtime.engines import LiteRtEngine

TILE = 128
ROUNDS = 15
VARIANT = "serving_default"

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(width=110)


@app.command()
def speed(checkpoints: Annotated[list[Path] | None, typer.Argument()] = None) -> None:
    """Median milliseconds of f32 and w8a8 at a 128x128 tile on one thread, and their ratio."""
    torch.manual_seed(0)
    networks = {"EDSR 8x32 x2": (rewrite(capture(EDSR(scale=2, width=32, depth=8).eval())), 255)}
    for path in checkpoints or []:
        network = load_network(str(path))
        networks[path.stem] = (rewrite(capture(network.module)), network.pixel_range)
    table = Table("network", "f32 ms", "w8a8 ms", "speed-up", title=machine())
    for name, (graph, white) in networks.items():
        milliseconds = timed({form: engine(graph, white, form) for form in ("f32", "w8a8")})
        ratio = milliseconds["f32"] / milliseconds["w8a8"]
        table.add_row(name, f"{milliseconds['f32']:.1f}", f"{milliseconds['w8a8']:.1f}", f"{ratio:.2f}x")
    console.print(table)


@app.command()
def costs(checkpoints: list[Path], tile: int = 64) -> None:
    """Milliseconds on one thread: the sum over the ops by the cost table, and the whole program's least."""
    table = Table("network", "form", "ops", "program", "ratio", title=machine())
    known = CostTable()
    for path in checkpoints:
        network = load_network(str(path))
        graph = rewrite(capture(network.module))
        for form in ("w8a8", "dynamic", "f32"):
            typed = lowered(graph, network.pixel_range, form)
            data = write({VARIANT: typed}, tile, b"{}")
            total, whole = known.milliseconds(typed, tile), least(data)
            table.add_row(path.stem, form, f"{total:.2f}", f"{whole:.2f}", f"{total / whole:.3f}")
    known.save()
    console.print(table)


def least(program: bytes) -> float:
    """Milliseconds of a program, the least of many runs."""
    interpreter = load(program, threads=1)
    spent = []
    for _ in range(3 * ROUNDS):
        start = time.perf_counter()
        interpreter.invoke()
        spent.append(1000 * (time.perf_counter() - start))
    return min(spent)


def engine(graph: Graph, white: int, form: str) -> LiteRtEngine:
    """The network in one form; speed does not depend on the values that it was calibrated on."""
    return LiteRtEngine(write({VARIANT: lowered(graph, white, form)}, TILE, b"{}"), threads=1)


def lowered(graph: Graph, white: int, form: str) -> TypedGraph:
    noise = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * white
    if form == "w8a8":
        graph = terms_apart(graph, cheap_sums(graph))
    plan = minmax(graph, CalibrationTiles(noise, white), 8)
    if form in ("f32", "dynamic"):
        plan = plan.with_containers({node.name: "f32" for node in graph})
    if form == "dynamic":
        plan = plan.with_containers({node.name: "w8a8-dynamic" for node in graph.convs})
    return quantize(graph, plan)


def timed(engines: Mapping[str, LiteRtEngine]) -> dict[str, float]:
    """Median milliseconds of engines with one input size; rounds alternate, so load falls on all alike."""
    return _timed({name: (engine, VARIANT) for name, engine in engines.items()})


def timed_variants(engine: LiteRtEngine) -> dict[str, float]:
    """The same of the variants of one program."""
    return _timed({variant: (engine, variant) for variant in engine.variants})


def _timed(runners: Mapping[str, tuple[LiteRtEngine, str]]) -> dict[str, float]:
    first, variant = next(iter(runners.values()))
    batch = np.random.default_rng(0).random(first.input_shape(variant), np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for runner, variant in runners.values():
        runner.run(variant, batch)  # the first run prepares
    for _ in range(ROUNDS):
        for name, (runner, variant) in runners.items():
            start = time.perf_counter()
            runner.run(variant, batch)
            seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


@app.command()
def convert(
    models: Annotated[list[str], typer.Argument(help="Checkpoints or network names.")],
    calib: Annotated[Path | None, typer.Option(help="Folder of calibration pictures.")] = None,
    bits: Annotated[list[str] | None, typer.Option(help="Forms to convert to.")] = None,
) -> None:
    """Wall seconds and peak memory of `edgesr convert`, one process each."""
    table = Table("network", "bits", "seconds", "peak MB", "exit", title=machine())
    for model in models:
        for form in bits or ["w8a8", "auto"]:
            seconds, megabytes, code = converted(model, form, calib)
            table.add_row(Path(model).stem, form, f"{seconds:.1f}", f"{megabytes:.0f}", str(code))
    console.print(table)


def converted(model: str, form: str, calib: Path | None) -> tuple[float, float, int]:
    """Runs one conversion; returns seconds, peak resident megabytes, exit code."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "edgesr", "convert", model, "--bits", form, "--max-drop", "0.05"]
        command += ["-o", str(Path(folder, "program.tflite")), *(["--calib", str(calib)] if calib else [])]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        return time.perf_counter() - start, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def machine() -> str:
    """Processor, cores and load: without them the figures mean little."""
    names = [line.split(":")[1].strip() for line in cpu_lines() if line.startswith("model name")]
    load = os.getloadavg()[0]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, load {load:.1f} at the start"
    )


def cpu_lines() -> list[str]:
    info = Path("/proc/cpuinfo")
    return info.read_text().splitlines() if info.is_file() else []


if __name__ == "__main__":
    app()
