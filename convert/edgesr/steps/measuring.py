"""What the search asks about a candidate, answered by making its program: dB on the held-back pictures,
bytes of the file, and milliseconds by the cost table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgesr_runtime import ProgramInfo
from edgesr_runtime.metadata import DEFAULT_VARIANT

from ..defaults import TARGET
from ..devices.costs import CostTable
from ..evaluation.judge import Case, Foreseen, foresee
from ..graph.graph import Graph
from ..quantization.plan import Plan
from ..quantization.quantize import quantize
from .deployment import as_file, deployed, write_program
from .unfinished import Unfinished

EVIDENCE = 1024  # bytes that the evidence will add to a file, at most
EVIDENCE_ROW = 600  # the same for each variant at each place of `--verify-on`


@dataclass(frozen=True)
class Measuring:
    """The search's `Measure` for one network on this machine.

    Attributes:
        cases: held-back pictures.
        describe: plan -> the metadata of its program.
        memory: of drops that were measured before.
        compress: whether bytes are counted after gzip.
        evidence: bytes that are kept free for what is not measured yet.
    """

    graph: Graph
    cases: Sequence[Case]
    describe: Callable[[Plan], ProgramInfo]
    table: CostTable
    memory: Unfinished
    threads: int
    target: str = TARGET
    compress: bool = False
    evidence: int = EVIDENCE

    def foreseen(self, plan: Plan) -> Foreseen:
        return self.memory.foreseen(plan, self._foreseen)

    def milliseconds(self, plan: Plan) -> float:
        return self.table.milliseconds(quantize(self.graph, plan), self.describe(plan).tile)

    def size(self, plan: Plan) -> int:
        return len(as_file(self._program(plan), self.compress)) + self.evidence

    def _foreseen(self, plan: Plan) -> Foreseen:
        info = self.describe(plan)
        return foresee(self.cases, deployed(self._program(plan), info, self.threads))

    def _program(self, plan: Plan) -> bytes:
        return write_program({DEFAULT_VARIANT: quantize(self.graph, plan)}, self.describe(plan), self.target)
