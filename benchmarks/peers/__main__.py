"""int8 of edgesr and of its peers: drop, time and bytes of the same networks on the same pictures and tiles.

    PYTHONPATH=benchmarks python -m peers --data DIR [--litert-torch PYTHON] [MODEL[:SCALE] ...]

DIR holds `train/bsds400` to calibrate on, `eval/Set14` to judge on, and `weights`. Every program is made,
judged and timed in a process of its own, on one thread; the processes are timed in turn, so that other work
on the machine falls on all alike. What a peer cannot do becomes its line of the table.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

os.environ["OMP_NUM_THREADS"] = "1"  # before torch, here and in every process that is started

import typer

from . import litert_torch
from .bench import given, program, timed
from .listing import PEERS
from .plot import draw
from .results import Results, figures, into_page

MODELS = ["weights/rlfn_x4.pth", "weights/rfdn_x4.pth", "plain:4"]
ROOT = Path(__file__).parents[2]
PAGE, PLOT = ROOT / "docs" / "peers.md", ROOT / "docs" / "images" / "peers.svg"
VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def main(
    data: Annotated[Path, typer.Option(envvar="EDGESR_DATA", help="The folder of weights and pictures.")],
    models: Annotated[list[str] | None, typer.Argument(help="As edgesr convert takes them.")] = None,
    litert: Annotated[
        Path | None, typer.Option("--litert-torch", help="The Python that has litert-torch.")
    ] = None,
    work: Annotated[Path, typer.Option(help="What is there already is not made again.")] = Path("out/peers"),
    page: Annotated[bool, typer.Option(help="Write docs/peers.md and its plot.")] = True,
) -> None:
    litert = litert and litert.absolute()  # not resolved: an environment's Python is a link
    networks = [given(model, data.resolve(), work.resolve(), litert) for model in models or MODELS]
    made = [tuple(program(network, peer) for peer in PEERS) for network in networks]
    load = os.getloadavg()[0]
    rows = {n.name: timed(n, programs) for n, programs in zip(networks, made, strict=True)}
    results = Results(about(load, litert), rows)
    results.save(work / "results.json")
    if page:
        PLOT.parent.mkdir(exist_ok=True)
        draw(results, PLOT)
        PAGE.write_text(into_page(PAGE.read_text(encoding="utf-8"), figures(results)), encoding="utf-8")


def about(load: float, litert: Path | None) -> dict[str, str]:
    """Where, when and with what; `load` is the machine's when the timing began."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "Machine": f"{processor}, {os.cpu_count()} cores",
        "Load when the timing began": f"{load:.1f}",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Versions": f"Python {sys.version.split()[0]}, {', '.join(versions(litert))}",
    }


def versions(litert: Path | None) -> list[str]:
    """Of every package that made or ran a program."""
    names = {name for peer in PEERS for name in peer.packages}
    apart = [name for name in litert_torch.APART if name in names]
    here = sorted(names.difference(apart))
    found = [f"{name} {metadata.version(name)}" for name in here]
    if litert is not None:
        answer = subprocess.run([litert, "-c", VERSIONS, *apart], capture_output=True, text=True, check=True)
        found += [f"{name} {number}" for name, number in zip(apart, answer.stdout.split(), strict=True)]
    return found


if __name__ == "__main__":
    typer.run(main)
