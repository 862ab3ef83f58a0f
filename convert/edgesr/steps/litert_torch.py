"""A conversion through litert-torch, for networks with ops that edgesr's own graph does not have.

The pictures, the tiles, the grids of the weights and the gate are those of every conversion. What needs a
graph of the network is not to be had: the integer reference, the search among containers, AdaBM, variants.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version

import numpy as np
import torch

from edgesr_runtime import ProgramInfo
from edgesr_runtime.engines import OUTPUT
from edgesr_runtime.metadata import DEFAULT_VARIANT, SCHEMA, Calibration

from ..defaults import SEED
from ..devices.host import delegated
from ..devices.latency import latencies
from ..devices.litert import Runner
from ..errors import UserError
from ..evaluation.judge import Case, judge, prepare
from ..evaluation.resize import downscale
from ..graph.capture import TOLERANCE
from ..lowering.litert_torch.converter import float_program
from ..lowering.litert_torch.model import Model, with_metadata
from ..lowering.litert_torch.quantizer import EVERY_OP, HEAVY_OPS, Range, int8_program, settled
from ..lowering.litert_torch.summary import int8_mac_share, layer_records
from ..lowering.targets import LITERT_TORCH
from ..networks.architecture import Network
from ..networks.source import load_network
from ..quantization.statistics import CalibrationTiles
from .deployment import deployed, float_tiles, pixels_of, whole_picture
from .evidence import Evidence
from .halo import CHEAP, economic_halo
from .options import Options
from .pictures import LEAST_SIDE, calibration_tiles, draw
from .pixel_range import find_pixel_range
from .progress import Stages
from .work import MAX_TILE, OUTPUT_SIDE, SEAM_PICTURES

LOST = "made by litert-torch: judged in dB alone, for no integer reference knows its programs"


@dataclass(frozen=True)
class Form:
    """What becomes int8: kinds of ops in the quantizer's words; none leaves the program in float32."""

    name: str
    kinds: tuple[str, ...]


INT8 = Form("int8", EVERY_OP)
HEAVY = Form("int8 with float32 wherever there are no weights", HEAVY_OPS)
FLOAT = Form("float32", ())
FORMS = {"auto": (INT8, HEAVY, FLOAT), "w8a8": (INT8,), "f32": (FLOAT,)}
"""`--bits` -> forms; the first one that keeps to `--max-drop` is taken, or else the last."""


@dataclass(frozen=True)
class Made:
    """A program and what is known about it; milliseconds are of a tile on one thread, measured."""

    program: bytes
    info: ProgramInfo
    evidence: Evidence
    milliseconds: float
    seconds: dict[str, float]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """One form of the program, its evidence not yet in its metadata."""

    form: Form
    program: bytes
    info: ProgramInfo
    evidence: Evidence


def make(options: Options, stages: Stages) -> Made:
    """Converts, quantizes and judges; writes nothing.

    Raises:
        UserError: anything wrong with the files or the network, or litert-torch does not take it.
    """
    work = _Work(options, stages)
    best, notes = work.chosen()
    with work.timed("check"):
        info = replace(best.info, evidence=best.evidence.record())
        program = with_metadata(best.program, info.to_json().encode())
        stages("measuring the time", None)
        milliseconds = latencies(program)[DEFAULT_VARIANT].milliseconds
    warnings = (*work.drawn.warnings, LOST, *notes)
    return Made(program, info, best.evidence, milliseconds, work.seconds, warnings)


