"""Manifest and resources, compiled; the class `R` that names them."""

from pathlib import Path

from edgesr_runtime import __version__ as VERSION

from .flavours import Flavour
from .tools import APP, MIN_SDK, PACKAGE, TARGET_SDK, Tools

VERSION_CODE = 1


def link_resources(tools: Tools, flavour: Flavour) -> tuple[Path, Path]:
    """Gives an APK of resources alone, and the folder of generated sources."""
    manifest = tools.work / "AndroidManifest.xml"
    text = (APP / "main/AndroidManifest.xml").read_text(encoding="utf-8")
    # Gradle wants the package in its own file and refuses it here; aapt2 wants it here.
    manifest.write_text(text.replace("<manifest ", f'<manifest package="{PACKAGE}" ', 1), encoding="utf-8")
    compiled, linked, generated = tools.work / "res.zip", tools.work / "res.apk", tools.work / "generated"
    tools.run("aapt2", "compile", "--dir", APP / "main/res", "-o", compiled)
    tools.run(
        "aapt2", "link", "-I", tools.framework, "--manifest", manifest, "--java", generated,
        "--rename-manifest-package", flavour.package,
        "--min-sdk-version", str(MIN_SDK), "--target-sdk-version", str(TARGET_SDK),
        "--version-code", str(VERSION_CODE), "--version-name", VERSION, "-o", linked, compiled,
    )  # fmt: skip
    return linked, generated
