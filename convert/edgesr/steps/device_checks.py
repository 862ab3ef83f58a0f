"""A program at other places than this machine's own runtime: equal to the reference there, and as good?

Emulation is slow, so few small pictures are run: crops of one tile each, taken where the pictures have most
detail. Every variant runs on all of them. Its int8 segments must equal the integer reference in every value,
the whole must keep `REFERENCE_PSNR` to it, the routed program may not lose more against the float network
than it does on this machine, and the runtime for Android must make the same pictures as the one for Python.
"""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgesr_runtime import Program, ProgramInfo, upscale
from edgesr_runtime.complexity import complexity

from ..devices.children import DeviceFault
from ..devices.host import Agreement, Comparison
from ..devices.places import HOST, Place, places
from ..devices.remote import Recorded, run_at, runs
from ..devices.setups import setup
from ..evaluation.folder import Picture
from ..evaluation.judge import Case, Upscaler, case_of, judge
from ..lowering.targets import target_of
from .evidence import REFERENCE_PSNR, rounded
from .pictures import tiles_of
from .progress import Stages

CROPS = 2
SLACK = 0.01  # dB that the program may lose more there than here, on the same crops
LARGEST_ERROR = 4.0  # grey levels to the reference: what 60 dB on the mean could hide in one place
THIS_HOST = f"this host, {platform.machine()}"


@dataclass(frozen=True)
class Row:
    """One variant at one place.

    Attributes:
        device: as `--on` takes it; `title` says in words what runs where.
        agreement: None where the program does not run.
        drop, drop_here: dB that the routed program loses on the crops, there and on this machine.
        picture_mismatches: values in which pictures by the runtime for Android differ from the Python
            runtime's; None where it does not run.
        failures: what is wrong, in words.
    """

    device: str
    title: str
    cpu: str
    emulated: bool
    variant: str
    agreement: Agreement | None
    crops: int = 0
    drop: float | None = None
    drop_here: float | None = None
    picture_mismatches: int | None = None
    failures: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """As the JSON has it; null stands for no difference at all, and for what was not measured."""
        a = self.agreement
        return {
            "device": self.device,
            "title": self.title,
            "cpu": self.cpu or None,
            "emulated": self.emulated,
            "variant": self.variant,
            "reference_mismatches": None if a is None else a.mismatches,
            "reference_values": None if a is None else a.values,
            "psnr_to_reference": None if a is None else rounded(a.psnr_to_reference),
            "max_error": None if a is None else rounded(a.max_error),
            "seconds": None if a is None else float(f"{a.seconds:.3g}"),
            "crops": self.crops,
            "drop_db": rounded(self.drop),
            "drop_db_here": rounded(self.drop_here),
            "picture_mismatches": self.picture_mismatches,
            "passed": not self.failures,
            "failures": list(self.failures),
        }


def prepared(devices: Sequence[str], cpus: Sequence[str], stages: Stages) -> tuple[Place, ...]:
    """The places that are asked for, set up and ready.

    Raises:
        UserError: a name that is none of them, or what setting up met.
    """
    found = places(devices, cpus)
    for name in dict.fromkeys(name for place in found for name in place.setups):
        setup(name, stages)
    return found


class Crops:
    """The crops with most detail of the pictures that it is shown, one of a picture at most."""

    def __init__(self, info: ProgramInfo, count: int = CROPS) -> None:
        self._side, self._count = info.tile * info.scale, count
        self._found: list[tuple[float, Picture]] = []

    def add(self, picture: Picture) -> None:
        self._found.append(max(self._of(picture), key=lambda pair: pair[0]))
        self._found.sort(key=lambda pair: -pair[0])
        del self._found[self._count :]

    def _of(self, picture: Picture) -> Iterable[tuple[float, Picture]]:
        height, width = picture.rgb.shape[:2]
        for top in range(0, max(1, height - self._side + 1), self._side):
            for left in range(0, max(1, width - self._side + 1), self._side):
                rgb = picture.rgb[top : top + self._side, left : left + self._side]
                yield complexity(rgb), Picture(picture.name, rgb)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(picture for _, picture in self._found)


