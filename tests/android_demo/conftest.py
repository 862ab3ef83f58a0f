"""The app that `make android` has built, and the tools to look into it."""

import os
import sys
from pathlib import Path

import pytest

from edgesr.devices.downloads import devices_folder

ROOT = Path(__file__).parents[2]
# Named at import, before the tests' own empty cache hides the user's.
DEVICES = devices_folder()

sys.path.insert(0, str(ROOT / "android_demo"))
from apk.flavours import FLAVOURS, Flavour  # noqa: E402
from apk.tools import Tools  # noqa: E402


@pytest.fixture(scope="session", params=FLAVOURS.values(), ids=lambda flavour: flavour.name)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    if "EDGESR_APKS" not in os.environ:
        pytest.skip("the apps take minutes and downloads to build: `make android` builds them and runs this")
    return request.param


@pytest.fixture(scope="session")
def apk(flavour: Flavour) -> Path:
    return Path(os.environ["EDGESR_APKS"]) / f"edgesr-demo-{flavour.name}.apk"


@pytest.fixture(scope="session")
def tools(flavour: Flavour, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    folder = tmp_path_factory.mktemp(flavour.name)
    return Tools(DEVICES / "android-sdk", DEVICES / "android-libs", folder)
