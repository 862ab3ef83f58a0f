"""Fixtures that every room's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command
from PIL import Image

from edgesr.conversion import Options, convert
from edgesr.steps.pictures import shipped_folder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Public test pictures and weights, which are not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EDGESR_DATA") or default)
    if not folder.is_dir():
        pytest.skip(
            f"public test pictures and weights are not at {folder}; EDGESR_DATA can name their folder"
        )
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests neither read nor fill the user's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGESR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four small pictures with detail in them, 112 x 96 pixels."""
    folder = tmp_path_factory.mktemp("photos")
    for index, path in enumerate(sorted(shipped_folder().glob("*.png"))[::8]):
        Image.open(path).convert("RGB").crop((60, 60, 172, 156)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def program(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped plain network as a small program."""
    path = tmp_path_factory.mktemp("program") / "plain.tflite"
    convert(Options("plain", path, calib=photos, bits="w8a8", method="minmax", tile=32))
    return path


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs command lines."""
    return Command(capfd)
