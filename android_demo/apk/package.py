"""All pieces into one file: zipped the same way every time, aligned, signed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from edgesr.cache import cache_folder
from edgesr_runtime.files import write_atomically

from .tools import MIN_SDK, Tools

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that the same input gives the same bytes."""
STORED = (".so", ".png", ".tflite", ".pte")
"""Libraries are mapped into memory from where they lie in the file; pictures are compressed already."""
PASSWORD = "android"


def package(tools: Tools, resources: Path, dex: Path, assets: Path, libraries: Path) -> Path:
    """Gives an APK that is aligned and not signed yet."""
    plain, aligned = tools.work / "plain.apk", tools.work / "aligned.apk"
    with zipfile.ZipFile(plain, "w") as archive:
        with zipfile.ZipFile(resources) as linked:
            for entry in linked.infolist():
                _add(archive, entry.filename, linked.read(entry), entry.compress_type)
        _add(archive, "classes.dex", dex.read_bytes(), zipfile.ZIP_DEFLATED)
        for prefix, folder in (("assets", assets), ("lib", libraries)):
            for name, path in _files(folder):
                kind = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
                _add(archive, f"{prefix}/{name}", path.read_bytes(), kind)
    tools.run("zipalign", "-f", "-p", "4", plain, aligned)
    return aligned


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, data: bytes, kind: int) -> None:
    entry = zipfile.ZipInfo(name, OLDEST)
    entry.compress_type = kind
    archive.writestr(entry, data, compresslevel=9)


def sign(tools: Tools, aligned: Path, output: Path) -> None:
    """Signs with a key of this machine and puts the app in its place, whole or not at all."""
    unfinished = tools.work / "signed.apk"
    tools.run(
        "apksigner", "sign", "--ks", _debug_key(tools), "--ks-pass", f"pass:{PASSWORD}",
        "--min-sdk-version", str(MIN_SDK), "--v1-signing-enabled", "false", "--v4-signing-enabled", "false",
        "--out", unfinished, aligned,
    )  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, unfinished.read_bytes())


def _debug_key(tools: Tools) -> Path:
    """Made once and kept in the user's cache, so that a newer build installs over an older one."""
    key = cache_folder() / "android-debug.p12"
    if not key.exists():
        made = tools.work / key.name
        tools.run(
            "keytool", "-genkeypair", "-keystore", made, "-storetype", "PKCS12", "-storepass", PASSWORD,
            "-alias", "edgesr", "-keyalg", "RSA", "-keysize", "2048", "-validity", "10000",
            "-dname", "CN=edgesr debug",
        )  # fmt: skip
        key.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(key, made.read_bytes())
    return key
