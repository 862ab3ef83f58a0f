"""Runs a command line in this process, as the console script would."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesr.cli.main import run

QUICK = ("--bits", "w8a8", "--method", "minmax", "--tile", "32")
"""Flags of a conversion that takes a second or two."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The message of a refusal: exit code 2, exactly one line, nothing else."""
        assert self.code == 2, self
        assert not self.out
        (line,) = self.err.splitlines()
        assert line.startswith("edgesr: ")
        assert "Traceback" not in line
        return line


class Command:
    """`command("convert", "plain", ...)` with the output captured."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd

    def __call__(self, *arguments: str | Path) -> Outcome:
        self.capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = self.capfd.readouterr()
        return Outcome(code, captured.out, captured.err)
