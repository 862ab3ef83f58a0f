"""`edgesr simulate` as a library: what a network would lose at any widths, by the methods of the papers.

For comparison with papers only. Nothing is lowered or deployed, and every figure says that it is simulated;
what a program loses, `convert` and `check` measure.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from .defaults import METHOD, SEED, SIMULATION_CROPS, SIMULATION_ITERATIONS
from .errors import UserError
from .evaluation.folder import Picture, list_pictures, nothing_usable, skip_warnings, usable_pictures
from .evaluation.judge import Score, Verdict, case_of, score
from .evaluation.resize import downscale
from .graph.graph import Graph
from .graph.receptive import smallest_side
from .networks.architecture import Network
from .networks.source import load_network
from .quantization import simulation
from .quantization.simulation.crops import Crops, draw_crops
from .quantization.simulation.pictures import upscale
from .quantization.simulation.quantizers import BITS
from .quantization.simulation.roles import roles
from .quantization.simulation.simulated import Settings, Simulated, bit_operations
from .steps.deployment import whole_picture
from .steps.evidence import rounded
from .steps.network import float_graph, prove_equal
from .steps.pictures import LEAST_SIDE, shipped_folder
from .steps.pixel_range import PICTURES, find_pixel_range
from .steps.progress import Advance, Stages, quiet


@dataclass(frozen=True)
class Options:
    """What to simulate and on what; the flags of `edgesr simulate` say more about each.

    Attributes:
        images: folder of pictures to judge on.
        calib: folder of pictures to calibrate on; None takes the shipped ones.
        crops: how many are drawn from them.
        epochs: of tuning; None takes the method's own number.
        by_tile: run tiles of 96x96 low-resolution pixels instead of whole pictures.
    """

    model: str
    images: Path
    weight_bits: int
    activation_bits: int
    method: str = METHOD
    fully_quantized: bool = False
    weights: Path | None = None
    scale: int | None = None
    pixel_range: int | None = None
    calib: Path | None = None
    crops: int = SIMULATION_CROPS
    epochs: int | None = None
    iterations: int = SIMULATION_ITERATIONS
    by_tile: bool = False
    seed: int = SEED


@dataclass(frozen=True)
class Judged:
    """One picture from the simulated network.

    Attributes:
        score: against the original and the float network.
        bits: average activation width.
        bit_operations, float_operations: BitOPs of the simulated and of the float network.
    """

    score: Score
    bits: float
    bit_operations: float
    float_operations: float

    def record(self) -> dict[str, Any]:
        return {
            "name": self.score.name,
            "float_psnr_y": rounded(self.score.psnr_float),
            "simulated_psnr_y": rounded(self.score.psnr_program),
            "simulated_fab": rounded(self.bits),
        }


@dataclass(frozen=True)
class Simulation:
    """What a simulated network is like.

    Attributes:
        judged: each picture, at least one.
        crops: how many there were to calibrate on.
        details: what the method has found.
        seconds: by stage.
    """

    options: Options
    network: Network
    settings: Settings
    judged: tuple[Judged, ...]
    crops: int
    details: dict[str, Any]
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        return Verdict(tuple(judged.score for judged in self.judged))

    @property
    def fab(self) -> float:
        """Feature average bit-width: mean over pictures (METHODS F.5)."""
        return float(np.mean([judged.bits for judged in self.judged]))

    def record(self) -> dict[str, Any]:
        """The JSON of `edgesr simulate`; every figure of the simulated network is named so."""
        return {
            "simulated": True,
            "network": self.network.name,
            "scale": self.network.scale,
            "method": self.options.method,
            **asdict(self.settings),
            "unit": "tile" if self.options.by_tile else "picture",
            "seed": self.options.seed,
            "calibration_crops": self.crops,
            "images": len(self.judged),
            **self._figures(),
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "pictures": [judged.record() for judged in self.judged],
            "details": self.details,
            "warnings": list(self.warnings),
        }

    def _figures(self) -> dict[str, float | None]:
        verdict = self.verdict
        return {
            "float_psnr_y": rounded(verdict.psnr_float),
            "float_ssim_y": _mean([score.ssim_float for score in verdict.scores]),
            "float_bit_ops": _mean([judged.float_operations for judged in self.judged]),
            "simulated_psnr_y": rounded(verdict.psnr_program),
            "simulated_ssim_y": _mean([score.ssim_program for score in verdict.scores]),
            "simulated_drop_db": rounded(verdict.drop),
            "simulated_psnr_to_float": rounded(verdict.psnr_to_float),
            "simulated_fab": rounded(self.fab),
            "simulated_bit_ops": _mean([judged.bit_operations for judged in self.judged]),
        }


def simulate(options: Options, stages: Stages = quiet) -> Simulation:
    """Builds the simulated network and judges it on every usable picture of a folder.

    Raises:
        UserError: anything wrong with the options, the files or the network.
    """
    settings, images = _checked(options)
    clock = Clock(stages)
    clock("load", None)
    network = load_network(options.model, options.weights, options.scale, options.pixel_range)
    graph = float_graph(network)
    if not roles(graph).body:
        raise UserError(
            f"{options.model}: nothing lies between its head and its tail that could be quantized"
        )
    side = max(LEAST_SIDE, smallest_side(graph)) * network.scale
    crops, pixel_range, warnings = _crops(options, network, graph, side)
    prove_equal(graph, network, pixel_range)
    simulated = simulation.by_name(options.method).build(graph, crops, settings, clock)
    skipped: list[tuple[str, str]] = []
    advance = clock("judge", len(images))
    judged = []
    for picture in usable_pictures(images, skipped, side, flat=False):
        judged.append(judge(simulated, picture, network.scale, pixel_range, options.by_tile))
        advance()
    if not judged:
        raise UserError(f"{options.images}: {nothing_usable(skipped)}")
    warnings += simulated.warnings + skip_warnings(options.images, skipped)
    details, seconds = simulated.details(), clock.stop()
    return Simulation(options, network, settings, tuple(judged), len(crops), details, seconds, warnings)


def judge(simulated: Simulated, picture: Picture, scale: int, pixel_range: int, by_tile: bool) -> Judged:
    """Scores the simulated network on a picture, which the float network always sees whole."""
    case = case_of(picture, scale, whole_picture(simulated.graph, pixel_range))
    result = upscale(simulated, case.lr, pixel_range, by_tile)
    height, width = case.lr.shape[:2]
    floats = bit_operations(simulated.graph, height, width)
    return Judged(score(case, lambda lr: result.sr), result.bits, result.bit_operations, floats)


def _checked(options: Options) -> tuple[Settings, tuple[Path, ...]]:
    """Everything that can be known to be wrong without work; returns what to simulate, and the pictures."""
    method, narrow = simulation.by_name(options.method), f"give {BITS[0]} to {BITS[-1]}"
    rules = (
        (options.weight_bits in BITS, f"--weight-bits {options.weight_bits}: {narrow}"),
        (options.activation_bits in BITS, f"--activation-bits {options.activation_bits}: {narrow}"),
        (options.crops >= 1, f"--calib-images {options.crops}: give 1 or more"),
        (0 <= options.seed < 2**63, f"--seed {options.seed}: give a whole number from 0"),
        (options.iterations >= 1, f"--iterations {options.iterations}: give 1 or more"),
        ((options.epochs or 0) >= 0, f"--epochs {options.epochs}: give 0 or more"),
        (
            not options.epochs or method.epochs is not None,
            f"--epochs {options.epochs}: {options.method} has nothing to tune: leave it out",
        ),
    )
    for holds, line in rules:
        if not holds:
            raise UserError(line)
    epochs = (method.epochs or 0) if options.epochs is None else options.epochs
    settings = Settings(
        weight_bits=options.weight_bits,
        activation_bits=options.activation_bits,
        fully_quantized=options.fully_quantized,
        epochs=epochs,
        iterations=options.iterations if epochs else 0,
    )
    list_pictures(options.calib or shipped_folder())
    return settings, list_pictures(options.images)


def _crops(options: Options, network: Network, graph: Graph, side: int) -> tuple[Crops, int, tuple[str, ...]]:
    """Crops of the pictures that the seed draws, white at the network's input, and warnings."""
    folder = options.calib or shipped_folder()
    paths = list_pictures(folder)
    order = np.random.default_rng(options.seed).permutation(len(paths))
    skipped: list[tuple[str, str]] = []
    usable = usable_pictures((paths[i] for i in order), skipped, side, flat=False)
    first = list(islice(usable, PICTURES))
    if not first:
        raise UserError(f"{folder}: {nothing_usable(skipped)}")
    drawn = islice(chain(first, usable), options.crops)
    small = [downscale(picture.rgb, network.scale) for picture in drawn]
    white = network.pixel_range or find_pixel_range(graph, network.scale, first, options.model)
    crops = draw_crops(small, options.crops, options.by_tile, white, options.seed)
    return crops, white, skip_warnings(folder, skipped)


class Clock:
    """Stages that also note how long each one takes."""

    def __init__(self, stages: Stages) -> None:
        self.stages, self.name, self.start = stages, "", time.perf_counter()
        self.known: dict[str, float] = {}

    def __call__(self, name: str, steps: int | None) -> Advance:
        self.stop()
        self.name = name
        return self.stages(name, steps)

    def stop(self) -> dict[str, float]:
        """Ends the stage; the seconds of all so far."""
        now = time.perf_counter()
        if self.name:
            self.known[self.name] = self.known.get(self.name, 0.0) + now - self.start
        self.start = now
        return dict(self.known)


def _mean(values: Sequence[float | None]) -> float | None:
    """None where nothing was measured."""
    known = [value for value in values if value is not None]
    return rounded(float(np.mean(known))) if known else None
