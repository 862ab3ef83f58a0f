"""Paints the calibration set that ships with edgesr: 32 pictures of 384x384 that nobody photographed.

Quantization needs activation ranges, and ranges follow the statistics of pictures. Three quarters of the
set imitate photographs (dead leaves, landscapes, facades, shallow focus, night); the rest are what a
phone also meets: print, charts to the finest line, clouds, ramps and saturated colour. Everything is
drawn from one seed.

    python calib_data/recipe.py
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from brushes import (
    OVERSAMPLING,
    WIDE,
    WITHIN_PICTURE,
    Canvas,
    Leaves,
    Palette,
    Rng,
    blur,
    cloud,
    develop,
    grid,
    lights,
    palette,
    ramp,
    rgb,
    ridge,
    write_lines,
)
from numpy.typing import NDArray
from PIL import Image

SEED = 2024
SKIES = (
    ((70.0, 120.0, 190.0), (215.0, 220.0, 225.0)),
    ((60.0, 70.0, 120.0), (250.0, 170.0, 90.0)),
    ((150.0, 155.0, 165.0), (200.0, 200.0, 195.0)),
)
"""Colours overhead and at the horizon: a clear day, an evening, an overcast one."""

WHITE, BLACK = np.full(3, 255.0), np.zeros(3)

Scene = Callable[[Rng, float], Canvas]
"""Paints one canvas; the second argument runs from 0 (smooth) to 1 (busy) over the pictures of a scene."""


def blank(colour: NDArray[np.float64]) -> Canvas:
    return np.tile(colour, (WIDE, WIDE, 1))


def lit(rng: Rng, canvas: Canvas, strength: float = 0.15) -> Canvas:
    """Uneven light: broad shadows and a darker rim."""
    x, y = grid()
    rim = 1 - 0.35 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return canvas * (rim * np.exp(strength * cloud(rng, 3.5)))[..., None]


def leaves(rng: Rng, busy: float) -> Canvas:
    colours = palette(rng, 0.75 + 0.35 * busy)
    canvas = blank(colours.draw(rng, 1)[0])
    layer = Leaves(26 * 0.17**busy, 360, exponent=2.6, texture=0.03 + 0.06 * busy)
    layer.paint(rng, canvas, colours)
    return blur(lit(rng, canvas), 1.1 - 0.8 * busy)


def landscape(rng: Rng, busy: float) -> Canvas:
    """Sky, hills that fade with distance, and foliage in front."""
    _, y = grid()
    zenith, horizon = SKIES[rng.integers(len(SKIES))]
    sky = ramp(np.array(zenith), np.array(horizon), 1.6 * y + 0.1 * cloud(rng, 3))
    canvas = ramp(sky, WHITE * 0.95, np.clip(0.6 * cloud(rng, 2.8, 2), 0, 1))
    ground = Palette((rng.uniform(70, 115), 35, 20), 0.8)
    for height in (0.45, 0.6, 0.75):
        below = ridge(rng, height, 0.05) > 0
        hill = ground.draw(rng, 1)[0] * (1 + 0.15 * cloud(rng, 1.8))[..., None]
        haze = 1.2 * (0.85 - height)
        canvas[below] = (hill + haze * (sky - hill))[below]
    coarse = 1 - busy
    foliage = Leaves(4 + 9 * coarse, 70 + 60 * coarse, texture=0.1, coverage=5, angular=0.05)
    foliage.paint(rng, canvas, ground, ridge(rng, 0.72 - 0.25 * busy, 0.08))
    return blur(lit(rng, canvas, 0.08), 0.5)


def shallow_focus(rng: Rng, busy: float) -> Canvas:
    """A sharp subject before a background far out of focus."""
    colours = palette(rng)
    canvas = blank(colours.draw(rng, 1)[0])
    Leaves(30, 260, texture=0.02).paint(rng, canvas, colours)
    canvas = lit(rng, blur(canvas, 12 - 6 * busy))
    x, y = grid()
    distance = np.hypot(x - rng.uniform(0.4, 0.6), 0.7 * (y - 0.65))
    subject = 0.26 + 0.12 * busy - distance + 0.015 * cloud(rng, 3)
    front, pattern = palette(rng), canvas.copy()
    Leaves(9 - 4 * busy, 200, texture=0.08, coverage=5).paint(rng, pattern, front)
    shade = 0.55 + 2 * np.clip(subject, 0, 0.3)
    canvas = np.where((subject > 0)[..., None], pattern * shade[..., None], canvas)
    return blur(canvas, 0.5)


def facade(rng: Rng, busy: float) -> Canvas:
    """A wall of windows in perspective under a plain sky."""
    x, y = grid()
    wall, glass, frame, sky = palette(rng, 0.7).draw(rng, 4)
    nearness = 1 / (0.55 + rng.uniform(0.4, 0.9) * x)
    column = (10 + 12 * busy) * nearness
    row = (5 + 7 * busy) * ((y - 0.5) * nearness + 0.8)
    across, down = abs(column % 1 - 0.5), abs(row % 1 - 0.5)
    courses = 6 * row
    mortar = (courses % 1 < 0.15) | ((4 * column + 0.5 * np.floor(courses)) % 1 < 0.1)
    canvas = wall * (1 + 0.08 * cloud(rng, 1.4) - 0.15 * mortar)[..., None]
    canvas = np.where(((across < 0.33) & (down < 0.36))[..., None], frame, canvas)
    reflection = 1 + 0.35 * np.sin(37.7 * np.floor(column) + 91.3 * np.floor(row)) + 0.2 * cloud(rng, 2.8)
    pane = (across < 0.28) & (down < 0.31) & (across > 0.02)
    canvas = np.where(pane[..., None], glass * reflection[..., None], canvas)
    above_roof = (y - 0.5) * nearness < -0.45
    canvas = np.where(above_roof[..., None], ramp(sky, WHITE * 0.9, 2 * y), canvas)
    return blur(lit(rng, canvas), 0.4)[:, :: rng.choice((-1, 1))]


def night(rng: Rng, busy: float) -> Canvas:
    street = facade(rng, busy) if busy > 0.5 else leaves(rng, busy)
    canvas = street * np.array([0.16, 0.17, 0.22])
    lights(rng, canvas, int(12 + 25 * busy), 0.15)
    return blur(canvas, 0.8)


def fibres(rng: Rng, busy: float) -> Canvas:
    """From waves to fur: one drawn-out surface, lit from one side."""
    angle = rng.uniform(-0.4, 0.4)
    height = cloud(rng, 2.6 - 1.1 * busy, 5 + 5 * busy, angle) + 0.5 * cloud(rng, 3)
    middle = np.array(palette(rng).mean)
    low, high = rgb(np.stack([middle * (0.35, 0.6, 0.8), middle * (1.9, 0.6, 1)]))
    return blur(ramp(low, high, 0.5 + 0.25 * height), 0.6)


def page(rng: Rng, busy: float) -> Canvas:
    """Print in several sizes, black on white and white on black, with rules and a picture."""
    canvas = blank(WHITE)
    dark, half = int(WIDE * 0.62), WIDE // 2
    canvas[dark:] = BLACK if busy < 0.5 else np.array([190.0, 20, 30])
    sizes = (56, 30, 22) if busy < 0.5 else (90, 44, 26)
    write_lines(rng, canvas, BLACK, (24, 16, WIDE - 24, 16 + int(1.4 * sizes[0])), sizes[0])
    write_lines(rng, canvas, BLACK, (24, 140, half, dark - 16), sizes[2])
    write_lines(rng, canvas, WHITE, (24, dark + 24, WIDE - 24, WIDE - 16), sizes[1])
    canvas[150 : dark - 30, half + 30 : WIDE - 40] = leaves(rng, busy)[150 : dark - 30, half + 30 : WIDE - 40]
    canvas[dark - 12 : dark - 8] = BLACK
    return canvas


def chart(rng: Rng, busy: float) -> Canvas:
    """Sixteen tiles of gratings and checkerboards, the finest alternating from pixel to pixel.

    Contrast falls with frequency as a lens makes it fall: activations at a hard checkerboard of one pixel
    are many times those of any photograph, and would set every range.
    """
    x, y = (np.floor(axis * WIDE / OVERSAMPLING) for axis in grid())
    canvas = blank(WHITE / 2)
    side = WIDE // 4
    for tile in range(16):
        rows, columns = (slice(i * side, (i + 1) * side) for i in divmod(tile, 4))
        square = 1 + tile // 3
        period, angle = 2 * 10 ** (tile / 15), np.pi * (3 * tile % 8) / 8
        checks = np.sign((x // square + y // square) % 2 - 0.5)
        waves = np.sin(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))
        pattern, contrast = (checks, square / 12) if tile % 3 == 0 else (waves, period / 24)
        low, high = (BLACK, WHITE) if tile % 2 else palette(rng, 1.3).draw(rng, 2)
        canvas[rows, columns] = ramp(low, high, 0.5 + 0.5 * contrast * pattern[rows, columns])
    return canvas


def clouds(rng: Rng, busy: float) -> Canvas:
    """Noise with the spectrum of photographs and no edge at all."""
    planes = np.stack([cloud(rng, 2.6) for _ in range(3)], -1)
    return rgb(np.array(palette(rng).mean) + planes * WITHIN_PICTURE)


def patches(rng: Rng, busy: float) -> Canvas:
    """Flat and graded fields: the directions of the colour cube's corners, as saturated as paint."""
    x, y = grid()
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], float)
    corners = (corners + corners.mean(1, keepdims=True)) / 2
    canvas = ramp(BLACK, WHITE, x)
    for field in range(8):
        here = (np.floor(4 * x) + 4 * np.floor(2 * y) == field) & (abs((2 * y) % 1 - 0.5) < 0.35)
        graded = ramp(corners[field], corners[7 - field], 2 * y % 1)
        canvas[here] = corners[field] if field % 2 else graded[here]
    return canvas


SCENES: tuple[tuple[str, Scene, int], ...] = (
    ("leaves", leaves, 12),
    ("landscape", landscape, 4),
    ("shallow_focus", shallow_focus, 4),
    ("facade", facade, 3),
    ("night", night, 2),
    ("fibres", fibres, 2),
    ("page", page, 2),
    ("chart", chart, 1),
    ("clouds", clouds, 1),
    ("patches", patches, 1),
)


def plan() -> list[tuple[str, Callable[[], Image.Image]]]:
    """(file name, how to paint it) of every picture of the set."""
    scenes = [(name, scene, i / max(count - 1, 1)) for name, scene, count in SCENES for i in range(count)]
    return [
        (f"{index:02d}_{name}.png", partial(paint, scene, index, busy))
        for index, (name, scene, busy) in enumerate(scenes)
    ]


def paint(scene: Scene, index: int, busy: float) -> Image.Image:
    return develop(scene(np.random.default_rng((SEED, index)), busy))


def main(folder: Path) -> None:
    for name, picture in plan():
        picture().save(folder / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
