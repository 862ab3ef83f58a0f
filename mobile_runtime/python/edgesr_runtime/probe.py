"""`python -m edgesr_runtime.probe FILE`: load a program and run each signature once on zeros.

`-` reads the program from standard input. Made to be run as a child of `verify.probe`, which survives
whatever the file does here. Prints one line and leaves with 1 where the file is refused.
"""

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from edgesr_runtime.engines import engine_for
from edgesr_runtime.errors import UserError

_MAX_MEMORY = 16 << 30


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stdout.write("usage: python -m edgesr_runtime.probe FILE\n")
        return 2
    _limit_resources()
    source = "<stdin>" if arguments[0] == "-" else arguments[0]
    data = sys.stdin.buffer.read() if arguments[0] == "-" else Path(arguments[0]).read_bytes()
    try:
        engine = engine_for(data)
        for variant in engine.variants:
            engine.run(variant, np.zeros(engine.input_shape(variant), np.float32))
    except UserError as error:
        sys.stdout.write(f"{source}: {error}\n")
        return 1
    return 0


def _limit_resources() -> None:
    """No core file of a crash, and no more memory than a program can reasonably ask for."""
    with suppress(ImportError, OSError, ValueError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
