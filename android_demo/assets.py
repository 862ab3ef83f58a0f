"""What the app brings along, for a build with Gradle.

`python android_demo/assets.py tflite|executorch [PROGRAM...]` writes out/android/FLAVOUR/assets.
"""

import shutil
import sys
from pathlib import Path

from apk.flavours import flavour_of
from apk.programs import check_given, write_assets
from apk.tools import ROOT

from edgesr.errors import UserError


def main(arguments: list[str]) -> None:
    flavour = flavour_of(arguments)
    given = [Path(name) for name in arguments[1:]]
    check_given(given, flavour)
    folder = ROOT / "out/android" / flavour.name / "assets"
    shutil.rmtree(folder, ignore_errors=True)
    write_assets(folder, flavour, given)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
