"""Where edgesr keeps what is costly to make and safe to lose: measured costs, unfinished work."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which may not exist yet: EDGESR_CACHE, else `edgesr` among the user's caches."""
    if named := os.environ.get("EDGESR_CACHE"):
        return Path(named)
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(users) if users else Path.home() / ".cache") / "edgesr"
