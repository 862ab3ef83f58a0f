"""`edgesr convert` as a library: from a network to a program file that is proven against it.

The order matters: whatever can be wrong with the input is found before any long work; the program is
run, compared and judged before it is written; and everything that goes into it follows from the network,
the pictures, the plan and the seed, so that the same input gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgesr_runtime import Program, ProgramInfo
from edgesr_runtime.engines import engine_for
from edgesr_runtime.files import write_atomically
from edgesr_runtime.metadata import DEFAULT_VARIANT

from .defaults import BITS
from .devices.places import DEFAULT_CPU, Place
from .errors import UserError
from .lowering.targets import LITERT_TORCH
from .networks.luma import Luma
from .quantization.quantize import quantize
from .quantization.search import Budgets, Found
from .report.gather import Subject, gather
from .report.histograms import histograms
from .report.material import Material
from .report.tile_map import tile_map
from .steps.deployment import as_file, whole_picture, write_program
from .steps.description import identity, layers_json
from .steps.device_checks import Crops, Row, all_rows, check_devices, failures_of, judged_on, prepared
from .steps.evidence import Evidence, Gate, gate
from .steps.ladder import Decisions, read_decisions
from .steps.options import Options
from .steps.progress import Stages, quiet
from .steps.routing import Picked
from .steps.sizes import check_network, with_sizes
from .steps.variants import Variants, as_given, decide
from .steps.work import Work

__all__ = ["Conversion", "Options", "convert"]


@dataclass(frozen=True)
class Conversion:
    """A program that was written, and what is known about it.

    Attributes:
        size: bytes of the file.
        size_compressed: bytes that it has, or would have, through gzip.
        milliseconds: of one tile on one thread of this machine: variant -> time, by the cost table; where
            litert-torch converted, measured.
        decisions: what `--plan` writes; None where litert-torch converted.
        found: what the search tried; None where there was none.
        picked: the thresholds between variants and what they do; None where nothing is routed.
        material: what a report shows besides; None where none was asked for.
    """

    path: Path
    target: str
    size: int
    size_compressed: int
    milliseconds: dict[str, float]
    info: ProgramInfo
    decisions: Decisions | None
    found: Found | None
    picked: Picked | None
    evidence: Evidence
    gate: Gate
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    material: Material | None
    devices: tuple[Row, ...] = ()

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr convert`."""
        record = {
            **identity(self.path, self.size, self.info, self.target),
            "bytes_compressed": self.size_compressed,
            "milliseconds": {name: round(value, 3) for name, value in self.milliseconds.items()},
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            **self.evidence.record(),
            "sizes": asdict(self.info.sizes) if self.info.sizes else None,
            "variants": list(self.info.variants),
            "routing": None if self.picked is None else self.picked.record(),
            "layers": layers_json(self.info),
            "search": None if self.found is None else self.found.record(),
            "gate": self.gate.record(),
            "warnings": list(self.warnings),
        }
        return judged_on(self.devices, record)


def convert(options: Options, stages: Stages = quiet) -> Conversion:
    """Converts a network and writes the program, whether its gate holds or not.

    Raises:
        UserError: anything wrong with the options, the files or the network; nothing is written then.
    """
    options.check()
    if options.converter == LITERT_TORCH:
        return _through_litert_torch(options, stages)
    on, cpus = options.verify_on, (DEFAULT_CPU,)
    places = prepared(on, cpus, stages) if on else ()
    given = None if options.bits in BITS else read_decisions(Path(options.bits))
    work = Work(options, given, stages)
    if options.sizes:
        check_network(options.sizes, work.tile, work.network.scale, work.graph)
    variants = decide(work) if given is None else as_given(work, given)
    with work.timed("lower"):
        stages("lowering", None)
        typed = {name: quantize(rung.graph, rung.plan) for name, rung in variants.rungs.items()}
        info = replace(work.describe_all(variants.rungs), routing=variants.decisions.routing)
        info = with_sizes(info, options.sizes)
        draft = write_program(typed, _checked(info, options.bits), options.target)
    with work.timed("check"):
        evidence = work.measure(draft, typed, info)
        rows = _verified(work, info, draft, evidence, places) if places else ()
    with work.timed("lower"):
        seen = {"devices": [row.record() for row in rows]} if rows else {}
        luma = {"luma_only": True} if isinstance(work.network.module, Luma) else {}
        info = replace(info, evidence=evidence.record() | seen | luma)
        program = write_program(typed, info, options.target)
        work.prove_same(draft, program)
    return _written(work, variants, info, evidence, program, rows)


