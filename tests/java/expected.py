"""What the JUnit tests of Android's library are held to: programs, pictures, and what Python makes of them.

`python expected.py FOLDER` writes programs, PNG pictures and `cases.json`:

* `cases`: `name`, `program`, `picture`, `route`, the `expected` picture, the number of `tiles`, the routes
  `used`;
* `refused`: `program`, and a `reason` that the engine's refusal must tell.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
from tiny_program import pack, tiny_info, tiny_model, tiny_program

from edgesr.conversion import Options, convert
from edgesr.lowering.tflite.reader import read
from edgesr.lowering.tflite.writer import write
from edgesr.steps.pictures import shipped_folder
from edgesr_runtime import Program, open_program, upscale
from edgesr_runtime.metadata import Routing, SizeRange
from edgesr_runtime.program import read_info
from edgesr_runtime.routing import fixed, routed
from edgesr_runtime.tiles import extract, plan_tiles

TILE = 32
SKIP_BELOW, HIGH_ABOVE = 2.0, 12.0
Pixels = NDArray[np.uint8]


def main(folder: Path) -> None:
    write_programs(folder)
    pictures = write_pictures(folder)
    listed = {
        "cases": [
            case for name, wanted in CASES.items() for case in run_cases(folder, name, wanted, pictures)
        ],
        "refused": write_refused(folder),
    }
    (folder / "cases.json").write_text(json.dumps(listed, indent=1))


CASES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "plain.tflite": (
        ("pixel", "auto"),
        ("narrow", "auto"),
        ("tile", "auto"),
        ("odd", "auto"),
        ("odd", "exact"),
        ("mixed", "skip"),
        ("alpha", "auto"),
        ("small_alpha", "auto"),
    ),
    "routed.tflite": (
        ("mixed", "auto"),
        ("mixed", "low"),
        ("mixed", "high"),
        ("alpha", "auto"),
        ("alpha", "skip"),
        ("narrow", "auto"),
    ),
    "float.tflite": (("odd", "auto"), ("small_alpha", "auto")),
    "plain.pte": (("pixel", "auto"), ("odd", "auto"), ("alpha", "auto")),
    "sizes.tflite": (("odd", "auto"),),
    "sizes.pte": (("odd", "auto"),),
}
"""Program -> (picture, route) of each case; `exact` is the program's own route, in exact mode."""


def write_programs(folder: Path) -> None:
    """An int8 program in both formats, for tiles and for more; one of two int8 variants, routed and skipped;
    one whose white is 1, in float; one whose variant `low` answers otherwise than it declares."""
    made = (
        ("plain.tflite", "tflite", "w8a8", None),
        ("rough.tflite", "tflite", "w4a8", None),
        ("plain.pte", "executorch", "w8a8", None),
        ("sizes.tflite", "tflite", "w8a8", SizeRange(16, 48)),
        ("sizes.pte", "executorch", "w8a8", SizeRange(16, 48)),
    )
    for name, target, bits, sizes in made:
        convert(
            Options(
                "plain",
                folder / name,
                target=target,
                calib_images=4,
                bits=bits,
                method="minmax",
                tile=TILE,
                tune=False,
                max_drop=9.0,
                sizes=sizes,
            )
        )
    plain, rough = ((folder / f"{name}.tflite").read_bytes() for name in ("plain", "rough"))
    (graph,), (rough_graph,) = read(plain).values(), read(rough).values()
    info = replace(
        read_info(plain),
        variants=("low", "high"),
        routing=Routing(low=HIGH_ABOVE, high=HIGH_ABOVE, skip=SKIP_BELOW),
        layers=(),
    )
    routed_program = write({"low": rough_graph, "high": graph}, TILE, info.to_json().encode())
    (folder / "routed.tflite").write_bytes(routed_program)
    (folder / "float.tflite").write_bytes(tiny_program(tiny_info(pixel_range=1)))
    half = tiny_model(tiny_info(variants=("low", "high")))
    other_answer(half)
    (folder / "half.tflite").write_bytes(pack(half))


