"""Paints pictures on which int8 super-resolution is known to fail: screenshots, a night, a cartoon.

    python benchmarks/hard_pictures.py DIR

Each is what a photograph is not: hard edges of full contrast, saturated flats in which every error shows,
long gradients in the dark where a step of the grid becomes a band, highlights that clip. None is anybody
else's picture, and the same code gives the same pixels.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from drawing import HEIGHT, WIDTH, Sheet, rounded, strokes
from edgesr_calib_data.brushes import blur, cloud
from numpy.typing import NDArray
from PIL import Image
from screens import text, text_dark

from edgesr.evaluation.folder import Picture
from edgesr.evaluation.judge import Rgb

SEED = 2025

Light = NDArray[np.float64]
Rng = np.random.Generator

GAMMA = 2.2
KERB = 350  # row where the houses end and the wet street begins
LAMPLIGHT = 5.0  # of a lamp or a neon tube, where a sensor clips at 1
HALOS = ((1.5, 0.25), (6, 0.12), (18, 0.08), (60, 0.05))
"""Width and strength of what a lens and damp air make of a lamp."""


def night() -> Rgb:
    """A street after rain: neon signs, a taxi, lit windows, all of it again in the water."""
    rng = np.random.default_rng(SEED)
    walls, lamps = Sheet("#000108", "#2c2a54"), Sheet("#000000")
    skyline(rng, walls, lamps)
    house(rng, walls, 0, 70, 196, "#3a2422", "#e8a850")
    house(rng, walls, 478, 34, 170, "#1e2836", "#9cc4e8")
    bar(walls, lamps)
    hotel(walls, lamps)
    street_lamps(walls, lamps)
    taxi(walls, lamps)
    glare = LAMPLIGHT * linear(lamps)
    light = linear(walls) * (0.5 + 12 * halo(glare, 40)) + glare
    light += sum(strength * halo(glare, width) for width, strength in HALOS)
    light[KERB:] = wet(rng, light)
    grain = blur(rng.normal(0, 3, light.shape), 0.5)
    display = 255 * np.clip(light - 0.0012, 0, 1) ** (1 / GAMMA) + grain
    return np.round(np.clip(display, 0, 255)).astype(np.uint8)


def linear(sheet: Sheet) -> Light:
    return (np.asarray(sheet.picture(), float) / 255) ** GAMMA


def halo(light: Light, width: float) -> Light:
    """Gaussian blur; a wide one is made small, since nothing fine is left of it."""
    pool = 6 if width > 12 else 1
    small = light.reshape(HEIGHT // pool, pool, WIDTH // pool, pool, 3).mean((1, 3))
    planes = (Image.fromarray(plane) for plane in np.moveaxis(blur(small, width / pool), -1, 0).astype("f4"))
    large = (plane.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC) for plane in planes)
    return np.stack([np.asarray(plane, float) for plane in large], -1).clip(0)


def skyline(rng: Rng, walls: Sheet, lamps: Sheet) -> None:
    """Stars, a moon, and towers far away with small windows."""
    for x, y, size in rng.random((140, 3)) * (WIDTH, 240, 0.6):
        walls.disc(x, y, 0.3 + size, "#dfe6ff")
    lamps.disc(330, 62, 20, "#7c7a70")
    for x, y in ((322, 56), (336, 68), (334, 54), (323, 70)):
        lamps.disc(x, y, 4, "#6a6860")
    for left in range(190, 480, 29):
        top, wide = int(rng.integers(150, 270)), int(rng.integers(22, 40))
        walls.box(left, top, wide, KERB - top, "#0a0c1c")
        for x, y in np.argwhere(rng.random((wide // 5, (KERB - top) // 7)) < 0.35):
            tint = ("#ffd890", "#fff4d8", "#a8d0ff")[rng.integers(3)]
            walls.box(left + 2 + 5 * x, top + 4 + 7 * y, 2, 3, tint)


def house(rng: Rng, walls: Sheet, left: int, top: int, wide: int, wall: str, lamp: str) -> None:
    """A front with rows of windows, some lit."""
    walls.box(left, top, wide, KERB - top, wall)
    walls.box(left, top, wide, 6, "#0c0808")
    for y in range(top + 22, 230, 50):
        for x in range(left + 14, left + wide - 24, 38):
            lit = rng.random() < 0.4
            walls.box(x, y, 24, 34, "#080808")
            walls.box(x + 2, y + 2, 20, 30, lamp if lit else "#0c1220")
            if lit:
                walls.box(x + 2, y + 2, 20, int(rng.integers(2, 14)), "#7a4a20")
            walls.box(x + 11, y + 2, 2, 30, "#080808")
            walls.box(x + 2, y + 16, 20, 1, "#080808")


def bar(walls: Sheet, lamps: Sheet) -> None:
    """The left house's ground floor: a window, a door, and tubes in the shape of letters and a glass."""
    walls.box(0, 238, 196, 112, "#140c0c")
    walls.box(14, 284, 116, 54, "#ffb648")
    for x in range(22, 126, 13):
        walls.box(x, 300, 5, 26, ("#903010", "#205030", "#c08020")[x % 3])
        walls.box(x + 1, 293, 3, 8, "#502010")
    walls.box(14, 326, 116, 12, "#4a2408")
    walls.box(146, 282, 34, 68, "#ff8c30")
    walls.box(150, 290, 26, 56, "#2a1408")
    lamps.text(20, 260, "BAR", "#ff0a64", 44, rim=1)
    glass = "126,242 166,242 146,260 126,242 / 146,260 146,276 / 136,277 156,277 / 154,238 142,252"
    for line in strokes(glass):
        lamps.stroke(line, "#00d0ff", 2.5)
    lamps.disc(157, 236, 3, "#40ff30")


