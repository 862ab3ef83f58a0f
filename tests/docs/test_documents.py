"""The documents' commands parse, their links lead somewhere, their generated tables are up to date."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer

from edgesr.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("mobile_runtime/**/README.md")]
)
GROUP = typer.main.get_command(app)


def commands(text: str) -> list[str]:
    """Indented lines that begin with `edgesr`; continued lines are joined."""
    joined = text.replace("\\\n", " ")
    return re.findall(r"^ {4}(edgesr [a-z].*)$", joined, re.MULTILINE)


CASES = [(path.name, line) for path in DOCUMENTS for line in commands(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("name", "line"), CASES)
def test_commands_are_ones_that_edgesr_takes(name: str, line: str) -> None:
    _, command, *arguments = shlex.split(line, comments=True)
    GROUP.commands[command].make_context(command, arguments)  # type: ignore[attr-defined]


def test_there_are_commands_to_try() -> None:
    assert len(CASES) > 10


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_the_support_matrix_is_that_of_the_code() -> None:
    generated = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert (ROOT / "docs" / "support.md").read_text(encoding="utf-8") == generated["contents"]()
