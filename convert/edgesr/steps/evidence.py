"""What was measured about a program, as `convert` and `check` report it, and whether that is good enough."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from edgesr_runtime.program import read_info

from ..devices.host import Comparison, Delegation, delegated, mismatches, with_other_sizes
from ..evaluation.judge import Rgb, Verdict
from ..lowering.targets import OWN
from ..quantization.search import Budgets
from .sizes import pictures

REFERENCE_PSNR = 60.0  # dB that a program with float parts must keep to the integer reference
DIGITS = 4  # of reported dB: hides the last bits in which machines may differ


@dataclass(frozen=True)
class Evidence:
    """Quality of a program against the float network, and of the runtime against the reference.

    Attributes:
        verdict: the scores of all pictures.
        comparison: the runtime against the integer reference; None for a program of another converter,
            which has none.
        delegation: which ops run in the accelerated kernels.
        int8_mac_share: share of the multiplications that are int8.
        converter: what made the program.
    """

    verdict: Verdict
    comparison: Comparison | None
    delegation: Delegation
    int8_mac_share: float
    converter: str = OWN

    def record(self) -> dict[str, Any]:
        """The figures under their names in the JSON; null stands for an infinite PSNR (no difference), and
        where nothing could be compared.
        """
        verdict, compared = self.verdict, self.comparison
        return {
            "images": len(verdict.scores),
            "psnr_float": rounded(verdict.psnr_float),
            "psnr_quantized": rounded(verdict.psnr_program),
            "drop_db": rounded(verdict.drop),
            "drop_db_worst": rounded(verdict.worst.drop),
            "drop_tiling_db": rounded(verdict.drop_tiling),
            "worst_image": verdict.worst.name,
            "psnr_to_float": rounded(verdict.psnr_to_float),
            "max_abs_error": verdict.max_abs_error,
            "channel_mean_shift": [rounded(shift) for shift in verdict.mean_shift],
            "reference_mismatches": None if compared is None else compared.mismatches,
            "reference_values": None if compared is None else compared.values,
            "psnr_to_reference": None if compared is None else rounded(compared.psnr_to_reference),
            **({"reference_sizes": [list(s) for s in compared.sizes]} if compared and compared.sizes else {}),
            "int8_mac_share": rounded(self.int8_mac_share),
            "accelerated": rounded(self.delegation.share),
            **({} if self.converter == OWN else {"converter": self.converter}),
        }


def rounded(value: float | None) -> float | None:
    """For JSON: a few digits, and no infinities."""
    return round(value, DIGITS) + 0.0 if value is not None and isfinite(value) else None


@dataclass(frozen=True)
class Gate:
    """Whether a program may be used: `failures` say what is wrong with it, in words."""

    budgets: Budgets
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failures

    def record(self) -> dict[str, Any]:
        """Budgets that were not given are null."""
        limits = {name: value if isfinite(value) else None for name, value in asdict(self.budgets).items()}
        return {**limits, "passed": self.passed, "failures": list(self.failures)}


def gate(
    evidence: Evidence, budgets: Budgets, size: int | None = None, milliseconds: float | None = None
) -> Gate:
    """The gate of `convert` and `check`: dB against float, equality with the reference, and the budgets.

    Args:
        size: bytes of the file; None if it has no limit here.
        milliseconds: of one tile, by the cost table; None if it has no limit here.
    """
    drop = evidence.verdict.drop
    rules: tuple[tuple[bool, str], ...] = (
        (drop <= budgets.max_drop, f"it loses {drop:.3f} dB, {budgets.max_drop:g} dB are allowed"),
        (
            size is None or size <= budgets.max_bytes,
            f"it has {size} bytes, {budgets.max_bytes:g} are allowed",
        ),
        (
            milliseconds is None or milliseconds <= budgets.max_ms,
            f"a tile takes {milliseconds or 0:.3g} ms here, {budgets.max_ms:g} are allowed",
        ),
        *_equality(evidence.comparison),
    )
    return Gate(budgets, tuple(failure for holds, failure in rules if not holds))


def _equality(compared: Comparison | None) -> tuple[tuple[bool, str], ...]:
    """The rules about the integer reference, where there is one."""
    if compared is None:
        return ()
    return (
        (compared.mismatches == 0, f"{compared.mismatches} values differ from the integer reference"),
        (
            compared.psnr_to_reference >= REFERENCE_PSNR,
            f"{compared.psnr_to_reference:.1f} dB to the reference, {REFERENCE_PSNR:g} dB are needed",
        ),
    )


def compare_with_reference(
    program: bytes, tiles: Rgb, pixel_range: int, threads: int, progress: Callable[[], None]
) -> tuple[Comparison, Delegation]:
    """The runtime against the reference on some tiles, and what it accelerates.

    A program that takes other sizes is also run on pictures of such sizes, made of the first tile.
    """
    comparison = mismatches(program, tiles, pixel_range, threads, progress)
    sizes = read_info(program).sizes
    if sizes is not None:
        others = pictures(tiles[0], sizes)
        comparison = with_other_sizes(comparison, program, others, pixel_range, threads)
    return comparison, delegated(program, threads)
