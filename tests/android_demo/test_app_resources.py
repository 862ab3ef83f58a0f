"""Resources and manifest, read as text: nothing is missing, nothing is left over, everybody can use it."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from apk.flavours import FLAVOURS
from apk.resources import VERSION_CODE
from apk.tools import MIN_SDK, PACKAGE, TARGET_SDK

from edgesr_runtime import __version__

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "android_demo/app/src/main"
RES = MAIN / "res"
ANDROID = "{http://schemas.android.com/apk/res/android}"
LAYOUTS = sorted(RES.glob("layout*/*.xml"))
SOURCES = sorted((ROOT / "android_demo/app/src").rglob("*.java"))
LONGEST = 250
# Views that a screen reader reaches and that carry no text of their own.
WORDLESS = {"dev.edgesr.demo.CompareView", "ImageView", "ImageButton", "ProgressBar", "Spinner"}


def tree(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def attributes(folder: str = "*") -> Iterator[str]:
    """Values of all attributes and texts in the resources and the manifest."""
    for path in [*sorted(RES.glob(f"{folder}/*.xml")), MAIN / "AndroidManifest.xml"]:
        for element in tree(path).iter():
            yield from element.attrib.values()
            yield element.text or ""


def named(kind: str, folder: str = "values") -> set[str]:
    tags = {kind} | ({"string-array"} if kind == "array" else set())
    files = sorted((RES / folder).glob("*.xml"))
    return {e.attrib["name"] for path in files for e in tree(path) if e.tag in tags}


def used_in_java(kind: str) -> set[str]:
    pattern = re.compile(rf"(?<!android\.)R\.{kind}\.(\w+)")
    return {name for path in SOURCES for name in pattern.findall(path.read_text(encoding="utf-8"))}


def used_in_xml(kind: str) -> set[str]:
    return {name for value in attributes() for name in re.findall(rf"@{kind}/(\w+)", value)}


@pytest.mark.parametrize("kind", ["string", "plurals", "array", "color", "dimen", "style"])
def test_what_is_used_is_there_and_nothing_is_left_over(kind: str) -> None:
    assert used_in_java(kind) | used_in_xml(kind) == named(kind)


@pytest.mark.parametrize("kind", ["color", "style"])
def test_dark_and_light_have_the_same_names(kind: str) -> None:
    assert named(kind, "values-night") == named(kind)


def test_views_that_the_code_asks_for_are_in_a_layout() -> None:
    ids = {value.removeprefix("@+id/") for value in attributes() if value.startswith("@+id/")}
    assert used_in_java("id") == ids


def test_layouts_and_menus_exist() -> None:
    for kind in ("layout", "menu"):
        assert used_in_java(kind) | used_in_xml(kind) == {path.stem for path in RES.glob(f"{kind}*/*.xml")}


def test_a_turned_phone_has_the_same_views() -> None:
    def views(path: Path) -> set[str]:
        return {v for e in tree(path).iter() for v in (e.get(f"{ANDROID}id"), e.get("layout")) if v}

    for path in RES.glob("layout-land/*.xml"):
        assert views(path) == views(RES / "layout" / path.name)


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_screen_readers_have_something_to_say(path: Path) -> None:
    for view in tree(path).iter():
        if view.tag in WORDLESS:
            assert view.get(f"{ANDROID}contentDescription", "").startswith("@string/"), view.tag


def test_every_text_is_a_resource() -> None:
    for path in [*LAYOUTS, *RES.glob("menu/*.xml"), MAIN / "AndroidManifest.xml"]:
        for element in tree(path).iter():
            for name in ("text", "hint", "title", "label", "contentDescription"):
                value = element.get(f"{ANDROID}{name}")
                assert value is None or value.startswith("@string/"), f"{path.name}: {value}"


def test_what_can_be_touched_is_large_enough() -> None:
    """48dp: what Android's guidelines ask for; buttons have it from the theme."""
    for path in LAYOUTS:
        for view in tree(path).iter("Spinner"):
            assert view.get(f"{ANDROID}minHeight") == "48dp"
    reach = next(e for e in tree(RES / "values/dimens.xml") if e.get("name") == "divider_reach")
    assert reach.text == "24dp"  # to each side of the divider


def luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("folder", ["values", "values-night"])
@pytest.mark.parametrize("name", ["accent", "good", "bad"])
def test_texts_stand_out_from_their_ground(folder: str, name: str) -> None:
    """WCAG 2.1, level AA: a contrast of 4.5."""
    colours = {e.attrib["name"]: e.text or "" for e in tree(RES / folder / "colors.xml")}
    darker, lighter = sorted(luminance(colours[key]) for key in (name, "ground"))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_the_manifest_asks_for_nothing_and_opens_only_the_front_door() -> None:
    root = tree(MAIN / "AndroidManifest.xml")
    assert not [e for e in root.iter() if e.tag.startswith("uses-permission")]
    exported = {e.get(f"{ANDROID}name") for e in root.iter() if e.get(f"{ANDROID}exported") == "true"}
    assert exported == {".MainActivity"}
    for component in root.iter():
        if component.tag in {"activity", "service", "receiver", "provider"}:
            assert component.get(f"{ANDROID}exported") in {"true", "false"}


def test_components_have_classes() -> None:
    classes = {path.stem for path in SOURCES}
    for component in tree(MAIN / "AndroidManifest.xml").iter():
        name = component.get(f"{ANDROID}name", "")
        if name.startswith("."):
            assert name[1:] in classes
    own = {view.tag for path in LAYOUTS for view in tree(path).iter() if "." in view.tag}
    assert own == {f"{PACKAGE}.CompareView"}
    assert "CompareView" in classes


def test_qualities_are_those_of_the_code() -> None:
    text = (MAIN / "java/dev/edgesr/demo/logic/Quality.java").read_text(encoding="utf-8")
    constants = re.findall(r"^    ([A-Z]+) \{", text, re.MULTILINE)
    array = next(e for e in tree(RES / "values/strings.xml") if e.get("name") == "qualities")
    assert [(item.text or "").upper() for item in array] == constants


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sources_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST


def test_gradle_builds_the_same_app() -> None:
    """Nobody runs Gradle here: at least what it says must agree."""
    text = (ROOT / "android_demo/app/build.gradle").read_text(encoding="utf-8")
    for line in (
        f"applicationId '{PACKAGE}'",
        f"minSdk {MIN_SDK}",
        f"targetSdk {TARGET_SDK}",
        f"versionCode {VERSION_CODE}",
        f"versionName '{__version__}'",
        *(f"${{prepared}}/{name}/assets" for name in FLAVOURS),
        *(
            f"applicationIdSuffix '{f.package.removeprefix(PACKAGE)}'"
            for f in FLAVOURS.values()
            if f.package != PACKAGE
        ),
    ):
        assert line in text, line