def write_pictures(folder: Path) -> dict[str, Pixels]:
    """Parts of a photograph with calm and busy places, of sizes around that of a tile."""
    photo = np.asarray(Image.open(shipped_folder() / "16_shallow_focus.png").convert("RGB"))
    page = np.asarray(Image.open(shipped_folder() / "27_page.png").convert("RGB"))
    mixed = photo[:90, :130].copy()
    mixed[30:70, 60:] = page[30:70, 60:130]
    mixed[:, :45] = 128
    pictures = {
        "pixel": photo[7:8, 9:10],
        "narrow": photo[20:25, 30:75],
        "tile": photo[:TILE, :TILE],
        "odd": photo[40:117, 40:135],
        "mixed": mixed,
        "alpha": with_alpha(mixed[5:78, 20:103]),
        "small_alpha": with_alpha(photo[10:23, 10:27]),
    }
    for name, pixels in pictures.items():
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{name}.png")
    return pictures


def with_alpha(rgb: Pixels) -> Pixels:
    """Every value of alpha, in a pattern with edges; colours stay under what is transparent."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width]
    alpha = np.where((x // 7 + y // 5) % 3 == 0, 0, (3 * x + 5 * y) % 256).astype(np.uint8)
    return np.dstack([rgb, alpha])


def run_cases(
    folder: Path, program_name: str, wanted: tuple[tuple[str, str], ...], pictures: Mapping[str, Pixels]
) -> list[dict[str, Any]]:
    program = open_program(folder / program_name)
    rows = []
    for picture_name, route in wanted:
        pixels = pictures[picture_name]
        name = f"{Path(program_name).stem}-{picture_name}-{route}"
        fixed_route = None if route in ("auto", "exact") else route
        enlarged = upscale(program, pixels, fixed_route, exact=route == "exact")
        Image.fromarray(enlarged).save(folder / f"{name}.png")
        rows.append(
            {
                "name": name,
                "program": program_name,
                "picture": f"{picture_name}.png",
                "route": route,
                "expected": f"{name}.png",
                **routes(program, pixels[..., :3], fixed_route, route == "exact"),
            }
        )
    return rows


def routes(program: Program, rgb: Pixels, route: str | None, exact: bool) -> dict[str, Any]:
    """How many tiles there are and where they go, found without running them."""
    info = program.info
    choose = routed(info) if route is None else fixed(info, route)
    halo = info.exact_halo if exact and info.exact_halo else info.halo
    plan = plan_tiles(*rgb.shape[:2], info.tile, halo)
    square = np.empty((info.tile, info.tile, 3), np.uint8)
    used = []
    for tile in plan.tiles:
        extract(rgb, plan, tile, square)
        used.append(choose(square))
    return {"tiles": len(used), "used": sorted(set(used))}


def other_answer(model: Any) -> None:
    """Lets the first variant give half as many columns as it declares."""
    model.subgraphs[0].operators[0].builtinOptions.strideW = 2


def write_refused(folder: Path) -> list[dict[str, str]]:
    """Files of a sound structure that the engine does not take."""

    def unknown_operator(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 9999

    def wrong_block(model: Any) -> None:
        model.subgraphs[0].operators[1].builtinOptions.blockSize = 5

    spoilt: Mapping[str, tuple[Callable[[Any], None], str]] = {
        "unknown_operator": (unknown_operator, "does not load"),
        "wrong_block": (wrong_block, "block_size"),
        "other_answer": (other_answer, "gives another answer"),
    }
    rows = []
    for name, (spoil, reason) in spoilt.items():
        model = tiny_model()
        spoil(model)
        (folder / f"{name}.tflite").write_bytes(pack(model))
        rows.append({"program": f"{name}.tflite", "reason": reason})
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]))