class _Work:
    """One conversion: what its steps share, each made when first needed."""

    def __init__(self, options: Options, stages: Stages) -> None:
        self.options, self.stages = options, stages
        self.seed = SEED if options.seed is None else options.seed
        self.threads = torch.get_num_threads()
        self.seconds = dict.fromkeys(("calibrate", "search", "tune", "lower", "check"), 0.0)
        self.network = load_network(options.model, options.weights, options.scale, options.pixel_range)
        _check(self.network)
        self.module, self.scale = self.network.module, self.network.scale
        self.tile = _tile(options.tile, self.scale)
        self.drawn = draw(options.pictures, options.calib_images, self.seed, LEAST_SIDE * self.scale)
        self.pixel_range = self.network.pixel_range or find_pixel_range(
            self.module, self.scale, self.drawn.calibrate, options.model
        )

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - start

    def chosen(self) -> tuple[Judged, tuple[str, ...]]:
        """The form that `--bits` asks for; with several, what is said about those that lose too much."""
        forms = FORMS[self.options.bits]
        notes: list[str] = []
        for form in forms:
            judged = self._judged(form)
            drop = judged.evidence.verdict.drop
            if drop <= self.options.max_drop or form is forms[-1]:
                break
            notes.append(f"{form.name} loses {drop:.3f} dB")
        return judged, (f"{'; '.join(notes)}: it became {judged.form.name}",) if notes else ()

    def _judged(self, form: Form) -> Judged:
        with self.timed("lower"):
            program = self.float_program
        ranges: Mapping[str, Range] = {}
        if form.kinds:
            with self.timed("calibrate"):
                ranges = self.ranges
            with self.timed("lower"):
                self.stages("quantizing", None)
                program = int8_program(program, ranges, form.kinds)
        info = self._describe(program, ranges)
        with self.timed("check"):
            cases = self.cases
            advance = self.stages("judging", len(cases))
            verdict = judge(cases, deployed(program, info, self.threads), advance)
            evidence = Evidence(
                verdict, None, delegated(program, self.threads), int8_mac_share(program), LITERT_TORCH
            )
        return Judged(form, program, info, evidence)

    @cached_property
    def float_program(self) -> bytes:
        """The converter's program, proven equal to the network on a tile of noise.

        Raises:
            UserError: the converter does not take the network, or they differ by more than rounding.
        """
        self.stages("converting (litert-torch)", None)
        program = float_program(self.module, self.tile)
        levels = np.random.default_rng(0).integers(0, 256, (self.tile, self.tile, 3)).astype(np.uint8)
        batch = levels[None].astype(np.float32) * np.float32(self.pixel_range / 255)
        result = Runner(program, DEFAULT_VARIANT, self.threads)(batch)[OUTPUT][0]
        expected = pixels_of(self.module, levels, self.pixel_range)
        error = float(np.abs(result * np.float32(255 / self.pixel_range) - expected).max())
        if not error <= TOLERANCE * 255:
            raise UserError(
                f"litert-torch's program differs from the network by {error:.3g} grey levels: "
                "forward() has an op that it gets wrong."
            )
        return program

    @cached_property
    def halo(self) -> int:
        """As little as leaves no seam; a network that looks at the whole picture has one anyway."""
        most = self.tile // 4
        pictures = (downscale(p.rgb, self.scale) for p in self.drawn.calibrate[:SEAM_PICTURES])
        found = economic_halo(self.module, self.tile, self.tile, pictures, self.pixel_range)
        return found if found < most else min(CHEAP, most)

    @cached_property
    def tiles(self) -> CalibrationTiles:
        return calibration_tiles(
            self.drawn.calibrate, self.scale, self.tile, self.halo, self.pixel_range, self.seed
        )

    @cached_property
    def ranges(self) -> dict[str, Range]:
        """Of every tensor that the float32 program computes."""
        batches = self.tiles.pixels.permute(0, 2, 3, 1).contiguous().numpy()[:, None]
        advance = self.stages("calibrating (minmax)", len(batches))
        found = extremes(self.float_program, batches, self.threads, advance)
        return settled(self.float_program, found, self.pixel_range)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The held-back pictures with the float network's results."""
        pictures = self.drawn.held_back
        whole = whole_picture(self.module, self.pixel_range)
        tiled = float_tiles(self.module, self._describe(self.float_program, {}))
        advance = self.stages("running the float network", len(pictures))
        return prepare(pictures, self.scale, whole, tiled, advance)

    def _describe(self, program: bytes, ranges: Mapping[str, Range]) -> ProgramInfo:
        """The metadata of a program, its evidence still missing."""
        return ProgramInfo(
            schema=SCHEMA,
            edgesr=version("edgesr"),
            network=self.network.name,
            scale=self.scale,
            pixel_range=self.pixel_range,
            tile=self.tile,
            halo=self.halo,
            variants=(DEFAULT_VARIANT,),
            routing=None,
            colour="rgb",
            calibration=self._calibration() if ranges else _uncalibrated(self.seed),
            layers=layer_records(program, ranges),
            evidence=None,
        )

    def _calibration(self) -> Calibration:
        return Calibration("minmax", len(self.tiles.pixels), self.tiles.fingerprint, self.seed)


def _uncalibrated(seed: int) -> Calibration:
    return Calibration("none", 0, hashlib.sha256().hexdigest(), seed)


def extremes(
    program: bytes, batches: np.ndarray, threads: int, progress: Callable[[], None] = lambda: None
) -> dict[str, Range]:
    """Least and greatest value of every float32 tensor that a program computes, but for its ends.

    Args:
        batches: float32 (N,1,tile,tile,3).
        progress: called after each of them.

    Raises:
        UserError: a tensor holds values that are not finite.
    """
    model = Model(program)
    names = [name for name in model.computed() if name not in model.ends]
    run = Runner(program, DEFAULT_VARIANT, threads, names)
    bounds = np.tile(np.array([np.inf, -np.inf], np.float32), (len(names), 1))
    for batch in batches:
        values = run(batch)
        for row, name in zip(bounds, names, strict=True):
            # numpy's keep what is no number, Python's lose it.
            row[:] = np.minimum(row[0], values[name].min()), np.maximum(row[1], values[name].max())
        progress()
    if not np.isfinite(bounds).all():
        raise UserError("the network computes values that are not finite: give --bits f32")
    return {name: (float(low), float(high)) for name, (low, high) in zip(names, bounds, strict=True)}


def _check(network: Network) -> None:
    """Refuses what the float network cannot be judged with."""
    if network.size is not None:
        height, width = network.size
        raise UserError(
            f"{network.name}: it takes pictures of {width}x{height} alone, and --converter litert-torch must "
            "run it on whole ones: export it with dynamic height and width"
        )
    for name, value in network.module.state_dict().items():
        if not torch.isfinite(value).all():
            raise UserError(f"{name} holds NaN or infinite values: the checkpoint is damaged.")


def _tile(wanted: int | None, scale: int) -> int:
    """The side of the program's input: as asked for, or so that its output is about 256 pixels."""
    if wanted is None:
        return max(LEAST_SIDE, OUTPUT_SIDE // scale // 8 * 8)
    if not LEAST_SIDE <= wanted <= MAX_TILE:
        raise UserError(f"--tile {wanted}: give {LEAST_SIDE} to {MAX_TILE} low-resolution pixels")
    return wanted
