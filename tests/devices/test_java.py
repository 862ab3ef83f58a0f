"""Android's places, where edgesr's runtime for Android runs the files: its part is played by a Python script.

The real one is run by `make test-devices`.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from edgesr.devices.children import DeviceFault
from edgesr.devices.host import mismatches
from edgesr.devices.java import sources
from edgesr.devices.places import Command, Place
from edgesr.devices.remote import run_at
from edgesr.steps.pictures import tiles_of
from edgesr_runtime import open_program, upscale
from edgesr_runtime.program import read_program

PLAYER = """
import struct, sys
from pathlib import Path
import numpy as np
from edgesr_runtime import open_program, upscale
mode, path, count, tiles, answers, pictures, enlarged = sys.argv[1:]
assert mode == "app"
named = Path(path).with_suffix(".tflite")
Path(path).rename(named)
program = open_program(named)
side = program.info.tile
images = np.fromfile(tiles, np.float32).reshape(int(count), 1, side, side, 3)
with open(answers, "wb") as file:
    for variant in program.engine.variants:
        print("loading", variant, flush=True)
        for image in images:
            file.write(program.engine.run(variant, image).tobytes())
            print("ran 0.25", flush=True)
data, at, found = Path(pictures).read_bytes(), 0, b""
while at < len(data):
    width, height = struct.unpack_from(">ii", data, at)
    end = at + 8 + 3 * width * height
    found += upscale(program, np.frombuffer(data[at + 8 : end], np.uint8).reshape(height, width, 3)).tobytes()
    at = end
Path(enlarged).write_bytes(found)
"""
CRASH = """
print("loading serving_default")
print("#  SIGILL (0x4) at pc=0x00007f, pid=1, tid=2", flush=True)
import os; os.abort()
"""


class Android(Place):
    """Android's place whose Java machine is a script."""

    script = PLAYER

    def java(self) -> Command:
        return Command((sys.executable, "-c", self.script))

    def python(self) -> Command:
        return Command((sys.executable,))


def test_answers_and_pictures_of_the_app_come_back(program: Path) -> None:
    here, data, seen = open_program(program), read_program(program), []
    pictures = [
        np.random.default_rng(i).integers(0, 256, (9 + 30 * i, 40, 3)).astype(np.uint8) for i in (0, 1)
    ]
    tiles = np.concatenate([tiles_of(lr, here.info.tile, here.info.halo) for lr in pictures])
    place = Android("android-libs", "Android's library")
    found = run_at(place, data, tiles, here.info.pixel_range, pictures, lambda: seen.append(1))
    assert len(seen) == len(tiles) * len(here.info.variants)
    assert all((a == upscale(here, lr)).all() for a, lr in zip(found.enlarged, pictures, strict=True))
    (theirs,) = found.comparison(tiles, here.info.pixel_range).variants.values()
    (ours,) = mismatches(data, tiles, here.info.pixel_range).variants.values()
    assert (theirs.mismatches, theirs.values, theirs.seconds) == (0, ours.values, 0.25)


def test_a_crash_is_told_by_its_first_signal(program: Path) -> None:
    data, tile = read_program(program), open_program(program).info.tile
    tiles = np.zeros((1, tile, tile, 3), np.uint8)
    place = type("Crashing", (Android,), {"script": CRASH})("android-libs", "Android's library")
    with pytest.raises(DeviceFault, match=r"SIGILL: its library uses an instruction that this CPU lacks"):
        run_at(place, data, tiles, 1)


def test_the_sources_of_the_runtime_for_android_are_installed() -> None:
    found = sources()
    names = {path.name for paths in found.values() for path in paths}
    assert {
        "Upscaler.java",
        "ExecuTorchEngine.java",
        "Runner.java",
        "edgesr_jni.c",
        "tflite_subset.h",
    } <= names
