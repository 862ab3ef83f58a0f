"""Programs on every device, for real: `make test-devices`.

Not a part of `make test`, for it downloads 350 MB at its first run and emulates CPUs for minutes; its name
keeps it from being collected by itself. The programs: the shipped network at both scales in both formats, one
of int8 and float parts in turn, and one with two variants, to which tiles go by their complexity.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edgesr.conversion import Options, convert
from edgesr.devices.places import CPUS, DEFAULT_CPU, DEVICES, HOST, places
from edgesr.evaluation.folder import read_folder
from edgesr.evaluation.resize import downscale
from edgesr.lowering.targets import TARGETS
from edgesr.steps.deployment import write_program
from edgesr.steps.device_checks import Crops, Row, check_devices, failures_of, prepared
from edgesr.steps.pictures import shipped_folder
from edgesr_runtime import Program, ProgramInfo
from edgesr_runtime.metadata import DEFAULT_VARIANT, Routing
from edgesr_runtime.program import open_program, read_program
from edgesr_runtime.routing import routed

Make = Callable[[str, str], Path]
EVERYWHERE = tuple(name for name in DEVICES if name != HOST)
ALL_CPUS = tuple(CPUS)
SPLIT = 31.0  # a complexity between those of the two crops
FLOAT_LAYERS = ("body.1", "tail")  # of the mixed program: float between int8 layers, and at the end

NEWER_CPUS = tuple(cpu for cpu in CPUS if cpu != "cortex-a53")
"""Those that Android's build of ExecuTorch runs on: it needs ARMv8.1."""

CASES = [
    ("x2", "tflite", EVERYWHERE, ALL_CPUS),
    ("x2", "executorch", ("arm64",), ALL_CPUS),
    ("x2", "executorch", ("android-libs",), NEWER_CPUS),
    ("x4", "tflite", EVERYWHERE, (DEFAULT_CPU,)),
    ("x4", "executorch", EVERYWHERE, (DEFAULT_CPU,)),
    ("mixed", "tflite", EVERYWHERE, ALL_CPUS),
    ("mixed", "executorch", ("arm64",), ALL_CPUS),
    ("mixed", "executorch", ("android-libs",), NEWER_CPUS),
    ("routed", "tflite", EVERYWHERE, (DEFAULT_CPU,)),
    ("routed", "executorch", EVERYWHERE, (DEFAULT_CPU,)),
]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Programs by name and format."""
    folder = tmp_path_factory.mktemp("programs")

    def options(name: str, target: str, **more: object) -> Options:
        chosen: dict[str, object] = {"bits": "w8a8", "method": "minmax", "calib_images": 4, "tile": 64} | more
        return Options("plain", folder / f"{name}.{target}", target, scale=4 if name == "x4" else 2, **chosen)  # type: ignore[arg-type]

    def mixed(target: str) -> Path:
        plan = folder / "plan.json"
        convert(options("whole", target, plan_output=plan))
        decided = json.loads(plan.read_text())
        decided["containers"] |= dict.fromkeys(FLOAT_LAYERS, "f32")
        plan.write_text(json.dumps(decided))
        return convert(options("mixed", target, bits=str(plan))).path

    def two_variants(target: str) -> Path:
        """Both of the above in one file."""
        paths = {"low": convert(options("x2", target)).path, "high": mixed(target)}
        read = TARGETS[target].read
        typed = {name: read(read_program(path))[DEFAULT_VARIANT] for name, path in paths.items()}
        info = replace(open_program(paths["low"]).info, variants=tuple(paths), routing=Routing(SPLIT, SPLIT))
        paths["low"].with_stem("routed").write_bytes(write_program(typed, info, target))
        return paths["low"].with_stem("routed")

    special = {"mixed": mixed, "routed": two_variants}

    def program(name: str, target: str) -> Path:
        return special[name](target) if name in special else convert(options(name, target)).path

    return program


@pytest.mark.parametrize(("name", "target", "devices", "cpus"), CASES)
def test_a_program_equals_the_reference_on_every_device(
    make: Make, name: str, target: str, devices: tuple[str, ...], cpus: tuple[str, ...]
) -> None:
    here, rows = checked(make(name, target), devices, cpus)
    for row in rows:
        announce(f"{name}.{target}  {told(row)}", None)
    assert len(rows) == len(places(devices, cpus)) * len(here.variants)
    assert not [failure for row in rows for failure in row.failures]
    assert all(row.picture_mismatches == (0 if row.device == "android-libs" else None) for row in rows)


def test_tiles_of_the_routed_program_go_to_both_variants(make: Make) -> None:
    program = open_program(make("routed", "tflite"))
    choose, scale = routed(program.info), program.info.scale
    assert {choose(downscale(crop.rgb, scale)) for crop in crops_of(program).pictures} == {"low", "high"}


def test_a_library_that_a_cpu_cannot_run_is_one_line(make: Make) -> None:
    """Android's build of ExecuTorch, on a CPU without the atomic instructions of ARMv8.1."""
    _, rows = checked(make("x2", "executorch"), ("android-libs",), ("cortex-a53",))
    (failure,) = failures_of(rows)
    assert "Cortex-A53" in failure and "crashes the runtime there (SIGILL" in failure


def checked(path: Path, devices: Sequence[str], cpus: Sequence[str]) -> tuple[ProgramInfo, Sequence[Row]]:
    here, data = open_program(path), read_program(path)
    found = prepared(devices, cpus, announce)
    whole = enlarged(here.info.scale)
    return here.info, check_devices(data, here, whole, crops_of(here).pictures, found, announce)


def crops_of(program: Program) -> Crops:
    crops = Crops(program.info)
    for picture in read_folder(shipped_folder()).pictures[:6]:
        crops.add(picture)
    return crops


def enlarged(scale: int) -> Callable[..., object]:
    """Stands for the float network: the drops there and here are compared with each other alone."""
    return lambda lr: lr.repeat(scale, 0).repeat(scale, 1)


def told(row: Row) -> str:
    a = row.agreement
    if a is None:
        return f"{row.title}: {row.failures[0]}"
    variant = "" if row.variant == DEFAULT_VARIANT else f", {row.variant}"
    return (
        f"{row.title}{variant}: {a.mismatches} of {a.values:,} values differ, largest error "
        f"{a.max_error:.2g}, {a.psnr_to_reference:.1f} dB, {a.seconds:.2g} s a tile"
    )


def announce(line: str, steps: int | None) -> Callable[..., object]:
    """What the matrix is at, for `pytest -s`."""
    Console().print(line, soft_wrap=True, markup=False, highlight=False)
    return lambda note="": None
