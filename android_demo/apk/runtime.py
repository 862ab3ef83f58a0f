"""The Java runtime and its bridge to TensorFlow Lite, as their own build makes them."""

import shutil
import sys
from pathlib import Path

from .flavours import Flavour
from .nests import open_nests
from .tools import ABIS, RUNTIME, Tools, run


def build_runtime(tools: Tools, flavour: Flavour) -> tuple[list[Path], Path]:
    """Gives the jars, and a folder with the native libraries for each ABI: `ABI/lib*.so`.

    Raises:
        UserError: an error in the sources.
    """
    built, packed = tools.work / "runtime", tools.work / "lib"
    script = RUNTIME / "build.py"
    run([sys.executable, str(script), str(built), "--sdk", str(tools.sdk), "--libs", str(tools.libraries)])
    for abi in ABIS:
        (packed / abi).mkdir(parents=True)
        sources = [built / abi / name for name in flavour.bridges]
        sources += [tools.libraries / abi / name for name in flavour.libraries]
        for source in sources:
            shutil.copyfile(source, packed / abi / source.name)
    jars = [built / name for name in flavour.jars]
    for name in flavour.foreign_jars:
        jars.append(built / name)
        open_nests(tools.libraries / name, jars[-1])
    return jars, packed
