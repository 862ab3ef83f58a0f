"""The build refuses calls that older Androids do not have."""

from pathlib import Path

import pytest
from apk.classes import RULES
from apk.tools import Tools

from edgesr.errors import UserError


@pytest.mark.parametrize(
    ("call", "known"),
    [("Math.abs(-2)", True), ("Math.multiplyExact(2, 3)", False)],  # the latter came with API 24
)
def test_only_calls_that_api_23_has(call: str, known: bool, tools: Tools, tmp_path: Path) -> None:
    source = tmp_path / "Call.java"
    source.write_text(f"class Call {{ static int now() {{ return {call}; }} }}")
    tools.run("javac", "--release", "8", "-Xlint:-options", "-d", tmp_path / "classes", source)
    rules = tmp_path / "rules.pro"
    jar = tmp_path / "call.jar"
    rules.write_text(f"-injars {tmp_path}/classes\n" + RULES.format(jar=jar, android=tools.android_jar))
    if known:
        tools.run("proguard", f"@{rules}")
        assert jar.exists()
    else:
        with pytest.raises(UserError, match="can't find referenced method 'int multiplyExact"):
            tools.run("proguard", f"@{rules}")
