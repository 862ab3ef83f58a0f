"""A report's contents with everything in it: three variants, a search, devices, and hostile names."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from edgesr.evaluation.judge import Score
from edgesr.report.material import Box, Compared, Histogram, Material, Rgb, RoutedTile, TileMap, Times, Timing
from edgesr.report.page import page

HOSTILE = "<script>alert('x')</script>&\".png"
VARIANTS = ("low", "mid", "high")
WHEN = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
COMMAND = "edgesr convert 'a network.pth' -o rlfn.tflite --report rlfn.html"


def picture(height: int, width: int, seed: int = 0) -> Rgb:
    """A smooth picture with some noise, as photographs are."""
    rows, columns = np.mgrid[0:height, 0:width]
    smooth = np.stack([rows * 200 / height, columns * 200 / width, (rows + columns) % 97], axis=2)
    noise = np.random.default_rng(seed).integers(0, 30, (height, width, 3))
    return (smooth + noise).astype(np.uint8)


def score(name: str, drop: float) -> Score:
    return Score(name, 30.0, 30.0 - drop, 30.0, 48.0, 7.0, (0.01, -0.02, 0.0), 0.9, 0.899)


def layer(name: str, variant: str, container: str, bits: int, sensitivity: float | None) -> dict[str, Any]:
    return {
        "name": name, "kind": "Conv2d", "weight_bits": bits, "activation_bits": 32 if bits == 32 else 8,
        "container": container, "input_range": [0.0, 1.0], "output_range": [-1.25, 2.5],
        "sensitivity": sensitivity, "variant": variant,
    }  # fmt: skip


def device(variant: str, **changes: Any) -> dict[str, Any]:
    return {
        "device": "arm64", "title": "Cortex-A76, emulated", "cpu": "cortex-a76", "emulated": True,
        "variant": variant, "reference_mismatches": 0, "reference_values": 1_000_000,
        "psnr_to_reference": None, "max_error": 0.0, "seconds": 3.5, "crops": 2, "drop_db": 0.02,
        "drop_db_here": 0.021, "passed": True, "failures": [],
    } | changes  # fmt: skip


def record(**changes: Any) -> dict[str, Any]:
    """What `--json` of a conversion with variants holds."""
    forms = (("int8", 8, 0.5), ("int8-dynamic", 8, 0.02), ("int8", 4, 0.0001), ("f32", 32, 0.1))
    steps = [(0, 0.09, 14.0), (1, 0.06, 14.1), (3, 0.065, 14.4), (7, 0.02, 15.0)]
    return {
        "program": "rlfn.tflite", "target": "tflite", "bytes": 703_944, "bytes_compressed": 528_036,
        "network": "rlfn", "scale": 4, "pixel_range": 255, "tile": 64, "halo": 8,
        "milliseconds": {"low": 1.4, "mid": 14.0, "high": 15.2},
        "seconds": {"calibrate": 34.6, "search": 16.8, "tune": 0.0, "lower": 0.16, "check": 2.5},
        "images": 3, "psnr_float": 25.9331, "psnr_quantized": 25.9187, "drop_db": 0.0144,
        "drop_db_worst": 0.0301, "drop_tiling_db": -0.0061, "worst_image": HOSTILE,
        "psnr_to_float": 45.5442, "max_abs_error": 46.0, "channel_mean_shift": [0.0184, -0.017, None],
        "reference_mismatches": 0, "reference_values": 22_872_064, "psnr_to_reference": None,
        "int8_mac_share": 0.9971, "accelerated": 1.0,
        "variants": list(VARIANTS),
        "routing": {"low": 12.0, "high": 30.0, "shares": {"low": 0.2, "mid": 0.5, "high": 0.3},
                    "milliseconds": 11.8, "loss_db": 0.03},
        "layers": [layer(f"{HOSTILE}.{i}", name, *form) for name in VARIANTS for i, form in enumerate(forms)],
        "search": {
            "ranking": [{"layer": f"c{i}", "container": "f32", "noise": 1.0, "milliseconds": 0.1,
                         "made": i < 7} for i in range(9)],
            "steps": [{"moves": moves, "layer": HOSTILE, "container": "f32", "drop": drop, "worst": 2 * drop,
                       "bytes": 700_000 + moves, "milliseconds": time} for moves, drop, time in steps],
        },
        "devices": [device("high"),
                    device("low", reference_mismatches=3, passed=False, failures=["3 differ"]),
                    device("", reference_mismatches=None, passed=False, failures=[HOSTILE])],
        "gate": {"max_drop": 0.1, "max_bytes": None, "max_ms": None, "passed": True, "failures": []},
        "warnings": [f"skipped {HOSTILE}: broken"],
    } | changes  # fmt: skip


def compared(role: str, of: Score, height: int = 96, width: int = 144) -> Compared:
    plain = picture(height, width)
    program = (plain // 4 * 4).astype(np.uint8)
    bicubic = picture(height, width, seed=1)[::-1].copy()
    return Compared(role, of, (width + 40, height + 20), Box(40, 20, width, height), plain, program, bicubic)


def times(median: float) -> Times:
    return Times(median, 0.9 * median, 1.5 * median)


def material() -> Material:
    scores = (score("b.png", 0.005), score(HOSTILE, 0.0301), score("c.png", 0.008))
    tiles = tuple(
        RoutedTile(Box(60 * x, 60 * y, 60, 60), 8.0 + 12 * (x + y), VARIANTS[min(2, x + y)])
        for y in range(2)
        for x in range(3)
    )
    return Material(
        pictures="3 of 12 drawn from photos, held back from calibration",
        method="adabm",
        calibration="adabm on 72 tiles (SHA-256 0123456789ab...), seed 0",
        threads=2,
        bytes_unpacked=703_944,
        bytes_compressed=528_036,
        scores=scores,
        compared=(compared("worst", scores[1]), compared("typical", scores[2])),
        timing=Timing(
            Times(54.0, 53.0, 60.0),
            {"low": times(1.5), "mid": times(15.0), "high": times(16.5)},
            rounds=9, plain_bytes=2_200_000, plain_bytes_compressed=2_000_000,
        ),
        routes={"low": 2, "mid": 5, "high": 3},
        tile_map=TileMap(HOSTILE, (180, 120), tiles),
        tile_picture=picture(120, 180),
        machine={"processor": "Some CPU", "runtime": "ai-edge-litert 2.3.0"},
        histograms=(
            Histogram(HOSTILE, "Conv2d", np.arange(48), -2.0, 3.0, (-1.5, 2.5), 0.0004, 0.02, 0.5),
            Histogram("body.1", "Add", np.ones(48, np.int64), -1.0, 1.0, (-1.0, 1.0), 0.0, 0.0, None),
        ),
    )  # fmt: skip


def sample(**changes: Any) -> str:
    """The page of all that."""
    return page(record(**changes), material(), COMMAND, WHEN)
