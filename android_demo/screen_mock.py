"""Draws the main screen without Android: `python android_demo/screen_mock.py PROGRAM PICTURE OUT.png`.

A mock, and marked as one: there is no Android system to take a screenshot of where this project is built. It
reads the app's own layout, strings, colours and dimensions, lays them out as a LinearLayout does, and shows
what a program makes of a picture; how the widgets themselves look is redrawn here by hand. Day to the left,
night to the right.
"""

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from edgesr_runtime import open_program, upscale
from edgesr_runtime.pictures import load_rgb

RES = Path(__file__).parent / "app/src/main/res"
ANDROID = "{http://schemas.android.com/apk/res/android}"
DENSITY = 1.5
WIDTH, HEIGHT = 320, 620
BAR, STATUS, ROW, PROGRESS = 56, 24, 48, 16
SCREEN = {
    "message": "1,240 ms for 0.9 MP, 0.8 MP/s\nTiles: network 20\nMemory at its peak: 142 MiB",
    "scale": "x4, plain_x4",
    "quality": "Auto",
}
"""Texts that are not in the resources: what a run might say. The figures are made up."""
HIDDEN = {"cancel", "progress"}
View = ElementTree.Element


def values(folder: str) -> dict[str, str]:
    """Names of strings, colours and dimensions -> what they stand for."""
    files = [*sorted((RES / "values").glob("*.xml")), *sorted((RES / folder).glob("*.xml"))]
    return {e.get("name", ""): e.text or "" for path in files for e in ElementTree.parse(path).getroot()}


def layout(name: str) -> View:
    return ElementTree.parse(RES / f"layout/{name}.xml").getroot()


