"""How much memory there may be: sizes as people write them, and what this process holds already."""

import re
import sys
from pathlib import Path

from edgesr_runtime.errors import UserError

MEGABYTE = 10**6
DEFAULT = 512 * MEGABYTE

_UNITS = {
    "b": 1,
    **{"kb": 10**3, "mb": 10**6, "gb": 10**9},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30},
}


def parse_size(text: str) -> int:
    """Bytes of a size such as 512MB, 0.5GiB or 300000KB.

    Raises:
        UserError: it is none, or not above zero.
    """
    found = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([kmg]i?b|b)\s*", text, re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if size <= 0:
        raise UserError(f"{text!r} is no amount of memory; give one such as 512MB or 1GiB")
    return size


def held() -> int:
    """Bytes of memory that this process holds now; where the system does not tell, the most it ever held, or
    0 on Windows."""
    try:
        import resource
    except ImportError:
        return 0
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
