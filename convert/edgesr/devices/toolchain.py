"""The commands of the Android toolchain: small scripts in `bin` that run what is unpacked under `root`."""

from pathlib import Path

LIBRARY_FOLDERS = (
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu/android",
    "lib/x86_64-linux-gnu",
    "usr/lib/llvm-14/lib",
    "usr/lib/p7zip",
    "usr/lib",
)
NATIVE = {
    "clang": "usr/lib/llvm-14/bin/clang",
    "ld.lld": "usr/lib/llvm-14/bin/ld.lld",
    "aapt": "usr/bin/aapt",
    "aapt2": "usr/bin/aapt2",
    "zipalign": "usr/bin/zipalign",
}
JAVA = {
    "dx": ("usr/share/java/com.android.dx.jar", "com.android.dx.command.Main"),
    "apksigner": ("usr/share/java/apksigner.jar", "com.android.apksigner.ApkSignerTool"),
    "proguard": ("usr/share/java/proguard.jar", "proguard.ProGuard"),
}
HEAD = '#!/bin/sh\nroot=$(dirname "$(readlink -f "$0")")/../root\n'


def write_wrappers(folder: Path) -> None:
    """Fills `bin`: native tools, Java tools by the machine's java or the unpacked one, and enjarify."""
    (folder / "bin").mkdir()
    paths = ":".join(f"$root/{name}" for name in LIBRARY_FOLDERS)
    scripts = {name: f'LD_LIBRARY_PATH="{paths}" exec "$root/{tool}" "$@"' for name, tool in NATIVE.items()}
    jdk = "usr/lib/jvm/java-17-openjdk-amd64"
    unpacked = (folder / "root" / jdk).is_dir()
    java = f"$root/{jdk}/bin/java" if unpacked else "java"
    for name, (jar, main) in JAVA.items():
        scripts[name] = f'exec "{java}" -cp "$root/{jar}" {main} "$@"'
    if unpacked:
        tools = ("java", "javac", "jar", "keytool")
        scripts |= {name: f'exec "$root/{jdk}/bin/{name}" "$@"' for name in tools}
    modules = "$root/usr/lib/python3/dist-packages"
    scripts["enjarify"] = f'PYTHONPATH="{modules}" exec python3 -O -m enjarify.main "$@"'
    for name, body in scripts.items():
        path = folder / "bin" / name
        path.write_text(HEAD + body + "\n", encoding="utf-8")
        path.chmod(0o755)
