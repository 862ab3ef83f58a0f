"""What the devices are made of: every file by name, version, size and SHA-256 (`pins.toml`)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Pin:
    """One file to download.

    Attributes:
        source: `debian`, `npm` or `pypi`.
        place: path on a Debian mirror, `package@version` or `package==version`.
        platform: the wheel's platform tag; "" but for `pypi`.
    """

    source: str
    place: str
    sha256: str
    size: int
    platform: str = ""

    @property
    def name(self) -> str:
        """Of the file in the cache, the same for every try."""
        return f"{self.sha256[:12]}-{self.place.rsplit('/', 1)[-1]}"

    @property
    def title(self) -> str:
        """Package and version, for people."""
        return self.place.rsplit("/", 1)[-1].removesuffix(".deb")


@cache
def pins(part: str) -> tuple[Pin, ...]:
    """The files of a part; KeyError for a part that has none."""
    table = tomllib.loads(files(__package__).joinpath("pins.toml").read_text(encoding="utf-8"))
    return tuple(_pin(source, line) for source, lines in table[part].items() for line in lines)


def _pin(source: str, line: str) -> Pin:
    sha256, size, place, *platform = line.split()
    return Pin(source, place, sha256, int(size), *platform)
