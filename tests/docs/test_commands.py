"""The documents' commands run, in their order, on small stand-ins for the files that they name.

Networks are the shipped one under other names: what is tried is that each command does its work and says so,
not how good the answer is; a loss above the limit (exit code 1) is an answer, too.
"""

import re
import shlex
from itertools import chain
from pathlib import Path

import pytest
import torch
from command import Command
from PIL import Image
from test_documents import DOCUMENTS, commands

from edgesr.networks.source import load_network
from edgesr.steps.pictures import shipped_folder

ELSEWHERE = {
    "--on arm64": "make test-devices runs those: they download and emulate",
    "--verify-on": "make test-devices runs those: they download and emulate",
    "devices setup": "make test-devices and make test-java run those: they download",
    "--converter litert-torch": "make test-litert-torch runs those: it has packages of its own",
    "--tune": "tests/e2e runs those with less to learn: it takes minutes",
    "simulate": "tests/cli/test_simulate.py runs those with less to learn: it takes minutes",
}
"""Part of a command -> why it is not run here."""

PHOTOS, SIDE = 6, 200  # pictures in each folder, and their pixels
MODULE = """
from edgesr.networks.plain import PlainNet
def x4():
    return PlainNet(4)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that the documents name, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "Set14"):
        (tmp_path / name).mkdir()
        for path in sorted(shipped_folder().glob("*.png"))[:PHOTOS]:
            Image.open(path).convert("RGB").crop((0, 0, SIDE, SIDE)).save(tmp_path / name / path.name)
    Image.open(path).convert("RGB").save(tmp_path / "photo.jpg")
    for scale, names in {2: ["rlfn_x2"], 4: ["rlfn_x4", "x4"]}.items():
        weights = load_network("plain", scale=scale).module.state_dict()
        for name in names:
            torch.save(weights, tmp_path / f"{name}.pth")
    (tmp_path / "mynet").mkdir()
    (tmp_path / "mynet" / "models.py").write_text(MODULE)
    return tmp_path


def here(path: Path) -> list[str]:
    lines = commands(path.read_text(encoding="utf-8"))
    return [line for line in lines if not any(part in line for part in ELSEWHERE)]


CASES = [pytest.param(here(path), id=path.name) for path in DOCUMENTS if here(path)]


@pytest.mark.parametrize("lines", CASES)
def test_commands_do_what_they_say(folder: Path, command: Command, lines: list[str]) -> None:
    for line in lines:
        outcome = command(*shlex.split(line, comments=True)[1:])
        assert outcome.code in (0, 1), (line, outcome)
        written = re.findall(r"(?:-o|--json|--report) (\S+)|upscale \S+ \S+ (\S+)", line)
        assert outcome.out or written, line
        for output in filter(None, chain.from_iterable(written)):
            assert (folder / output).stat().st_size, line


def test_what_runs_elsewhere_is_in_some_document() -> None:
    lines = [line for path in DOCUMENTS for line in commands(path.read_text(encoding="utf-8"))]
    assert all(any(part in line for line in lines) for part in ELSEWHERE)
