"""Private members that nested classes share are opened, no others."""

import zipfile
from pathlib import Path

import pytest
from apk.nests import PRIVATE, ClassFile, open_nests
from apk.tools import Tools

from edgesr.errors import UserError

SHARED = """
class Outer {
    private int count = 1;
    private int own = 2;
    private Outer() {}
    private static int twice(int x) { return 2 * x; }
    private int thrice() { return 3 * count + own; }
    static class Inner { static int all() { Outer o = new Outer(); o.count++; return twice(o.thrice()); } }
    public static void main(String[] arguments) { System.out.print(Inner.all()); }
}
"""
AMBIGUOUS = """
class Outer {
    private int value() { return 1; }
    static class Inner extends Outer { int value() { return 2; } int sum(Outer o) { return o.value(); } }
}
"""


def jar_of(tools: Tools, source: str, folder: Path) -> Path:
    """Compiled for Java 11, which leaves private members to the nest."""
    (folder / "Outer.java").write_text(source)
    tools.run("javac", "--release", "11", "-d", folder / "classes", folder / "Outer.java")
    jar = folder / "nested.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for path in sorted((folder / "classes").iterdir()):
            archive.write(path, path.name)
    return jar


def private_members(jar: Path) -> set[str]:
    with zipfile.ZipFile(jar) as archive:
        outer = ClassFile(archive.read("Outer.class"))
    return {member.name for member, declared in outer.members.items() if declared.flags & PRIVATE}


def test_what_is_shared_is_opened_and_runs_as_before(tools: Tools, tmp_path: Path) -> None:
    jar, opened = jar_of(tools, SHARED, tmp_path), tmp_path / "opened.jar"
    open_nests(jar, opened)
    assert private_members(jar) == {"<init>", "count", "own", "twice", "thrice"}
    assert private_members(opened) == {"own"}
    outputs = {tools.run("java", "-cp", path, "Outer") for path in (jar, opened)}
    assert outputs == {"16"}


def test_what_might_run_another_method_is_refused(tools: Tools, tmp_path: Path) -> None:
    jar = jar_of(tools, AMBIGUOUS, tmp_path)
    with pytest.raises(UserError, match=r"Outer\.value cannot be opened: 2 classes have it"):
        open_nests(jar, tmp_path / "opened.jar")
