"""`--report`: the HTML page of `convert` and `check`."""

import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesr_runtime.files import check_writable, write_atomically

from ..errors import UserError

if TYPE_CHECKING:
    from ..report.material import Material


def check_report(path: Path | None, *others: Path | None) -> None:
    """Finds out before the work whether the report can be written.

    Raises:
        UserError: it cannot, or another file of the command is there.
    """
    if path is None:
        return
    check_writable(path)
    if path.resolve() in {other.resolve() for other in others if other}:
        raise UserError(f"--report {path}: another file of this command is there: choose another name")


def write_report(path: Path | None, record: Mapping[str, Any], material: "Material | None") -> None:
    """Writes the page, if one was asked for."""
    if path and material:
        from ..report.page import page

        command = shlex.join(["edgesr", *sys.argv[1:]])
        write_atomically(path, page(record, material, command, datetime.now().astimezone()))
