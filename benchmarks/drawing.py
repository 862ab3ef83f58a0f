"""What the hard pictures are drawn with: a sheet for shapes and letters, and paths as short strings."""

import re
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 648, 480
"""Divisible by 12, so that scales 2, 3 and 4 crop nothing."""

OVER = 4

Point = tuple[float, float]
font = ImageFont.load_default


class Sheet:
    """Shapes in pixels of the final picture, painted larger: whole pixels stay crisp, the rest is soft."""

    def __init__(self, top: str, bottom: str = "") -> None:
        """A ground of one colour, or one that fades down to another."""
        size = (WIDTH * OVER, HEIGHT * OVER)
        self.image = Image.new("RGB", size, top)
        self.image.paste(bottom or top, (0, 0), Image.linear_gradient("L").resize(size))
        self.draw = ImageDraw.Draw(self.image)
        self.letters: list[Callable[[ImageDraw.ImageDraw], None]] = []

    def box(
        self, x: float, y: float, w: float, h: float, fill: str, radius: float = 0, rim: str = ""
    ) -> None:
        """A rectangle; a rim is one pixel wide and lies inside."""
        if rim:
            self.box(x, y, w, h, rim, radius)
            x, y, w, h, radius = x + 1, y + 1, w - 2, h - 2, max(radius - 1, 0)
        corners = (x * OVER, y * OVER, (x + w) * OVER - 1, (y + h) * OVER - 1)
        self.draw.rounded_rectangle(corners, radius * OVER, fill)

    def disc(self, x: float, y: float, radius: float, fill: str, ink: str = "", width: float = 0) -> None:
        if ink:
            self.disc(x, y, radius + width / 2, ink)
        self.draw.circle((x * OVER, y * OVER), (radius - width / 2) * OVER, fill)

    def stroke(self, line: list[Point], fill: str, width: float) -> None:
        """A line with round corners and ends."""
        self.draw.line([(x * OVER, y * OVER) for x, y in line], fill, round(width * OVER), "curve")
        for x, y in (line[0], line[-1]):
            self.disc(x, y, width / 2, fill)

    def shape(self, outline: list[Point], fill: str, ink: str = "", width: float = 0) -> None:
        """A polygon, with an outline if there is ink for it."""
        self.draw.polygon([(x * OVER, y * OVER) for x, y in outline], fill)
        if ink:
            self.stroke([*outline, *outline[:2]], ink, width)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        fill: str,
        size: int = 12,
        at: str = "lm",
        rim: int = 0,
        ink: str = "",
    ) -> None:
        """Words above all shapes, in the final size as a desktop draws them; a rim makes them fat."""
        face = font(size)
        self.letters.append(
            lambda draw: draw.text((x, y), words, fill, face, at, stroke_width=rim, stroke_fill=ink or fill)
        )

    def picture(self) -> Image.Image:
        picture = self.image.reduce(OVER)
        for write in self.letters:
            write(ImageDraw.Draw(picture))
        return picture


def strokes(path: str) -> list[list[Point]]:
    """The strokes written as "x,y x,y / x,y x,y"."""
    numbers = [[float(n) for n in re.findall(r"-?[\d.]+", stroke)] for stroke in path.split("/")]
    return [list(zip(line[::2], line[1::2], strict=True)) for line in numbers]


def rounded(path: str) -> list[Point]:
    """The closed Catmull-Rom curve through the points of one stroke."""
    here = np.array(strokes(path)[0])[:, None]
    before, after, beyond = (np.roll(here, shift, 0) for shift in (1, -1, -2))
    t = np.linspace(0, 1, 16, endpoint=False)[None, :, None]
    bend = 2 * before - 5 * here + 4 * after - beyond + t * (3 * (here - after) + beyond - before)
    curve = here + t / 2 * (after - before + t * bend)
    return [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]
