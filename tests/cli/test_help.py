"""Help must be instant and useful."""

import subprocess
import sys

import pytest
from command import Command

COMMANDS = ("convert", "check", "upscale", "simulate", "inspect", "bench", "models", "devices")


@pytest.mark.parametrize("name", COMMANDS)
def test_shows_what_to_paste(command: Command, name: str) -> None:
    outcome = command(name, "--help")
    assert outcome.code == 0
    assert f"edgesr {name}" in outcome.out.split("Example", 1)[1]


def test_lists_the_commands(command: Command) -> None:
    outcome = command("--help")
    assert all(name in outcome.out for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from edgesr.cli.main import run; "
        f"assert run({[*arguments, '--help']}) == 0; "
        "print({'torch', 'numpy', 'ai_edge_litert', 'PIL', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frob"], "frob"),
        (["convert", "plain"], "--output"),
        (["convert", "plain", "-o", "x.tflite", "--frob"], "--frob"),
        (["convert", "plain", "-o", "x.tflite", "--target", "onnx"], "tflite"),
        (["convert", "plain", "-o", "x.tflite", "--scale", "two"], "--scale"),
        (["upscale", "x.tflite"], "INPUT"),
        (["upscale", "x.tflite", "a.png", "b.png", "--threads", "0"], "--threads"),
    ],
)
def test_wrong_flags_are_one_line(command: Command, arguments: list[str], words: str) -> None:
    assert words in command(*arguments).error
