"""`--report`: the HTML page of `convert` and `check`."""

import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesr_runtime.files import write_atomically

if TYPE_CHECKING:
    from ..report.material import Material


def write_report(path: Path | None, record: Mapping[str, Any], material: "Material | None") -> None:
    """Writes the page, if one was asked for."""
    if path and material:
        from ..report.page import page

        command = shlex.join(["edgesr", *sys.argv[1:]])
        write_atomically(path, page(record, material, command, datetime.now().astimezone()))
