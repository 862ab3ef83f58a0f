"""Damaged and foreign program files: refused in one line by every command that takes one."""

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from command import Command, Outcome

from edgesr.lowering.tflite.flatbuffer import FILE_IDENTIFIER


def commands(command: Command, program: Path, photos: Path, tmp_path: Path) -> list[Outcome]:
    return [
        command("inspect", program),
        command("inspect", program, "--json"),
        command("upscale", program, photos / "0.png", tmp_path / "x.png"),
        command("check", program, "--reference", "plain", "--images", photos),
    ]


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"no program at all", b"\0" * 4096, b"\x1c\0\0\0TFL3" + b"\xff" * 500]
)
def test_garbage(command: Command, photos: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    for outcome in commands(command, path, photos, tmp_path):
        assert "bad.tflite" in outcome.error


def test_truncated(command: Command, program: Path, photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.tflite"
    path.write_bytes(program.read_bytes()[: program.stat().st_size // 2])
    for outcome in commands(command, path, photos, tmp_path):
        assert "half.tflite" in outcome.error


def test_foreign(command: Command, program: Path, photos: Path, tmp_path: Path) -> None:
    """A sound TFLite file that edgesr did not write."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(program.read_bytes(), 0)
    model.metadata = []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    path = tmp_path / "foreign.tflite"
    path.write_bytes(bytes(builder.Output()))
    for outcome in commands(command, path, photos, tmp_path):
        assert "not an edgesr program" in outcome.error


def test_no_such_program(command: Command, photos: Path, tmp_path: Path) -> None:
    for path, words in ((tmp_path / "absent.tflite", "no such program"), (tmp_path, "cannot be read")):
        for outcome in commands(command, path, photos, tmp_path):
            assert words in outcome.error


def test_check_against_another_network(
    command: Command, program: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other_scale.py").write_text(
        "from torch import nn\n\n\ndef make():\n"
        "    return nn.Sequential(nn.Conv2d(3, 27, 3, padding=1), nn.PixelShuffle(3))\n"
    )
    monkeypatch.chdir(tmp_path)
    flags = ("--images", photos, "--reference")
    assert "x3" in command("check", program, *flags, "other_scale:make").error
    assert "no such file" in command("check", program, *flags, "absent.pth").error
    assert "no such folder" in command("check", program, "--reference", "plain", "--images", "absent").error
    assert "--max-drop" in command("check", program, *flags, "plain", "--max-drop", "-1").error
