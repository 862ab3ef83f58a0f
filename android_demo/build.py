"""Builds the Android app: `python android_demo/build.py tflite|executorch [PROGRAM...]` writes
out/edgesr-demo-FLAVOUR.apk.

With program files, the app brings those along instead of the networks that ship with edgesr.
"""

import sys
import time
from pathlib import Path

from apk.classes import build_dex
from apk.flavours import Flavour, flavour_of
from apk.package import package, sign
from apk.programs import check_given, write_assets
from apk.resources import link_resources
from apk.runtime import build_runtime
from apk.tools import ROOT, find_tools, say

from edgesr.errors import UserError


def build(flavour: Flavour, given: list[Path]) -> Path:
    """Gives the app's file.

    Raises:
        UserError: a download or tool is missing, or a program is not what it should be.
    """
    check_given(given, flavour)
    tools = find_tools(ROOT / "out/android" / flavour.name)
    start = time.monotonic()
    write_assets(tools.work / "assets", flavour, given)
    converted = time.monotonic()
    say("compiling and packing")
    jars, libraries = build_runtime(tools, flavour)
    linked, generated = link_resources(tools, flavour)
    dex = build_dex(tools, flavour, generated, jars)
    output = ROOT / f"out/edgesr-demo-{flavour.name}.apk"
    sign(tools, package(tools, linked, dex, tools.work / "assets", libraries), output)
    end = time.monotonic()
    say(f"{output.relative_to(ROOT)}: {output.stat().st_size / 1e6:.1f} MB; programs and golden pictures "
        f"{converted - start:.0f} s, the app {end - converted:.0f} s")  # fmt: skip
    return output


def main(arguments: list[str]) -> None:
    build(flavour_of(arguments), [Path(name) for name in arguments[1:]])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
