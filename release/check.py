"""Builds the distributions and proves that what is released works: installed alone, in an empty environment.

    python release/check.py            # leaves wheels, sdists and the bill of materials in dist/

The runtime is tried first without PyTorch, for that is how it runs on small machines; then edgesr beside it.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
CONSTRAINTS = ROOT / "constraints.txt"
SOURCES = (ROOT / "mobile_runtime" / "python", ROOT)
BUILD, SBOM = "build==1.6.1", "cyclonedx-bom==7.5.0"
ONE_PICTURE = "from PIL import Image; Image.new('RGB', (50, 40), 'teal').save('a.png')"


def run(*command: str | Path, folder: Path) -> str:
    """Runs a command in a folder and gives what it prints; raises where it fails."""
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(folder: Path, *packages: str | Path) -> Path:
    """The programs of a new environment that holds these packages, at the pinned versions."""
    venv.create(folder, with_pip=True)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", CONSTRAINTS)
    run(folder / "bin" / "python", *install, *packages, folder=folder)
    return folder / "bin"


def build(scratch: Path) -> None:
    """Wheel and sdist of both distributions, the wheel from the sdist, so that nothing is missing there."""
    shutil.rmtree(DIST, ignore_errors=True)
    python = environment(scratch / "build", BUILD) / "python"
    for source in SOURCES:
        run(python, "-m", "build", "--outdir", DIST, source, folder=scratch)


def wheel(name: str) -> Path:
    (found,) = DIST.glob(f"{name}-*.whl")
    return found


def try_runtime(scratch: Path, program: Path) -> None:
    """The runtime alone upscales a picture, and PyTorch is not there."""
    bin_ = environment(scratch / "runtime", f"{wheel('edgesr_runtime')}[litert]")
    run(bin_ / "python", "-c", ONE_PICTURE, folder=scratch)
    code = (
        "import sys; from edgesr_runtime import open_program, upscale; "
        "from edgesr_runtime.pictures import load_rgb; "
        f"sr = upscale(open_program({str(program)!r}), load_rgb('a.png')); "
        "print(sr.shape, 'torch' in sys.modules)"
    )
    assert run(bin_ / "python", "-c", code, folder=scratch).split("\n")[-2] == "(80, 100, 3) False"


def try_edgesr(scratch: Path) -> Path:
    """A conversion with what the wheel carries, weights and pictures. Leaves the bill of materials."""
    folder = scratch / "edgesr"
    bin_ = environment(folder, "torch==2.13.0", wheel("edgesr_runtime"), f"{wheel('edgesr')}[tflite]")
    program = scratch / "plain.tflite"
    run(bin_ / "edgesr", "convert", "plain", "--bits", "w8a8", "--tile", "48", "-o", program, folder=scratch)
    run(bin_ / "edgesr", "inspect", program, folder=scratch)
    sources = "from edgesr.devices.java import sources; print(*(len(s) > 3 for s in sources().values()))"
    assert run(bin_ / "python", "-c", sources, folder=scratch) == "True True\n"
    tool = environment(scratch / "sbom", SBOM) / "cyclonedx-py"
    run(tool, "environment", "--output-file", DIST / "edgesr.cdx.json", bin_ / "python", folder=scratch)
    return program


def main() -> None:
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        build(scratch)
        try_runtime(scratch, try_edgesr(scratch))
    sys.stdout.write("".join(f"{path.relative_to(ROOT)}\n" for path in sorted(DIST.iterdir())))


if __name__ == "__main__":
    main()