def check_devices(
    program: bytes,
    here: Program,
    whole: Upscaler,
    crops: Sequence[Picture],
    found: Sequence[Place],
    stages: Stages,
) -> tuple[Row, ...]:
    """Runs the program at every place, in their order.

    Args:
        here: the same program on this machine.
        whole: the float network on a whole picture.
    """
    info = here.info
    cases = [case_of(crop, info.scale, whole) for crop in crops]
    tiles = np.concatenate([tiles_of(case.lr, info.tile, info.halo) for case in cases])
    drop_here = _drop(cases, here)
    graphs = target_of(program).read(program)
    rows: list[Row] = []
    for place in found:
        advance = stages(place.title, runs(graphs, len(tiles)))
        try:
            recorded = run_at(place, program, tiles, info.pixel_range, [case.lr for case in cases], advance)
            stages(f"{place.title}: comparing with the integer reference", None)
            compared = recorded.comparison(tiles, info.pixel_range)
        except DeviceFault as fault:
            rows.append(
                Row(place.device, place.title, place.cpu, place.emulated, "", None, failures=(str(fault),))
            )
            continue
        rows += _rows(place, compared, _routed(cases, info, recorded, drop_here))
    return tuple(rows)


@dataclass(frozen=True)
class Routed:
    """The routed program on whole crops; its attributes as in `Row`."""

    crops: int
    drop: float
    drop_here: float
    picture_mismatches: int | None


def _routed(cases: Sequence[Case], info: ProgramInfo, recorded: Recorded, drop_here: float) -> Routed:
    program = Program(info, recorded)
    differing = None
    if recorded.enlarged:
        pairs = zip(recorded.enlarged, (upscale(program, case.lr) for case in cases), strict=True)
        differing = sum(int(np.count_nonzero(theirs != ours)) for theirs, ours in pairs)
    return Routed(len(cases), _drop(cases, program), drop_here, differing)


def _drop(cases: Sequence[Case], program: Program) -> float:
    return judge(cases, lambda lr: upscale(program, lr)).drop


def _rows(place: Place, compared: Comparison, routed: Routed) -> Iterable[Row]:
    for variant, agreement in compared.variants.items():
        failures = tuple(f"{place.title}: {words}" for words in _broken(agreement, routed))
        yield Row(
            place.device, place.title, place.cpu, place.emulated, variant, agreement, routed.crops,
            routed.drop, routed.drop_here, routed.picture_mismatches, failures,
        )  # fmt: skip


def _broken(agreement: Agreement, routed: Routed) -> Iterable[str]:
    """The rules that do not hold, in words."""
    rules = (
        (agreement.mismatches == 0, f"{agreement.mismatches} values differ from the integer reference"),
        (
            agreement.psnr_to_reference >= REFERENCE_PSNR,
            f"{agreement.psnr_to_reference:.1f} dB to the reference, {REFERENCE_PSNR:g} dB are needed",
        ),
        (
            agreement.max_error <= LARGEST_ERROR,
            f"a value is {agreement.max_error:.1f} of 255 away from the reference, "
            f"{LARGEST_ERROR:g} are allowed",
        ),
        (
            routed.drop <= routed.drop_here + SLACK,
            f"it loses {routed.drop:.3f} dB on {routed.crops} crops, on this machine "
            f"{routed.drop_here:.3f} dB",
        ),
        (
            not routed.picture_mismatches,
            f"{routed.picture_mismatches} values of pictures by the Java runtime differ from the Python "
            "runtime's",
        ),
    )
    return (words for holds, words in rules if not holds)


def all_rows(here: Comparison | None, elsewhere: Sequence[Row]) -> tuple[Row, ...]:
    """This machine's own figures, and below them the others'."""
    own = here.variants.items() if here else ()
    rows = (
        Row(HOST, THIS_HOST, "", False, name, agreement, failures=_differing(agreement))
        for name, agreement in own
    )
    return (*rows, *elsewhere)


def _differing(agreement: Agreement) -> tuple[str, ...]:
    count = agreement.mismatches
    return (f"{THIS_HOST}: {count} values differ from the integer reference",) if count else ()


def failures_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """What is wrong elsewhere, each once; of this machine the gate tells by itself."""
    return tuple(dict.fromkeys(words for row in rows if row.device != HOST for words in row.failures))


def judged_on(rows: Sequence[Row], record: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a command with its `devices`; its mismatches are the sum over them, if there are any."""
    differing = sum(row.agreement.mismatches for row in rows if row.agreement)
    return (
        record
        | {"devices": [row.record() for row in rows]}
        | ({"reference_mismatches": differing} if rows else {})
    )
