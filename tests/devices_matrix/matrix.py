"""Programs on every device, for real: `make test-devices`.

Not a part of `make test`, for it downloads 300 MB at its first run and emulates CPUs for minutes; its name
keeps it from being collected by itself. The programs: the shipped network at both scales in both formats, and
one of int8 and float parts in turn.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from edgesr.conversion import Options, convert
from edgesr.devices.places import CPUS, DEFAULT_CPU, DEVICES, HOST
from edgesr.evaluation.folder import read_folder
from edgesr.steps.device_checks import Crops, Row, check_devices, prepared
from edgesr.steps.pictures import shipped_folder
from edgesr_runtime.program import open_program, read_program

Make = Callable[[str, str], Path]
EVERYWHERE = tuple(name for name in DEVICES if name != HOST)
ALL_CPUS = tuple(CPUS)
FLOAT_LAYERS = ("body.1", "tail")  # of the mixed program: float between int8 layers, and at the end

CASES = [
    ("x2", "tflite", EVERYWHERE, ALL_CPUS),
    ("x2", "executorch", ("arm64",), ALL_CPUS),
    ("x4", "tflite", EVERYWHERE, (DEFAULT_CPU,)),
    ("x4", "executorch", ("arm64",), (DEFAULT_CPU,)),
    ("mixed", "tflite", EVERYWHERE, ALL_CPUS),
    ("mixed", "executorch", ("arm64",), ALL_CPUS),
]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Programs by name and format."""
    folder = tmp_path_factory.mktemp("programs")

    def options(name: str, target: str, **more: object) -> Options:
        chosen: dict[str, object] = {"bits": "w8a8", "method": "minmax", "calib_images": 4, "tile": 64} | more
        return Options("plain", folder / f"{name}.{target}", target, scale=4 if name == "x4" else 2, **chosen)  # type: ignore[arg-type]

    def program(name: str, target: str) -> Path:
        if name != "mixed":
            return convert(options(name, target)).path
        plan = folder / "plan.json"
        convert(options("whole", target, plan_output=plan))
        decided = json.loads(plan.read_text())
        decided["containers"] |= dict.fromkeys(FLOAT_LAYERS, "f32")
        plan.write_text(json.dumps(decided))
        return convert(options(name, target, bits=str(plan))).path

    return program


@pytest.mark.parametrize(("name", "target", "devices", "cpus"), CASES)
def test_a_program_equals_the_reference_on_every_device(
    make: Make, name: str, target: str, devices: tuple[str, ...], cpus: tuple[str, ...]
) -> None:
    path = make(name, target)
    here, data = open_program(path), read_program(path)
    crops = Crops(here.info)
    for picture in read_folder(shipped_folder()).pictures[:6]:
        crops.add(picture)
    places = prepared(devices, cpus, target, announce)
    rows = check_devices(data, here, enlarged(here.info.scale), crops.pictures, places, announce)
    for row in rows:
        announce(f"{name}.{target}  {told(row)}", None)
    assert len(rows) == len(places)
    assert not [failure for row in rows for failure in row.failures]


def enlarged(scale: int) -> Callable[..., object]:
    """Stands for the float network: the drops there and here are compared with each other alone."""
    return lambda lr: lr.repeat(scale, 0).repeat(scale, 1)


def told(row: Row) -> str:
    a = row.agreement
    if a is None:
        return f"{row.title}: {row.failures[0]}"
    return (
        f"{row.title}: {a.mismatches} of {a.values:,} values differ, largest error {a.max_error:.2g}, "
        f"{a.psnr_to_reference:.1f} dB, {a.seconds:.2g} s a tile"
    )


def announce(line: str, steps: int | None) -> Callable[..., object]:
    """What the matrix is at, for `pytest -s`."""
    Console().print(line, soft_wrap=True, markup=False, highlight=False)
    return lambda note="": None
