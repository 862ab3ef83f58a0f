"""Java to dex: javac, ProGuard, dx."""

from collections.abc import Sequence
from pathlib import Path

from .flavours import Flavour
from .tools import APP, MIN_SDK, Tools, sources

RULES = """\
-outjars {jar}
-libraryjars {android}
-dontwarn java.lang.invoke.**
-target 1.7
-dontshrink
-dontoptimize
-dontobfuscate
-keepattributes *
"""
"""ProGuard turns lambdas into classes, which old and new Androids alike run, and refuses every call that the
Android jar does not have (apart from the lambdas' own factory, which is gone afterwards)."""


def build_dex(tools: Tools, flavour: Flavour, generated: Path, jars: Sequence[Path]) -> Path:
    """The app's own classes and those in jars, as one dex file."""
    classes, jar, dex = tools.work / "classes", tools.work / "app.jar", tools.work / "classes.dex"
    files = sources(APP / "main/java", APP / flavour.name / "java", generated)
    # --release 8 keeps to Java 8's language and library; android.* comes from Debian's jar.
    tools.run(
        "javac", "--release", "8", "-proc:none", "-g", "-Xlint:all,-options,-classfile", "-Werror",
        "-cp", ":".join(map(str, [tools.android_jar, *jars])), "-d", classes, *files,
    )  # fmt: skip
    rules = tools.work / "proguard.pro"
    text = "".join(f"-injars {path}(!META-INF/**)\n" for path in (classes, *jars))
    text += RULES.format(jar=jar, android=tools.android_jar)
    text += "".join(f"-dontwarn {package}\n" for package in flavour.unused)
    rules.write_text(text, encoding="utf-8")
    tools.run("proguard", f"@{rules}")
    tools.run("dx", "--dex", f"--min-sdk-version={MIN_SDK}", f"--output={dex}", jar)
    return dex
