"""The entry point: collects the commands and turns whatever ends them into an exit code.

0 done, 1 the gate failed, 2 the user's input or machine is at fault (one line says how), 130 interrupted.
Anything else is a bug and shows its traceback.
"""

import errno
import os
import sys
from collections.abc import Sequence

import typer

from . import bench, check, convert, devices, inspect, models, simulate, upscale

USER_ERROR = 2
INTERRUPTED = 130

MACHINE_ERRORS = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.ENOMEM: "there is not enough memory: close other programs or use a smaller --tile",
    errno.EMFILE: "too many files are open: raise the limit with `ulimit -n`",
}
PATH_ERRORS = {
    errno.ENAMETOOLONG: "this name is too long: give a shorter path",
    errno.ELOOP: "its links lead in a circle: give another path",
    errno.EACCES: "no permission: change it, or give another path",
    errno.EIO: "the disk cannot be read or written: give a path on another one",
}
EXTRAS = {"ai_edge_litert": "tflite", "flatbuffers": "tflite", "executorch": "executorch"}
"""Package that an installation may lack -> the extra of edgesr that brings it."""

app = typer.Typer(
    help="Super-resolution networks on a phone, at the lowest precision that still looks like float.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    convert.convert,
    check.check,
    upscale.upscale,
    simulate.simulate,
    inspect.inspect,
    bench.bench,
    models.models,
):
    app.command()(command)
app.add_typer(devices.app, name="devices")


def main() -> None:
    """Runs the command of `sys.argv` and leaves with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line."""
    try:
        result = typer.main.get_command(app).main(list(arguments), "edgesr", standalone_mode=False)
    except typer.Abort:
        result = INTERRUPTED
    except typer.TyperException as error:  # a flag or argument that does not fit
        message = " ".join(error.format_message().split()).rstrip(".")
        return _fail(f"{message}: see `edgesr --help`", USER_ERROR)
    except Exception as error:
        line = in_one_line(error)
        if line is None:
            raise
        return _fail(line, USER_ERROR)
    if result == INTERRUPTED:  # what Typer makes of Ctrl-C
        return _fail("interrupted: existing files are as they were", INTERRUPTED)
    return result if isinstance(result, int) else 0


def in_one_line(error: Exception) -> str | None:
    """What to tell the user; None for a bug."""
    from ..errors import UserError

    if isinstance(error, UserError):
        return " ".join(str(error).split())
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return MACHINE_ERRORS[errno.ENOMEM]
    if isinstance(error, ModuleNotFoundError):
        return _missing_package((error.name or "").split(".")[0])
    return _machine_error(error) if isinstance(error, OSError) else None


def _missing_package(name: str) -> str | None:
    if name not in EXTRAS:
        return None
    return f"{name.replace('_', '-')} is not installed: pip install 'edgesr[{EXTRAS[name]}]'"


def _machine_error(error: OSError) -> str | None:
    code = error.errno or 0
    if code in PATH_ERRORS and error.filename is not None:
        return f"{os.fspath(error.filename)}: {PATH_ERRORS[code]}"
    return MACHINE_ERRORS.get(code)


def _fail(line: str, code: int) -> int:
    sys.stderr.write(f"edgesr: {line}\n")
    return code
