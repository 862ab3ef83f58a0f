"""A process for each program: a crash becomes a line of the table, and no library meets another one."""

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from .listing import PEERS
from .peer import NHWC, PeerEngine, Subject

PATIENCE = 1200
"""Seconds that a request may take."""
LONGEST = 110  # characters of a reason
LOG = "log.txt"


class Failed(Exception):
    """What a peer could not do, in one line."""


@dataclass(frozen=True)
class Job:
    """One peer and one network; `cases` is a pickle of the pictures to judge on and the program's info."""

    peer: int
    subject: Subject
    folder: Path
    cases: Path


class Bench:
    """What a worker's process does."""

    def __init__(self, job: Job) -> None:
        self.job, self.peer = job, PEERS[job.peer]

    def make(self) -> tuple[float, float]:
        """From network and tiles to the program, the tool's imports included: processor seconds, and the
        most megabytes that one of the processes held, PyTorch's among them.
        """
        subject = self.job.subject
        _ = subject.module, subject.example  # edgesr's own loading is nobody's time
        start = _processor_seconds()
        self.peer.make(subject, self.job.folder)
        return _processor_seconds() - start, _peak_megabytes()

    def load(self) -> None:
        self.run = self.peer.load(self.job.folder)

    def judge(self) -> tuple[float, float]:
        """Drop in dB of PSNR-Y on the pictures: the mean, and the worst."""
        import pickle

        from edgesr.evaluation.judge import judge
        from edgesr_runtime import Program, upscale

        info, cases = pickle.loads(self.job.cases.read_bytes())
        program = Program(info, PeerEngine(self.run, self.peer.layout, info.tile))
        verdict = judge(cases, lambda lr: upscale(program, lr))
        return verdict.drop, verdict.worst.drop

    def time(self, runs: int) -> list[tuple[float, float]]:
        """Milliseconds of so many runs, after one that brings the program back into the caches.

        Of the processor and of the clock: on one thread they differ by what other processes took.
        """
        tile = self.job.subject.pixels[:1]
        tile = np.ascontiguousarray(tile.transpose(0, 2, 3, 1)) if self.peer.layout == NHWC else tile.copy()
        taken = []
        for _ in range(1 + runs):
            begun, start = time.process_time(), time.perf_counter()
            self.run(tile)
            taken.append((1000 * (time.process_time() - begun), 1000 * (time.perf_counter() - start)))
        return taken[1:]


def _processor_seconds() -> float:
    """Of this process and of those that it started and that are done."""
    return sum(os.times()[:4])


def _peak_megabytes() -> float:
    """Of this process, or of the largest of those that it started and that are done.

    What `getrusage` says of this process itself would be at least what the one held that started it.
    """
    (own,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _serve(connection: Connection, job: Job) -> None:
    with (job.folder / LOG).open("a") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    os.chdir(job.folder)  # some tools write files beside themselves
    bench = Bench(job)
    while True:
        try:
            name, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, getattr(bench, name)(*arguments)))
        except Exception as error:  # peers raise what they like
            import traceback

            traceback.print_exc()
            connection.send((False, reason(error)))


class Worker:
    """The other end of it."""

    def __init__(self, job: Job) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, job), daemon=False)
        self._process.start()
        theirs.close()

    def ask(self, name: str, *arguments: Any) -> Any:
        """The answer of `Bench`'s method.

        Raises:
            Failed: it raised, its process died, or it took too long.
        """
        try:
            self._connection.send((name, arguments))
            if not self._connection.poll(PATIENCE):
                raise Failed(f"not done after {PATIENCE // 60} minutes")
            fine, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise Failed(f"its process died ({ending(self._process.exitcode)})") from error
        if not fine:
            raise Failed(answer)
        return answer

    def close(self) -> None:
        self._connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@contextmanager
def worker(job: Job) -> Iterator[Worker]:
    started = Worker(job)
    try:
        yield started
    finally:
        started.close()


def reason(error: Exception) -> str:
    """The error's kind and the first line of its message, short, without what a table cannot hold."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    words = words.replace("|", "/")
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} ..."


def ending(code: int | None) -> str:
    """A process's exit code in words."""
    return signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
