"""The files that a command writes: found out before the work whether they can be."""

from collections.abc import Mapping
from pathlib import Path

from edgesr_runtime.files import check_writable

from ..errors import UserError


def check_outputs(written: Mapping[str, Path | None], *read: str | Path | None) -> None:
    """Refuses an output that cannot be written, that is an input, or that is another output.

    Args:
        written: flag -> file, None where the flag was not given.
        read: the inputs; those that are no files, as the name of a network, do not count.

    Raises:
        UserError: names the flag.
    """
    taken = {Path(path).resolve() for path in read if path and Path(path).is_file()}
    for flag, path in written.items():
        if path is None:
            continue
        check_writable(path)
        if path.resolve() in taken:
            raise UserError(f"{flag} {path}: another file of this command is there: choose another name")
        if path.is_file() or not path.exists():  # two may share a device such as /dev/stdout
            taken.add(path.resolve())
