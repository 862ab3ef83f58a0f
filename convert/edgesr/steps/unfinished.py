"""What an interrupted conversion had found out, so that the same one goes on from there.

The plan of the calibration and every measurement of the search are kept as they are made, in a folder of
the user's caches that is named by all they depend on: network, pictures, options and edgesr itself. A
conversion that comes to its end removes it.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from edgesr_runtime.files import write_atomically

from ..cache import cache_folder
from ..errors import UserError
from ..evaluation.judge import Foreseen
from ..quantization import plan as plans
from ..quantization.plan import Plan

PACKAGE = Path(__file__).parents[1]


class Unfinished:
    """One conversion's memory. Where it cannot be written, nothing is remembered."""

    def __init__(self, *identity: bytes) -> None:
        """Args: identity: everything that the results depend on besides edgesr."""
        digest = sha256(_own_sources())
        for part in identity:
            digest.update(sha256(part).digest())
        self.folder = cache_folder() / "unfinished" / digest.hexdigest()[:32]
        self._foreseen: dict[str, dict[str, float]] = _read_json(self.folder / "search.json")

    def plan(self, make: Callable[[], Plan]) -> Plan:
        """The plan as it was made before, or made now."""
        path = self.folder / "plan.json"
        try:
            return plans.from_json(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError, UserError):
            made = make()
            self._write(path, made.to_json())
            return made

    def foreseen(self, plan: Plan, measure: Callable[[Plan], Foreseen]) -> Foreseen:
        """What a plan's program was measured to lose, or measured now."""
        key = sha256(plan.to_json().encode()).hexdigest()
        try:
            return Foreseen(**{name: float(value) for name, value in self._foreseen[key].items()})
        except (KeyError, TypeError, ValueError, AttributeError):
            measured = measure(plan)
            self._foreseen[key] = asdict(measured)
            self._write(self.folder / "search.json", json.dumps(self._foreseen))
            return measured

    def file(self, name: str) -> Path | None:
        """Where longer work may note how far it is; None where nothing can be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return self.folder / name

    def finish(self) -> None:
        """Forgets everything: there is nothing left to resume."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, path: Path, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except (OSError, UserError):
            pass


def _own_sources() -> bytes:
    """Digest of edgesr's code: another version may find other results."""
    digest = sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
