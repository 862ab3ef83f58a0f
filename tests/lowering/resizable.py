"""What tests of programs of many sizes share: which networks follow, their metadata, and what to expect."""

import numpy as np
from e2e.test_zoo import CONFIGS
from runtime.tiny_program import tiny_info

from edgesr.graph.shapes import shapes
from edgesr.quantization.typed import TypedGraph
from edgesr_runtime.metadata import RESIZABLE_SCHEMA, SizeRange

from .executorch.programs import SIDE, Image, by_reference, tiny

SIZES = SizeRange(20, 60)
FIXED = ("rfdn", "rlfn")  # their attention is enlarged to the size of another tensor
FOLLOWS = tuple(name for name in CONFIGS if name not in FIXED)


def resizable(name: str, form: str) -> tuple[dict[str, TypedGraph], bytes]:
    """The variants of a program for tiles of `SIDE` that takes `SIZES`, and its metadata."""
    graph = tiny(name).typed(form)
    scale = shapes(graph, SIDE, SIDE)[graph.output][1] // SIDE
    info = tiny_info(schema=RESIZABLE_SCHEMA, tile=SIDE, scale=scale, sizes=SIZES)
    return {"serving_default": graph}, info.to_json().encode()


def noise(name: str, form: str, height: int, width: int) -> tuple[Image, Image]:
    """A picture of noise, and what the reference makes of it."""
    levels = np.random.default_rng(height * width).integers(0, 256, (1, height, width, 3))
    image = (levels * np.float32(tiny(name).tiles.pixel_range / 255)).astype(np.float32)
    return image, by_reference(tiny(name).typed(form), image).transpose(0, 2, 3, 1)