def hotel(walls: Sheet, lamps: Sheet) -> None:
    """An upright sign at the right house, and a smaller one beside it."""
    walls.box(474, 56, 40, 184, "#060606")
    for row, letter in enumerate("HOTEL"):
        lamps.text(494, 80 + 34 * row, letter, "#20ff50", 34, "mm", 1)
    for line in strokes("474,56 514,56 514,240 474,240 474,56"):
        lamps.stroke(line, "#ff5a00", 2)
    for line in strokes("560,262 636,262 636,300 560,300 560,262"):
        lamps.stroke(line, "#7a20ff", 2.5)
    lamps.text(598, 281, "24 h", "#ffe010", 26, "mm")


def taxi(walls: Sheet, lamps: Sheet) -> None:
    body = "273,334 277,322 306,316 324,298 374,296 396,315 424,320 431,334 426,342 400,344 304,344 278,342"
    walls.shape(rounded(body), "#b08000")
    for pane in strokes("313,317 328,302 346,302 346,317 / 351,317 351,302 371,302 387,317"):
        walls.shape(pane, "#10141c")
    for x in range(286, 420, 8):
        walls.box(x, 326 + x // 8 % 2 * 3, 8, 3, "#080808")
    for x in (304, 400):
        walls.disc(x, 338, 11, "#050505")
        walls.disc(x, 338, 5, "#707070")
    lamps.box(332, 285, 36, 12, "#ffd860", 3)
    lamps.text(350, 291, "TAXI", "#000000", 10, "mm")
    lamps.disc(428, 328, 4, "#ffffff")
    walls.box(273, 322, 7, 9, "#000000", 2)
    lamps.box(273, 322, 7, 9, "#ff0000", 2)


def street_lamps(walls: Sheet, lamps: Sheet) -> None:
    for x, side in ((236, 1), (456, -1)):
        walls.stroke([(x, KERB), (x, 150), (x + 8 * side, 140), (x + 26 * side, 138)], "#18181c", 4)
        lamps.box(x + 26 * side - 12, 138, 24, 9, "#ffe2b0", 4)
    walls.box(0, KERB - 6, WIDTH, 6, "#3c3a40")


def wet(rng: Rng, light: Light) -> Light:
    """The rows below the kerb: the scene upside down, drawn out by the ripples of a film of water."""
    depth = np.arange(HEIGHT - KERB)[:, None]
    columns = np.arange(WIDTH)
    total = np.zeros((HEIGHT - KERB, WIDTH, 3))
    copies = 16
    for _ in range(copies):
        ripple = cloud(rng, 1.6, 6)[: HEIGHT - KERB, :WIDTH]
        rows = KERB - 2 - 2.5 * depth + (2 + 0.3 * depth) * ripple
        across = columns + (0.5 + 0.02 * depth) * rng.standard_normal()
        total += light[np.clip(rows, 0, KERB - 2).astype(int), np.clip(across, 0, WIDTH - 1).astype(int)]
    puddles = np.clip(0.45 + 0.2 * cloud(rng, 3, 4), 0.12, 0.8)[: HEIGHT - KERB, :WIDTH, None]
    return blur(total / copies * puddles, 0.5)


INK = "#0a0a14"

LANDSCAPE = (
    ("-40,300 60,262 170,290 300,250 430,286 560,244 700,290 700,520 -40,520", "#00a84f"),
    ("-40,392 100,352 260,384 420,356 560,388 700,356 700,540 -40,540", "#7be000"),
    ("60,120 66,100 90,94 106,78 134,80 148,96 172,98 180,118 160,128 80,128", "#ffffff"),
    ("300,196 308,182 326,180 338,168 360,172 370,184 388,188 390,200 372,206 314,206", "#ffffff"),
)
CAT = (
    ("292,404 340,392 372,352 366,306 388,292 402,316 398,372 362,420 306,432", "#ff8a00"),
    ("204,288 250,276 296,288 326,360 322,436 250,446 178,436 174,360", "#ff8a00"),
    ("226,330 250,322 274,330 288,384 278,430 222,430 212,384", "#fff0d0"),
    ("182,436 186,420 206,414 226,420 228,438 206,444", "#fff0d0"),
    ("272,438 274,420 294,414 314,420 318,436 294,444", "#fff0d0"),
    ("168,228 160,190 158,142 168,136 204,164 228,186", "#ff8a00"),
    ("332,228 340,190 342,142 332,136 296,164 272,186", "#ff8a00"),
    ("174,198 170,164 174,160 200,180", "#ff6fae"),
    ("326,198 330,164 326,160 300,180", "#ff6fae"),
    ("154,232 170,188 210,168 290,168 330,188 346,232 326,276 290,298 250,304 210,298 174,276", "#ff8a00"),
    ("250,258 282,250 300,268 286,290 250,296 214,290 200,268 218,250", "#fff0d0"),
    ("236,248 250,244 264,248 250,262", "#ff2d6f"),
    ("190,300 250,314 310,300 312,312 250,328 188,312", "#e60026"),
)
"""Outlines and fills, from the back to the front."""

CAT_STRIPES = """
250,170 250,192 / 232,172 235,188 / 268,172 265,188 / 182,350 198,356 / 180,374 198,378
/ 318,350 302,356 / 320,374 302,378 / 388,340 400,344 / 374,380 386,392
"""
WHISKERS = """
206,266 146,256 / 206,274 148,280 / 294,266 354,256 / 294,274 352,280
/ 250,262 250,272 236,280 224,276 / 250,272 264,280 276,276
"""


def cartoon() -> Rgb:
    """A panel of a comic: a cat before hills, dots of print, a bubble and a bang."""
    sheet = Sheet("#0038ff", "#f4ffff")
    sun_and_dots(sheet)
    for outline, fill in LANDSCAPE:
        sheet.shape(rounded(outline), fill, INK, 3)
    cottage(sheet)
    cat(sheet)
    bubble(sheet)
    bang(sheet, 548, 396)
    panel(sheet)
    return np.array(sheet.picture())


def sun_and_dots(sheet: Sheet) -> None:
    """A sun with rays; over the sky, dots in rows that shrink downwards as in cheap print."""
    for row in range(28):
        for column in range(66):
            sheet.disc(10 * column + 5 * (row % 2), 8 * row, 4.2 - 0.14 * row, "#0018b8")
    for ray in np.arange(16) * np.pi / 8:
        tips = ((150, ray), (205, ray + 0.1), (205, ray - 0.1))
        sheet.shape([(250 + r * np.cos(a), 250 + r * np.sin(a)) for r, a in tips], "#ffe600")
    sheet.disc(250, 250, 140, "#ffe600", INK, 4)


def cottage(sheet: Sheet) -> None:
    for path, fill in (
        ("452,286 452,352 568,352 568,286 510,240", "#ffe9c0"),
        ("536,262 536,222 554,222 554,276", "#b03a1a"),
        ("436,296 510,232 584,296 574,304 510,250 446,304", "#e60026"),
        ("496,352 496,312 524,312 524,352", "#0060d0"),
        ("464,304 464,330 484,330 484,304", "#80f0ff"),
        ("536,304 536,330 556,330 556,304", "#80f0ff"),
    ):
        sheet.shape(strokes(path)[0], fill, INK, 3)
    for line in strokes("474,304 474,330 / 464,317 484,317 / 546,304 546,330 / 536,317 556,317"):
        sheet.stroke(line, INK, 2)


def cat(sheet: Sheet) -> None:
    for outline, fill in CAT:
        sheet.shape(rounded(outline), fill, INK, 4)
    for line in strokes(CAT_STRIPES):
        sheet.stroke(line, "#a83c00", 6)
    for x in (216, 284):
        sheet.disc(x, 226, 24, "#ffffff", INK, 4)
        sheet.disc(x + 6, 224, 13, "#00c060", INK, 2)
        sheet.disc(x + 7, 224, 8, INK)
        sheet.disc(x + 10, 219, 4, "#ffffff")
    for line in strokes(WHISKERS):
        sheet.stroke(line, INK, 2.5)
    sheet.disc(250, 328, 10, "#ffe600", INK, 3)
    sheet.stroke([(250, 328), (250, 334)], INK, 2.5)


def bubble(sheet: Sheet) -> None:
    """Letters in a balloon; its tail opens into it."""
    (tail,) = strokes("420,112 360,202 472,124")
    sheet.shape(tail, INK, INK, 8)
    balloon = "380,84 400,46 500,26 600,46 622,84 600,124 500,144 400,124"
    sheet.shape(rounded(balloon), "#ffffff", INK, 4)
    sheet.shape(tail, "#ffffff")
    for row, words in enumerate(("HEY! WHO ATE", "ALL MY PIXELS?!")):
        sheet.text(500, 70 + 30 * row, words, INK, 24, "mm", 1)


def bang(sheet: Sheet, x: float, y: float) -> None:
    """A star with letters in it."""
    for size, fill in ((1, "#ff0000"), (0.74, "#ffe600")):
        tips = ((size * (60, 92)[spike % 2], np.pi * spike / 14) for spike in range(28))
        star = [(x + r * np.cos(a), y + 0.7 * r * np.sin(a)) for r, a in tips]
        sheet.shape(star, fill, INK, 3)
    sheet.text(x, y, "POP!", "#00e5ff", 44, "mm", 4, INK)


def panel(sheet: Sheet) -> None:
    """White gutters, a black frame, and a caption in its corner."""
    for x, y, w, h in ((0, 0, WIDTH, 10), (0, 470, WIDTH, 10), (0, 0, 10, HEIGHT), (638, 0, 10, HEIGHT)):
        sheet.box(x, y, w, h, "#ffffff")
    for x, y, w, h in ((8, 8, 632, 4), (8, 468, 632, 4), (8, 8, 4, 464), (636, 8, 4, 464)):
        sheet.box(x, y, w, h, INK)
    sheet.box(8, 8, 214, 40, INK)
    sheet.box(12, 12, 206, 32, "#ffe600")
    sheet.text(115, 28, "Meanwhile, on the hill...", INK, 17, "mm")


PICTURES: dict[str, Callable[[], Rgb]] = {
    "text": text,
    "text_dark": text_dark,
    "night": night,
    "cartoon": cartoon,
}


def paint() -> tuple[Picture, ...]:
    return tuple(Picture(f"{name}.png", picture()) for name, picture in PICTURES.items())


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for picture in paint():
        Image.fromarray(picture.rgb).save(folder / picture.name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
