"""What to convert and how: the flags of `edgesr convert` as data, checked before any work."""

from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from pathlib import Path

from edgesr_runtime.files import check_writable
from edgesr_runtime.metadata import ROUTED_VARIANTS, SizeRange

from ..defaults import BITS, CALIBRATION_IMAGES, MAX_DROP, METHOD, TARGET
from ..errors import UserError
from ..evaluation.folder import list_pictures
from ..lowering.litert_torch.packages import missing
from ..lowering.targets import LITERT_TORCH, OWN
from ..quantization import methods
from ..quantization.search import Budgets
from .pictures import shipped_folder

NEEDED = (("tflite", "ai_edge_litert", "ai-edge-litert"), ("executorch", "executorch", "executorch"))
"""Target, module and package that must be there; costs are measured on LiteRT for every target."""
LITERT_TORCH_BITS = ("auto", "w8a8", "f32")
BRIEFLY = 0.1  # of a whole tuning


@dataclass(frozen=True)
class Options:
    """The flags of `edgesr convert` say more about each.

    Attributes:
        output: the program file; `plan_output` takes the plan, if given.
        calib: folder of pictures; None takes the shipped ones.
        bits: one of `BITS`, or the path of a plan.
        max_bytes: of the file; max_ms: of one tile on one thread of this machine. None sets no limit.
        variants: names among `low`, `mid`, `high`, cheapest first; empty for one program without routing.
        tune: learn the plan's numbers further: True for minutes, False not at all; None briefly, and only
            with 4-bit weights throughout, where it pays.
        seed: None takes the plan's if `bits` is one, else the default.
        compress: write the file through gzip.
        verify_on: devices to run the program on as well, before it is written.
        exhibit: also gather what a report shows, seconds more.
        converter: `OWN`, or `LITERT_TORCH` for networks with ops that edgesr's graph does not have.
        sizes: heights and widths that the program takes besides its tile; None for none.
    """

    model: str
    output: Path
    target: str = TARGET
    weights: Path | None = None
    scale: int | None = None
    pixel_range: int | None = None
    calib: Path | None = None
    calib_images: int = CALIBRATION_IMAGES
    bits: str = "auto"
    max_drop: float = MAX_DROP
    max_bytes: int | None = None
    max_ms: float | None = None
    variants: tuple[str, ...] = ()
    tile: int | None = None
    method: str = METHOD
    tune: bool | None = None
    seed: int | None = None
    plan_output: Path | None = None
    compress: bool = False
    exhibit: bool = False
    verify_on: tuple[str, ...] = ()
    converter: str = OWN
    sizes: SizeRange | None = None

    @property
    def budgets(self) -> Budgets:
        limits = (inf if limit is None else limit for limit in (self.max_bytes, self.max_ms))
        return Budgets(self.max_drop, *limits)

    @property
    def effort(self) -> float:
        """How much of a whole tuning is done, 0 to 1."""
        if self.tune is None:
            return BRIEFLY if self.bits == "w4a8" else 0.0
        return float(self.tune)

    @property
    def pictures(self) -> Path:
        """Where calibration pictures are."""
        return self.calib or shipped_folder()

    def check(self) -> None:
        """Everything that can be known to be wrong without work.

        Raises:
            UserError: names the flag, and what to give instead.
        """
        for target, module, package in NEEDED:
            if target in (TARGET, self.target) and find_spec(module) is None:
                raise UserError(f"--target {target} needs {package}: pip install 'edgesr[{target}]'")
        if self.converter == LITERT_TORCH:
            self._check_converter()
        for path in filter(None, (self.output, self.plan_output)):
            check_writable(path)
        self._refuse_clashes()
        if self.calib_images < 1:
            raise UserError(f"--calib-images {self.calib_images}: give 1 or more")
        if not self.max_drop >= 0:
            raise UserError(f"--max-drop {self.max_drop:g}: give 0 or more dB")
        for flag, limit in (("--max-bytes", self.max_bytes), ("--max-ms", self.max_ms)):
            if limit is not None and not limit > 0:
                raise UserError(f"{flag} {limit:g}: give more than 0")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise UserError(f"--seed {self.seed}: give a whole number from 0")
        self._check_variants()
        methods.by_name(self.method)
        list_pictures(self.pictures)
        if self.tune and (self.bits == "f32" or self.bits not in BITS):
            raise UserError(f"--tune: there is nothing to learn with --bits {self.bits}: leave it out")
        if self.bits not in BITS and not Path(self.bits).is_file():
            raise UserError(f"--bits {self.bits}: give {', '.join(BITS)}, or a plan file written with --plan")

    def _refuse_clashes(self) -> None:
        """No output may be one of the inputs, or the other output."""
        inputs = (Path(self.model), self.weights, Path(self.bits))
        written = [path.resolve() for path in (self.output, self.plan_output) if path]
        read = [path.resolve() for path in inputs if path and path.is_file()]
        if set(written) & set(read) or len(set(written)) < len(written):
            raise UserError(f"{self.output}: another file of this command is there: choose another output")

    def _check_converter(self) -> None:
        """What needs edgesr's own graph of the network is not to be had of another converter."""
        flags = {
            f"--target {self.target}": self.target != TARGET,
            f"--bits {self.bits}": self.bits not in LITERT_TORCH_BITS,
            f"--variants {','.join(self.variants)}": bool(self.variants),
            "--tune": bool(self.tune),
            "--plan": self.plan_output is not None,
            "--report": self.exhibit,
            "--verify-on": bool(self.verify_on),
            "--dynamic-size": self.sizes is not None,
            f"--method {self.method}": self.method not in (METHOD, "minmax"),
        }
        for flag in (flag for flag, given in flags.items() if given):
            may = f"give {', '.join(LITERT_TORCH_BITS)}" if flag.startswith("--bits") else "leave it out"
            raise UserError(f"{flag}: --converter {LITERT_TORCH} has no such thing: {may}")
        if lacking := missing():
            raise UserError(f"--converter {LITERT_TORCH} needs {lacking}")

    def _check_variants(self) -> None:
        if self.variants != tuple(name for name in ROUTED_VARIANTS if name in self.variants):
            given = ",".join(self.variants)
            raise UserError(f"--variants {given}: give some of {','.join(ROUTED_VARIANTS)}, in this order")
