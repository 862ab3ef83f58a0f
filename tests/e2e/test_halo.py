"""What a program tells of its halos: exact where every grid is the same for all tiles."""

import json
from pathlib import Path

from command import Command

FLAGS = ("--method", "minmax", "--tile", "32", "--max-drop", "9")


def halos(command: Command, program: Path) -> tuple[int, int | None]:
    record = json.loads(command("inspect", program, "--json").out)
    return record["halo"], record["exact_halo"]


def test_a_grid_of_its_own_for_each_tile_is_never_exact(
    command: Command, tmp_path: Path, photos: Path
) -> None:
    fixed, dynamic, plan = tmp_path / "fixed.tflite", tmp_path / "dynamic.tflite", tmp_path / "plan.json"
    given = ("--calib", photos, *FLAGS)
    written = command("convert", "plain", "-o", fixed, "--bits", "w8a8", "--plan", plan, *given)
    assert written.code == 0, written
    data = json.loads(plan.read_text())
    data["containers"]["body.1"] = "w8a8-dynamic"
    plan.write_text(json.dumps(data))
    again = command("convert", "plain", "-o", dynamic, "--bits", plan, *given)
    assert again.code == 0, again

    assert halos(command, fixed) == (6, 6)
    assert halos(command, dynamic) == (6, None)
    picture = photos / "0.png"
    assert command("upscale", fixed, picture, tmp_path / "a.png", "--exact").code == 0
    refusal = command("upscale", dynamic, picture, tmp_path / "b.png", "--exact").error
    assert "exact" in refusal and not (tmp_path / "b.png").exists()