def _verified(
    work: Work, info: ProgramInfo, program: bytes, evidence: Evidence, places: Sequence[Place]
) -> tuple[Row, ...]:
    """The program at the places of `--verify-on`, on crops of the pictures that are held back."""
    crops = Crops(info)
    for picture in work.drawn.held_back:
        crops.add(picture)
    here = Program(info, engine_for(program, work.threads))
    whole = whole_picture(work.graph, work.pixel_range)
    found = check_devices(program, here, whole, crops.pictures, places, work.stages)
    return all_rows(evidence.comparison, found)


def _through_litert_torch(options: Options, stages: Stages) -> Conversion:
    from .steps.litert_torch import make

    made = make(options, stages)
    content, compressed = as_file(made.program, options.compress), as_file(made.program, compress=True)
    write_atomically(options.output, content)
    return Conversion(
        path=options.output,
        target=options.target,
        size=len(content),
        size_compressed=len(compressed),
        milliseconds={DEFAULT_VARIANT: made.milliseconds},
        info=made.info,
        decisions=None,
        found=None,
        picked=None,
        evidence=made.evidence,
        gate=gate(made.evidence, options.budgets, len(content), made.milliseconds),
        seconds=made.seconds,
        warnings=made.warnings,
        material=None,
    )


def _written(
    work: Work,
    variants: Variants,
    info: ProgramInfo,
    evidence: Evidence,
    program: bytes,
    rows: tuple[Row, ...],
) -> Conversion:
    options = work.options
    content, compressed = as_file(program, options.compress), as_file(program, compress=True)
    write_atomically(options.output, content)
    if options.plan_output:
        write_atomically(options.plan_output, variants.decisions.to_json())
    work.unfinished.finish()
    milliseconds = {name: work.milliseconds(rung) for name, rung in variants.rungs.items()}
    slowest = max(milliseconds.values())
    held = gate(evidence, options.budgets, len(content), slowest)
    return Conversion(
        path=options.output,
        target=options.target,
        size=len(content),
        size_compressed=len(compressed),
        milliseconds=milliseconds,
        info=info,
        decisions=variants.decisions,
        found=variants.found,
        picked=variants.picked,
        evidence=evidence,
        gate=replace(held, failures=(*held.failures, *failures_of(rows))),
        seconds=work.seconds,
        warnings=(
            *work.drawn.warnings,
            *work.notes,
            *variants.notes,
            *_unkept(variants.found, options.budgets),
        ),
        material=_exhibited(work, variants, info, evidence, program) if options.exhibit else None,
        devices=rows,
    )


def _exhibited(
    work: Work, variants: Variants, info: ProgramInfo, evidence: Evidence, program: bytes
) -> Material:
    """What a report shows besides the JSON's figures."""
    work.stages("preparing the report", None)
    cases = {case.name: case for case in work.cases}
    subject = Subject(
        program, info, work.graph, evidence.verdict, cases.__getitem__,
        [tile_map(name, case.lr, info) for name, case in cases.items()],
        _judged(work), work.threads,
    )  # fmt: skip
    return gather(subject, histograms(work.graph, variants.decisions.best, work.tiles))


def _judged(work: Work) -> str:
    """Which pictures were judged, in words."""
    held, used = work.drawn.held_back, work.drawn.calibrate
    folder = work.options.pictures.name
    if held is used:
        return f"the one usable picture of {folder}, which also calibrated"
    return f"{len(held)} of {len(held) + len(used)} drawn from {folder}, held back from calibration"


def _unkept(found: Found | None, budgets: Budgets) -> tuple[str, ...]:
    """Tells that no program keeps to the budgets, and which one was written instead."""
    if found is None or found.holds:
        return ()
    if not found.affordable:
        return ("no choice of bits keeps to --max-bytes and --max-ms: this is the cheapest program",)
    return (f"no choice of bits within the budgets loses {budgets.max_drop:g} dB or less: this is the best",)


def _checked(info: ProgramInfo, bits: str) -> ProgramInfo:
    """A plan file may have been edited, and what it says goes into the metadata."""
    try:
        info.to_json()
    except ValueError as error:
        raise UserError(f"--bits {bits}: its field {error}: give a plan as --plan wrote it") from error
    return info
