"""Making the page: one HTML file with everything in it, which asks nothing of any network.

Whatever comes from files (names of pictures, layers, networks) is escaped by the template engine; a content
security policy in the page forbids everything that it does not carry itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from . import charts, words
from .embedding import data_uri, fitting, thumbnail
from .material import Compared, Material, TileMap
from .pictures import AMPLIFIED

FORMS = {
    ("int8", 8): ("int8", "int8"),
    ("int8", 4): ("int4", "int8, weights of 4 bits"),
    ("int8-dynamic", 8): ("dynamic", "int8, grid found as it runs"),
    ("f32", 32): ("float", "float32"),
}
"""(container, weight bits) of a layer -> its style and the words for it."""
OTHER_FORM = ("other", "another form")  # a file that is checked may say anything

DEEPEST = 0.5  # opacity of the colour over a tile
MOST_LABELS = 8  # tiles side by side that numbers are written into


def page(record: Mapping[str, Any], material: Material, command: str, now: datetime) -> str:
    """The whole report.

    Args:
        record: what `--json` writes; every figure of the page that is also there is taken from it.
        command: the command line that was given.
    """
    search = record.get("search")
    strips = _strips(record["layers"])
    text = (
        _environment()
        .get_template("report.html.j2")
        .render(
            record=record,
            material=material,
            command=command,
            now=now,
            version=version("edgesr"),
            amplified=AMPLIFIED,
            comparisons=[_comparison(each) for each in material.compared],
            strips=strips,
            legend=_legend(strips),
            histograms=[
                {"of": each, "bars": charts.histogram_bars(each), "clips": charts.clip_lines(each)}
                for each in material.histograms
            ],
            map_picture=data_uri(thumbnail(material.tile_picture)),
            tiles=_tiles(material.tile_map, record["variants"]),
            curve=charts.search_curve(search, record["gate"]["max_drop"]) if search else None,
        )
    )
    # A file name may hold bytes that are no text.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("edgesr.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in words.FILTERS}
    return environment


def _comparison(picture: Compared) -> dict[str, Any]:
    shown, pictures = fitting(picture)
    names = {
        "float": "float network",
        "program": "this program",
        "bicubic": "bicubic",
        "difference": f"difference \N{MULTIPLICATION SIGN} {AMPLIFIED}",
    }
    return {"of": shown, "layers": [(key, names[key], uri) for key, uri in pictures.items()]}


def _strips(layers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A strip for each variant: bars with their place, height, style and words."""
    variants = dict.fromkeys(layer["variant"] for layer in layers)
    strips = []
    for variant in variants:
        own = [layer for layer in layers if layer["variant"] == variant]
        heights = charts.bar_heights([layer["sensitivity"] for layer in own])
        bars = []
        for i, (layer, height) in enumerate(zip(own, heights, strict=True)):
            style, form = FORMS.get((layer["container"], layer["weight_bits"]), OTHER_FORM)
            place = {"x": round(100 * i / len(own), 3), "width": round(80 / len(own), 3), "height": height}
            bars.append({"of": layer, "style": style, "form": form, **place})
        strips.append({"variant": variant, "bars": bars})
    return strips


def _legend(strips: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(style, words) of the forms that there are."""
    there = {bar["style"] for strip in strips for bar in strip["bars"]}
    return [form for form in (*FORMS.values(), OTHER_FORM) if form[0] in there]


def _tiles(tile_map: TileMap, variants: Sequence[str]) -> list[dict[str, Any]]:
    """Rectangles in percent of the picture; how strongly each is coloured tells variant or complexity."""
    width, height = tile_map.size
    most = max(tile.complexity for tile in tile_map.tiles) or 1.0
    narrowest = min(tile.box.width for tile in tile_map.tiles)
    found = []
    for tile in tile_map.tiles:
        rank = variants.index(tile.variant) + 1 if tile.variant in variants else 0
        share = rank / len(variants) if len(variants) > 1 else tile.complexity / most
        found.append(
            {
                "of": tile,
                "x": round(100 * tile.box.left / width, 3),
                "y": round(100 * tile.box.top / height, 3),
                "width": round(100 * tile.box.width / width, 3),
                "height": round(100 * tile.box.height / height, 3),
                "opacity": round(DEEPEST * share, 3),
                "labelled": narrowest * MOST_LABELS >= width,
            }
        )
    return found
