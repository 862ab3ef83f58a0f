"""What the scenes of the calibration set are painted with: noise, colour, leaves, lenses and letters.

A canvas is a float array (side, side, 3) of display values 0..255, painted at twice the final size and
reduced at the end, so that every edge is as soft as a lens and a sensor make it. The statistics follow
photographs: 1/f noise, leaves with areas of a power law (Lee, Mumford and Huang, IJCV 2001), colours with
the spread of photographs along luminance, red-blue and green-magenta.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Canvas = NDArray[np.float64]
Plane = NDArray[np.float64]
Rng = np.random.Generator

SIDE = 384
OVERSAMPLING = 2
WIDE = SIDE * OVERSAMPLING

MEAN_COLOUR = (112.0, 25.0, 9.0)
BETWEEN_PICTURES = (26.0, 39.0, 14.0)
WITHIN_PICTURE = (50.0, 30.0, 12.0)
"""Luminance, R-B and G-(R+B)/2 of photographs: mean, spread of picture means, spread inside a picture."""

VIVID_SHARE = 0.15
"""Flowers, clothes and paint: a few things in a picture are far more colourful than the rest."""


def cloud(rng: Rng, slope: float, stretch: float = 1, angle: float = 0) -> Plane:
    """Periodic noise of deviation 1, power ~ frequency**-slope, drawn out `stretch` times along `angle`."""
    fy, fx = np.meshgrid(np.fft.fftfreq(WIDE), np.fft.fftfreq(WIDE), indexing="ij")
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = fy * np.cos(angle) - fx * np.sin(angle)
    frequency = np.hypot(along * stretch, across)
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.standard_normal((WIDE, WIDE))) * frequency ** (-slope / 2)
    noise = np.fft.ifft2(spectrum).real
    return noise / noise.std()


def blur(canvas: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian over the first two axes, edges repeated."""
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-6)) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(radius, radius) if a == axis else (0, 0) for a in range(canvas.ndim)]
        padded = np.pad(canvas, pad, mode="edge")
        span = canvas.shape[axis]
        canvas = sum(w * np.take(padded, range(i, i + span), axis) for i, w in enumerate(kernel))
    return canvas


def grid() -> tuple[Plane, Plane]:
    """Coordinates (x, y) of the canvas, 0..1 from the left and from the top."""
    x = np.broadcast_to((np.arange(WIDE) + 0.5) / WIDE, (WIDE, WIDE))
    return x, x.T


def ramp(first: Canvas, second: Canvas, position: Plane) -> Canvas:
    """Colour `first` where position is 0 to `second` where it is 1."""
    return first + np.clip(position, 0, 1)[..., None] * (second - first)


def rgb(opponent: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) luminance, R-B, G-(R+B)/2 -> R, G, B inside the display's range."""
    luminance, red_blue, green = np.moveaxis(opponent, -1, 0)
    middle = luminance - green / 3
    return np.clip(np.stack([middle + red_blue / 2, middle + green, middle - red_blue / 2], -1), 0, 255)


@dataclass(frozen=True)
class Palette:
    """The colours of one picture: spread around its own mean."""

    mean: tuple[float, float, float]
    spread: float = 1

    def draw(self, rng: Rng, count: int) -> NDArray[np.float64]:
        """(count, 3) colours; dark ones are less colourful, as under one light they must be."""
        deviation = rng.standard_normal((count, 3)) * WITHIN_PICTURE * self.spread
        # Flat in luminance rather than normal: photographs reach black and white more often.
        deviation[:, 0] = rng.uniform(-1.7, 1.7, count) * WITHIN_PICTURE[0] * self.spread
        deviation[:, 1:] *= np.where(rng.random((count, 1)) < VIVID_SHARE, 2.5, 1)
        colours = np.array(self.mean) + deviation
        colours[:, 1:] *= np.clip(colours[:, :1] / self.mean[0], 0.2, 1.3)
        return rgb(colours)


def palette(rng: Rng, spread: float = 1) -> Palette:
    mean = np.array(MEAN_COLOUR) + rng.standard_normal(3).clip(-1.5, 1.5) * BETWEEN_PICTURES
    return Palette((float(mean[0]), float(mean[1]), float(mean[2])), spread)


@cache
def grains() -> tuple[Plane, ...]:
    """Surfaces of leaves: soft, rough, and drawn out in two directions."""
    rng = np.random.default_rng(0)
    return (cloud(rng, 2.4), cloud(rng, 1.3), cloud(rng, 1.7, 8, 0.4), cloud(rng, 1.7, 8, 1.9))