@dataclass(frozen=True)
class Screen:
    """Draws one theme of the app onto an image."""

    table: dict[str, str]
    dark: bool
    draw: ImageDraw.ImageDraw
    image: Image.Image
    before: Image.Image
    after: Image.Image

    def resolved(self, view: View, name: str, default: str = "") -> str:
        value = view.get(f"{ANDROID}{name}", default)
        return self.table[value.partition("/")[2]] if value.startswith("@") else value

    def length(self, view: View, name: str) -> float:
        return float(self.resolved(view, name, "0").removesuffix("dp").removesuffix("sp") or 0)

    def ident(self, view: View) -> str:
        return view.get(f"{ANDROID}id", "").rpartition("/")[2]

    @property
    def ink(self) -> str:
        return "#FFFFFF" if self.dark else "#1A1C1D"

    def children(self, view: View) -> list[View]:
        found = [layout(e.get("layout", "").rpartition("/")[2]) if e.tag == "include" else e for e in view]
        return [e for e in found if e.get(f"{ANDROID}visibility") != "gone"]

    def height(self, view: View) -> float:
        """In dp, of what wraps its content; margins included."""
        own: float = {"Button": ROW, "Spinner": ROW, "ProgressBar": PROGRESS, "TextView": 60}.get(view.tag, 0)
        own = max(own, self.length(view, "minHeight"))
        if view.tag == "LinearLayout":
            parts = [self.height(child) for child in self.children(view)]
            vertical = view.get(f"{ANDROID}orientation") == "vertical"
            own = (sum(parts) if vertical else max(parts)) + 2 * self.length(view, "padding")
        return own + self.length(view, "layout_marginTop")

    def place(self, view: View, x: float, y: float, width: float, height: float) -> None:
        """Draws a view and what is in it; lengths in dp."""
        top = self.length(view, "layout_marginTop")
        y, height = y + top, height - top
        if view.tag != "LinearLayout":
            self.paint(view, x, y, width, height)
            return
        inset = self.length(view, "padding")
        children = self.children(view)
        if view.get(f"{ANDROID}orientation") == "vertical":
            rest = height - 2 * inset - sum(self.height(c) for c in children if not self.weight(c))
            at = y + inset
            for child in children:
                room = rest if self.weight(child) else self.height(child)
                self.place(child, x + inset, at, width - 2 * inset, room)
                at += room
        else:
            share = width / len(children)
            for index, child in enumerate(children):
                self.place(child, x + index * share, y, share, height)

    def weight(self, view: View) -> float:
        return float(view.get(f"{ANDROID}layout_weight", "0"))

    def paint(self, view: View, x: float, y: float, width: float, height: float) -> None:
        name = self.ident(view)
        if name in HIDDEN:
            return
        if name == "pictures":
            self.pictures(x, y, width, height)
        elif view.tag == "Button":
            self.button(view, x, y, width, height)
        elif view.tag == "Spinner":
            self.text(x + 8, y + height / 2, SCREEN[name], self.ink, "lm")
            self.arrow(x + width - 16, y + height / 2)
        else:
            self.text(x, y + 2, SCREEN[name], self.ink, "la")

    def button(self, view: View, x: float, y: float, width: float, height: float) -> None:
        filled = "Button.Colored" in view.get("style", "")
        colour = self.table["accent"]
        if filled:
            self.box(x + 4, y + 6, width - 8, height - 12, colour, 2)
            colour = "#000000" if self.dark else "#FFFFFF"
        words = self.resolved(view, "text").upper().split(" A ")
        lines = "\n".join(words) if len(words) == 1 else f"{words[0]}\nA {words[1]}"
        self.text(x + width / 2, y + height / 2, lines, colour, "mm", 12)

    def pictures(self, x: float, y: float, width: float, height: float) -> None:
        self.box(x, y, width, height, self.table["behind_pictures"])
        size = (round(width * DENSITY), round(height * DENSITY))
        corner = (round(x * DENSITY), round(y * DENSITY))
        half = size[0] // 2
        self.image.paste(self.after.crop((0, 0, *size)), corner)
        self.image.paste(self.before.crop((0, 0, half, size[1])), corner)
        middle = x + width / 2
        line = float(self.table["divider_thickness"].removesuffix("dp"))
        knob = float(self.table["divider_knob"].removesuffix("dp"))
        self.box(middle - line / 2, y, line, height, self.table["divider"])
        self.box(middle - knob / 2, y + height / 2 - knob / 2, knob, knob, self.table["divider"], knob / 2)

    def arrow(self, x: float, y: float) -> None:
        """Of a list that opens."""
        corners = [(x - 4, y - 2), (x + 4, y - 2), (x, y + 3)]
        self.draw.polygon([(a * DENSITY, b * DENSITY) for a, b in corners], self.ink)

    def box(self, x: float, y: float, width: float, height: float, colour: str, radius: float = 0) -> None:
        corners = [value * DENSITY for value in (x, y, x + width, y + height)]
        self.draw.rounded_rectangle(corners, radius * DENSITY, fill=colour)

    def text(self, x: float, y: float, words: str, colour: str, anchor: str, size: float = 14) -> None:
        font = ImageFont.load_default(size * DENSITY)
        if "\n" in words and anchor == "la":
            self.draw.multiline_text((x * DENSITY, y * DENSITY), words, colour, font, spacing=6)
        elif "\n" in words:
            place = (x * DENSITY, y * DENSITY)
            self.draw.multiline_text(place, words, colour, font, anchor, align="center")
        else:
            self.draw.text((x * DENSITY, y * DENSITY), words, colour, font, anchor)

    def all(self) -> None:
        self.box(0, 0, WIDTH, HEIGHT, self.table["ground"])
        self.box(0, 0, WIDTH, STATUS, self.table["bar_dark"])
        self.box(0, STATUS, WIDTH, BAR, self.table["bar"])
        self.text(16, STATUS + BAR / 2, self.table["app_name"], "#FFFFFF", "lm", 20)
        self.text(WIDTH - 16, STATUS + BAR / 2, self.table["bench_title"].upper(), "#FFFFFF", "rm")
        self.place(layout("main"), 0, STATUS + BAR, WIDTH, HEIGHT - STATUS - BAR)


def render(program: Path, picture: Path, output: Path) -> None:
    small = load_rgb(picture)
    large = upscale(open_program(program), small)
    after = Image.fromarray(large)
    before = Image.fromarray(small).resize(after.size, Image.Resampling.BILINEAR)  # as a view draws it
    size = (round(WIDTH * DENSITY), round(HEIGHT * DENSITY))
    both = Image.new("RGB", (2 * size[0] + 12, size[1] + 36), "#FFFFFF")
    for index, folder in enumerate(("values", "values-night")):
        image = Image.new("RGB", size)
        Screen(values(folder), index == 1, ImageDraw.Draw(image), image, before, after).all()
        both.paste(image, (index * (size[0] + 12), 0))
    note = "A mock, drawn from the app's layout, strings and colours; no screenshot. The figures are made up."
    ImageDraw.Draw(both).text((4, size[1] + 8), note, "#000000", ImageFont.load_default(18))
    both.quantize(256, dither=Image.Dither.NONE).save(output, optimize=True)


if __name__ == "__main__":
    render(*map(Path, sys.argv[1:4]))
