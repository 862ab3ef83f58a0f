"""Compiling the few native pieces that a device needs, for this machine or for arm64."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import UserError

SHIM, PTE_RUNNER = (Path(__file__).with_name("native") / name for name in ("shim.c", "pte_runner.cpp"))
HERE = ("cc",)
PASSED_ON = ("m", "dl", "log", "android")
"""Android libraries whose functions glibc has, or of which nothing is used (libfbjni asks for android)."""

EXECUTORCH_LIBRARIES = (
    "executorch",
    "executorch_backend_xnnpack",
    "executorch_kernels_optimized",
    "executorch_kernels_quantized",
    "executorch_threadpool",
)


def cross_compiler(devices: Path, name: str) -> tuple[str, ...]:
    """`gcc` or `g++` that makes programs for arm64, as it was unpacked."""
    root = devices / "cross-arm64"
    libraries = f"LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu"
    return "env", libraries, f"{root}/usr/bin/aarch64-linux-gnu-{name}-12", f"--sysroot={root}"


def build_shim(compiler: Sequence[str], folder: Path) -> None:
    """Builds what adapted Android libraries in the folder ask for: `libc.so` and the others of `PASSED_ON`.

    Args:
        compiler: the C compiler for the machine that they will run on, with its flags.
    """
    shared = (*compiler, "-O2", "-w", "-fPIC", "-shared")
    compile_native((*shared, "-Wl,-soname,libc.so", str(SHIM), "-o", str(folder / "libc.so")))
    for name in PASSED_ON:
        links = ("-Wl,--no-as-needed", "-lm", "-ldl", f"-Wl,-soname,lib{name}.so")
        compile_native((*shared, "-x", "c", "/dev/null", *links, "-o", str(folder / f"lib{name}.so")))


def build_pte_runner(compiler: Sequence[str], executorch: Path, output: Path) -> None:
    """Builds the runner of .pte programs against the C++ libraries of an unpacked executorch wheel."""
    include, libraries = executorch / "include", executorch / "lib"
    own_types = include / "executorch/runtime/core/portable_type/c10"  # instead of PyTorch's
    compile_native(
        (
            *compiler, "-std=c++17", "-O1", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS",
            f"-I{include}", f"-I{own_types}", str(PTE_RUNNER), "-o", str(output),
            f"-L{libraries}", "-Wl,--no-as-needed", *(f"-l{name}" for name in EXECUTORCH_LIBRARIES),
            "-Wl,--allow-shlib-undefined", "-Wl,-rpath,$ORIGIN/site/executorch/lib",
        )
    )  # fmt: skip


def compile_native(command: Sequence[str]) -> None:
    """Runs a compiler.

    Raises:
        UserError: it is missing, or refuses.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError(f"{command[0]} is missing: install a C compiler, such as gcc") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise UserError(f"a part of a device cannot be compiled by {command[0]} ({last}): install gcc")