@dataclass(frozen=True)
class Leaves:
    """A layer of overlapping shapes, the dead-leaves model of a photograph.

    Attributes:
        smallest, largest: radii in canvas pixels; in between, areas follow `radius**-exponent`.
        texture: median relative contrast of the surfaces.
        coverage: painted area over canvas area; from about 4 on nothing of the ground is left.
        angular: share of boxes among rounder shapes.
    """

    smallest: float
    largest: float
    exponent: float = 3
    texture: float = 0.05
    coverage: float = 4
    angular: float = 0.3

    def radii(self, rng: Rng) -> NDArray[np.float64]:
        power = 1 - self.exponent
        low, high = self.smallest**power, self.largest**power
        draws = (low + rng.random(40_000) * (high - low)) ** (1 / power)
        enough = np.searchsorted(np.cumsum(2.5 * draws**2), self.coverage * WIDE**2) + 1
        return draws[:enough]

    def paint(self, rng: Rng, canvas: Canvas, colours: Palette, area: Plane | None = None) -> None:
        """Paints over `canvas` in place; with `area`, only leaves at whose centre it is positive."""
        radii = self.radii(rng)
        for radius, colour in zip(radii, colours.draw(rng, len(radii)), strict=True):
            x, y = rng.uniform(-radius / 2, WIDE + radius / 2, 2)
            grain = grains()[rng.integers(len(grains()))]
            contrast = self.texture * np.exp(0.7 * rng.standard_normal())
            tilt = rng.normal(0, 0.25, 2)
            column, row = (int(np.clip(c, 0, WIDE - 1)) for c in (x, y))
            if area is None or area[row, column] > 0:
                rows, columns, inside, u, v = leaf(rng, radius, x, y, rng.random() < self.angular)
                light = 1 + contrast * grain[rows, columns] + tilt[0] * u + tilt[1] * v
                canvas[rows, columns][inside] = light[inside, None] * colour


Shape = tuple[slice, slice, NDArray[np.bool_], Plane, Plane]


def leaf(rng: Rng, radius: float, x: float, y: float, box: bool) -> Shape:
    """Rows and columns of the canvas, which of them are inside, and coordinates -1..1 in the leaf."""
    reach = 1.6 * radius
    rows, columns = (slice(*np.clip((int(c - reach), int(c + reach) + 2), 0, WIDE)) for c in (y, x))
    dy, dx = np.ogrid[rows, columns]
    angle, aspect = rng.uniform(0, np.pi), rng.uniform(0.45, 1)
    u = ((dx - x) * np.cos(angle) + (dy - y) * np.sin(angle)) / radius
    v = ((dy - y) * np.cos(angle) - (dx - x) * np.sin(angle)) / (radius * aspect)
    lobes, depth = rng.integers(2, 7), rng.uniform(0, 0.25)
    if box:
        return rows, columns, np.maximum(abs(u), abs(v)) < 0.9, u, v
    theta = np.arctan2(v, u)
    outline = 1 + depth * np.cos(lobes * theta) + depth / 2 * np.cos((2 * lobes + 1) * theta)
    return rows, columns, np.hypot(u, v) < outline, u, v


def ridge(rng: Rng, height: float, roughness: float) -> Plane:
    """Positive below a random skyline at `height` (0 top, 1 bottom)."""
    frequencies = np.arange(1, WIDE // 2)
    phases = rng.uniform(0, 2 * np.pi, len(frequencies))
    x, y = grid()
    waves = np.cos(2 * np.pi * frequencies[:, None] * x[0] + phases[:, None]) / frequencies[:, None] ** 1.3
    return y - height - roughness * waves.sum(0)[None, :]


LAMPS = np.array([[255, 214, 150], [255, 245, 230], [255, 120, 60], [150, 200, 255], [120, 255, 170]])


def lights(rng: Rng, canvas: Canvas, count: int, top: float) -> None:
    """Adds lamps with halos, in place; the larger ones saturate."""
    x, y = grid()
    for _ in range(count):
        distance = np.hypot(x - rng.random(), y - rng.uniform(top, 1)) * WIDE
        core = rng.uniform(1.5, 9)
        glow = 6 * np.exp(-((distance / core) ** 2)) + 0.5 / (1 + (distance / (2 * core)) ** 2)
        canvas += glow[..., None] * LAMPS[rng.integers(len(LAMPS))]


PROSE = (
    "light edge lens pixel grain shadow window river street copper 0123456789 quick brown fox jumps over "
    "lazy dog Open Exit Platform 7 No Parking (left) [right] {both} & 50% $19.95 Hello, World! 1/250 f/2.8"
)


def write_lines(rng: Rng, canvas: Canvas, ink: Canvas, box: tuple[int, int, int, int], size: int) -> None:
    """Fills the box (left, top, right, bottom) with words, in place."""
    left, top, right, bottom = box
    page = Image.new("L", (right - left, bottom - top))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size)
    for line in range((bottom - top) // int(1.3 * size)):
        words = " ".join(rng.choice(PROSE.split(), 2 + 2 * (right - left) // (3 * size)))
        draw.text((0, int(1.3 * size * line)), words, 255, font)
    alpha = np.asarray(page, float)[..., None] / 255
    canvas[top:bottom, left:right] += alpha * (ink - canvas[top:bottom, left:right])


def develop(canvas: Canvas) -> Image.Image:
    """Reduces (WIDE, WIDE, 3) to (SIDE, SIDE, 3), then to the 256 colours that fit it best.

    The palette makes the file a third as large; dithering turns what it loses into a sensor's grain.
    """
    reduced = canvas.reshape(SIDE, OVERSAMPLING, SIDE, OVERSAMPLING, 3).mean((1, 3))
    picture = Image.fromarray(np.round(np.clip(reduced, 0, 255)).astype(np.uint8))
    fitted = picture.quantize(256, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    colours = np.array(fitted.getpalette()).reshape(-1, 3)
    # A colour of the palette is a mean, so paper comes out a little grey.
    colours[colours.min(1) > 249] = 255
    colours[colours.max(1) < 4] = 0
    fitted.putpalette(colours.ravel().tolist())
    return picture.quantize(palette=fitted, dither=Image.Dither.FLOYDSTEINBERG)
