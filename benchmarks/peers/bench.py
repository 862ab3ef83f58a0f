"""A run: what all peers of a network are given, each one's program, and all of them timed in turn."""

import gzip
import json
import pickle
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from edgesr.conversion import Options
from edgesr.evaluation.folder import read_folder
from edgesr.evaluation.judge import prepare
from edgesr.quantization.plan import Plan
from edgesr.steps.deployment import whole_picture
from edgesr.steps.progress import quiet
from edgesr.steps.work import Work

from .listing import PEERS
from .peer import PROGRAM, Peer, Subject
from .results import Row
from .worker import Failed, Job, Worker, worker

CALIBRATION, JUDGED = "train/bsds400", "eval/Set14"
ROUNDS, RUNS = 15, 3
FOUND = "found.json"

console = Console(stderr=True)


@dataclass(frozen=True)
class Network:
    """One network and what its peers share: a folder, the subject, the pickle of info and cases."""

    name: str
    folder: Path
    subject: Subject
    cases: Path

    def job(self, peer: Peer) -> Job:
        return Job(PEERS.index(peer), self.subject, self.folder / peer.slug, self.cases)


def given(model: str, data: Path, folder: Path, litert_torch: Path | None) -> Network:
    """Tiles as edgesr draws them from its calibration pictures, and the pictures to judge on.

    Args:
        model: MODEL or MODEL:SCALE, a path within `data` or a network's name.
    """
    named, _, scale = model.partition(":")
    path = str(data / named) if (data / named).is_file() else named
    options = Options(
        path, folder / PROGRAM, scale=int(scale) if scale else None, calib=data / CALIBRATION, bits="f32"
    )
    work = Work(options, None, quiet)
    name = f"{Path(named).stem.split('_')[0]} x{work.network.scale}"
    place = folder / name.replace(" ", "_")
    place.mkdir(parents=True, exist_ok=True)
    tiles, cases = place / "tiles.npy", place / "cases.pkl"
    if not cases.exists():
        np.save(tiles, work.tiles.pixels.numpy())
        whole = whole_picture(work.graph, work.pixel_range)
        pictures = read_folder(data / JUDGED).pictures
        judged = prepare(pictures, work.network.scale, whole)
        cases.write_bytes(pickle.dumps((work.describe(Plan({}, {})), judged)))
    return Network(name, place, Subject(path, options.scale, data / CALIBRATION, tiles, litert_torch), cases)


def program(network: Network, peer: Peer) -> Row:
    """The peer's program, made and judged; one that is there already is not made again."""
    job = network.job(peer)
    found = job.folder / FOUND
    if found.exists():
        return Row(**json.loads(found.read_text()))
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    row = Row(peer.tool, peer.form)
    try:
        with worker(job) as process:
            seconds, memory = process.ask("make")
        row = replace(row, seconds=seconds, memory=memory)
        contents = [path.read_bytes() for path in sorted(job.folder.glob(f"{PROGRAM}.*"))]
        packed = sum(len(gzip.compress(content, 9)) for content in contents)
        row = replace(row, size=sum(map(len, contents)), packed=packed)
        with worker(job) as process:
            process.ask("load")
            drop, worst = process.ask("judge")
        row = replace(row, drop=drop, worst=worst)
        found.write_text(json.dumps(asdict(row)))
    except Failed as failure:
        row = replace(row, failure=f"failed: {failure}")
    console.print(network.name, row)
    return row


def timed(network: Network, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows with their times: in each round every program runs a few times, one program after another."""
    with ExitStack() as stack:
        workers: dict[int, Worker] = {}
        spent: dict[int, list[tuple[float, float]]] = {}
        for place, row in enumerate(rows):
            if row.failure is None:
                workers[place] = stack.enter_context(worker(network.job(PEERS[place])))
                workers[place].ask("load")
                spent[place] = []
        for _ in range(ROUNDS):
            for place, process in workers.items():
                spent[place] += process.ask("time", RUNS)
    return tuple(row.timed(spent[place]) if place in spent else row for place, row in enumerate(rows))
