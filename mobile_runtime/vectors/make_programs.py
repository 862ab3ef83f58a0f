"""Writes the golden vectors of opening a program: what is taken, what is not, and why.

    PYTHONPATH=tests python mobile_runtime/vectors/make_programs.py

The Python runtime decides. A case is a list of splices [start, end, new] of one text or file, applied in
order: bytes start..end-1 become `new`, in metadata.json a text whose characters stand for one byte each, in
programs.json hexadecimal. Where a case is refused for a known reason, the message holds the text `says`.
"""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import metadata_cases
import program_cases

from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import ProgramInfo
from edgesr_runtime.program import read_info, read_program

HERE = Path(__file__).parent
KEPT = (
    *("schema", "edgesr", "network", "scale", "pixel_range", "tile", "halo", "exact_halo", "variants"),
    *("routing", "colour", "sizes"),
)
"""What every runtime keeps of the metadata."""


def metadata() -> dict[str, Any]:
    base = metadata_cases.BASE
    values = _values(ProgramInfo.from_json(base))
    accepted, refused = [], []
    for name, text, says in metadata_cases.cases():
        start, end, new = metadata_cases.between_ends(base.encode(), text)
        case = {"name": name, "splices": [[start, end, new.decode("latin-1")]]}
        try:
            found = _values(ProgramInfo.from_json(text))
        except UserError as error:
            assert says is None or (says and says in str(error)), (name, str(error))
            refused.append(case | {"says": says or _field(str(error))})
            continue
        assert not says, name
        changed = {key: value for key, value in found.items() if value != values[key]}
        accepted.append(case | ({"values": changed} if changed else {}))
    return {"base": base, "values": values, "accepted": accepted, "refused": refused}


def _values(info: ProgramInfo) -> dict[str, Any]:
    found = asdict(info)
    return json.loads(json.dumps({key: found[key] for key in KEPT}))


def _field(message: str) -> str:
    """The part of a refusal that all runtimes say alike: which field, or that it is no JSON."""
    for known in ("is not JSON", "the whole entry must be an object"):
        if known in message:
            return known
    return "field " + message.partition("metadata field ")[2].partition(" ")[0]


def programs() -> dict[str, Any]:
    found: dict[str, Any] = {name: {"accepted": [], "refused": []} for name in program_cases.PROGRAMS}
    for program, name, splices, says in program_cases.cases(HERE / "programs"):
        data = program_cases.spliced((HERE / "programs" / program).read_bytes(), splices)
        reason = _refusal(data)
        assert says is None or (says in reason if says and reason else not says and not reason), (
            name,
            reason,
        )
        case = {"name": name, "splices": splices} | ({"says": says} if says else {})
        found[program]["accepted" if reason is None else "refused"].append(case)
    return found


def _refusal(data: bytes) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program"
        path.write_bytes(data)
        try:
            read_info(read_program(path))
        except UserError as error:
            return str(error)
    return None


def _text(value: Any) -> str:
    """As JSON, each case on a line of its own."""
    if isinstance(value, dict) and "splices" not in value:
        return "{\n" + ",\n".join(f"{json.dumps(key)}:{_text(item)}" for key, item in value.items()) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(_text, value)) + "\n]"
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    (HERE / "metadata.json").write_text(_text(metadata()) + "\n")
    program_cases.write_programs(HERE / "programs")
    (HERE / "programs.json").write_text(_text(programs()) + "\n")
