"""`edgesr convert` as a library: from a network to a program file that is proven against it.

The order matters: whatever can be wrong with the input is found before any long work; the program is
run, compared and judged before it is written; and everything that goes into it follows from the network,
the pictures, the plan and the seed, so that the same input gives the same bytes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgesr_runtime import ProgramInfo
from edgesr_runtime.files import write_atomically

from .defaults import BITS
from .errors import UserError
from .quantization.quantize import quantize
from .quantization.search import Budgets, Found
from .steps.deployment import as_file, write_program
from .steps.description import identity, layers_json
from .steps.evidence import Evidence, Gate, gate
from .steps.ladder import Decisions, read_decisions
from .steps.options import Options
from .steps.progress import Stages, quiet
from .steps.routing import Picked
from .steps.variants import Variants, as_given, decide
from .steps.work import Work

__all__ = ["Conversion", "Options", "convert"]


@dataclass(frozen=True)
class Conversion:
    """A program that was written, and what is known about it.

    Attributes:
        size: bytes of the file.
        size_compressed: bytes that it has, or would have, through gzip.
        milliseconds: of one tile on one thread of this machine, by the cost table: variant -> time.
        decisions: what `--plan` writes.
        found: what the search tried; None where there was none.
        picked: the thresholds between variants and what they do; None where nothing is routed.
    """

    path: Path
    target: str
    size: int
    size_compressed: int
    milliseconds: dict[str, float]
    info: ProgramInfo
    decisions: Decisions
    found: Found | None
    picked: Picked | None
    evidence: Evidence
    gate: Gate
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr convert`."""
        return {
            **identity(self.path, self.size, self.info, self.target),
            "bytes_compressed": self.size_compressed,
            "milliseconds": {name: round(value, 3) for name, value in self.milliseconds.items()},
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            **self.evidence.record(),
            "variants": list(self.info.variants),
            "routing": None if self.picked is None else self.picked.record(),
            "layers": layers_json(self.info),
            "search": None if self.found is None else self.found.record(),
            "devices": [],
            "gate": self.gate.record(),
            "warnings": list(self.warnings),
        }


def convert(options: Options, stages: Stages = quiet) -> Conversion:
    """Converts a network and writes the program, whether its gate holds or not.

    Raises:
        UserError: anything wrong with the options, the files or the network; nothing is written then.
    """
    options.check()
    given = None if options.bits in BITS else read_decisions(Path(options.bits))
    work = Work(options, given, stages)
    variants = decide(work) if given is None else as_given(work, given)
    with work.timed("lower"):
        stages("lowering", None)
        typed = {name: quantize(rung.graph, rung.plan) for name, rung in variants.rungs.items()}
        info = replace(work.describe_all(variants.rungs), routing=variants.decisions.routing)
        draft = write_program(typed, _checked(info, options.bits), options.target)
    with work.timed("check"):
        evidence = work.measure(draft, typed, info)
    with work.timed("lower"):
        info = replace(info, evidence=evidence.record())
        program = write_program(typed, info, options.target)
        work.prove_same(draft, program)
    return _written(work, variants, info, evidence, program)


def _written(
    work: Work, variants: Variants, info: ProgramInfo, evidence: Evidence, program: bytes
) -> Conversion:
    options = work.options
    content, compressed = as_file(program, options.compress), as_file(program, compress=True)
    write_atomically(options.output, content)
    if options.plan_output:
        write_atomically(options.plan_output, variants.decisions.to_json())
    work.unfinished.finish()
    milliseconds = {name: work.milliseconds(rung) for name, rung in variants.rungs.items()}
    slowest = max(milliseconds.values())
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
        gate=gate(evidence, options.budgets, len(content), slowest),
        seconds=work.seconds,
        warnings=(
            *work.drawn.warnings,
            *work.notes,
            *variants.notes,
            *_unkept(variants.found, options.budgets),
        ),
    )


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
