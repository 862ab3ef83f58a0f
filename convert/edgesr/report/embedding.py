"""Pictures within the page: lossless, and small enough for a file that people send around."""

import base64
import io

import numpy as np
from PIL import Image

from ..evaluation.judge import Rgb
from .material import Compared
from .pictures import layers, narrowed

BUDGET = 1_100_000  # bytes that one comparison may have
SIDES = (448, 384, 320, 256, 192, 128)  # pixels, tried one after the other where it has more
THUMBNAIL = 640


def data_uri(picture: Rgb) -> str:
    """Lossless WebP, a quarter smaller than PNG: small differences are what these pictures are about."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "WEBP", lossless=True, method=4)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def thumbnail(picture: Rgb) -> Rgb:
    """The picture, smaller where a side has more than `THUMBNAIL` pixels."""
    image = Image.fromarray(picture)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.asarray(image)


def fitting(picture: Compared) -> tuple[Compared, dict[str, str]]:
    """As large a part of a comparison as the budget allows, and its layers as data URIs."""
    for side in (*SIDES, None):
        encoded = {name: data_uri(layer) for name, layer in layers(picture)}
        if side is None or sum(map(len, encoded.values())) <= BUDGET:
            break
        picture = narrowed(picture, side)
    return picture, encoded
