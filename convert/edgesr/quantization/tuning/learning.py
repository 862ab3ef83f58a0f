"""Fine-tuning of a plan: the student imitates the float network until its numbers are better than calibrated.

Distillation as in METHODS A.7, but of what counts at 4 bits: weight scales, the weight levels themselves and
the biases are learned, all at once. What comes out is a plan again. It is kept only if it is nearer to the
float network on tiles that were held back, by the integer reference.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import UserError
from ...graph.execute import predict
from ...graph.graph import Graph
from ...graph.shapes import multiplications
from ..plan import Plan
from ..quantize import quantize
from ..reference import run as run_reference
from ..statistics import LUMA, CalibrationTiles
from . import checkpoint as checkpoints
from .distillation import TINY, Teacher, random_crops
from .student import Student

HELD_BACK = 8  # one tile of so many
JUDGED = 6  # held-back tiles at most, on which plans are compared
JUDGED_SIDE = 64
DECAYS = (0.9, 0.99)  # of Adam's moving averages
WARM_UP = 20  # steps
VIVID_EVERY = 4  # steps: one on stronger colours than the pictures have
MOST_HASTE = 4.0
RATES = {"levels": 6e-3, "scales": 2.5e-3, "biases": 3e-2}
"""Kind of parameter -> first rate: levels of a weight, logarithms of factors on scales, levels of a result.
Found on RLFN x2 and RFDN x4 with pictures that no figure is reported on."""
RANGES = {"ranges": 2.5e-3}
"""The same for logarithms of factors on the ends of ranges. Not learned by default: photographs teach ranges
to cut off what stronger colours need, and calibration has provided for these."""
FULL = 1200  # steps that these rates are for


@dataclass(frozen=True)
class Settings:
    """How a plan is tuned.

    Attributes:
        multiplications: of the float network in all steps together: they set how many steps there are.
        least_steps: how many there are at least, however large the network.
        batch, side: crops of a step, and their height and width in low-resolution pixels.
        rates: kind of parameter (levels, scales, biases, ranges) -> first learning rate of Adam in a run of
            `FULL` steps or more, higher in shorter ones; a kind that is not named is not learned.
        luma_weight: of the difference in brightness beside that of the pixels.
        feature_weight: first one of the relative distance of features (1 is as far as they are large), in
            grey levels; it falls with the rates, as features guide at first and hold back at last.
        save_every: seconds between two checkpoints.
    """

    multiplications: float = 3e12
    least_steps: int = 100
    batch: int = 2
    side: int = 48
    rates: Mapping[str, float] = field(default_factory=lambda: dict(RATES))
    luma_weight: float = 2.0
    feature_weight: float = 10.0
    save_every: float = 20.0


def steps(graph: Graph, tiles: CalibrationTiles, settings: Settings) -> int:
    """How many steps tuning takes, and so how often it reports progress."""
    side = min(settings.side, *tiles.pixels.shape[2:])
    cost = sum(multiplications(graph, side).values()) * settings.batch
    return max(settings.least_steps, round(settings.multiplications / max(1, cost)))


def tune(
    graph: Graph,
    plan: Plan,
    tiles: CalibrationTiles,
    settings: Settings = Settings(),
    checkpoint: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    notice: Callable[[str], None] = lambda message: None,
) -> Plan:
    """The plan with tuned scales, levels and biases, or as it is where that brings nothing.

    The same plan comes out on every machine of one kind for one number of threads.

    Args:
        graph: the float graph that the plan is of.
        plan: of any containers, as they will be deployed.
        tiles: those that the plan was calibrated on; one in eight is held back to compare plans on.
        checkpoint: where to note from time to time how far it is, and to go on from if it is there; the
            caller removes it when it has the plan in safety.
        progress: called after each of `steps` steps, those that a checkpoint saves included.
        notice: called with a sentence if a checkpoint cannot be used or written; tuning does without.

    Raises:
        UserError: the plan belongs to another network.
    """
    work = _Tuning(graph, plan, tiles, settings)
    if not work.student.typed.is_mixed:  # all float: there is nothing to learn
        return plan
    if checkpoint is not None and checkpoint.exists():
        try:
            work.restore(checkpoint)
        except ValueError as error:
            notice(f"{error}: tuning begins anew")
    for _ in range(work.done):
        progress()
    saved = time.monotonic()
    while work.done < work.steps:
        work.step()
        progress()
        if checkpoint is not None and time.monotonic() - saved >= settings.save_every:
            try:
                work.save(checkpoint)
            except UserError as error:  # tuning itself needs no file
                notice(f"{error}: tuning goes on, but cannot be resumed")
                checkpoint = None
            saved = time.monotonic()
    return work.better()


class _Tuning:
    """One plan being tuned; everything that changes is in `state`."""

    def __init__(self, graph: Graph, plan: Plan, tiles: CalibrationTiles, settings: Settings) -> None:
        self.graph, self.plan, self.settings, self.white = graph, plan, settings, tiles.pixel_range
        self.mark = checkpoints.mark_of(graph, plan, tiles, settings)
        alone = len(tiles.pixels) == 1
        held = torch.arange(len(tiles.pixels)) % HELD_BACK == 0
        self.seen = tiles.pixels if alone else tiles.pixels[~held]
        self.unseen = tiles.pixels if alone else tiles.pixels[held]
        self.vivid = replace(tiles, pixels=self.seen).vivid().pixels
        self.student = Student(graph, plan)
        self.teacher = Teacher(self.student.even, tiles.pixel_range)
        self.steps, self.done = steps(graph, tiles, settings), 0
        self.generator = torch.Generator().manual_seed(tiles.seed)
        self.parameters = self.student.parameters
        for kind, values in self.parameters.items():
            for value in values:
                value.requires_grad_(kind in settings.rates)
        self.optimizer = _adam(self.parameters, settings.rates)

    def step(self) -> None:
        """Learns from one batch of crops; one on which something overflows teaches nothing."""
        tiles = self.seen if (self.done + 1) % VIVID_EVERY else self.vivid
        images = random_crops(tiles, self.settings.batch, self.settings.side, self.generator)
        share = schedule(self.done, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = share * haste(self.steps) * group["rate"]
        loss = self.loss(images, share)
        self.optimizer.zero_grad()
        loss.backward()
        learned = [value for group in self.optimizer.param_groups for value in group["params"]]
        if all(bool(value.grad.isfinite().all()) for value in learned if value.grad is not None):
            self.optimizer.step()
            self.student.keep_within_limits()
        self.done += 1

    def loss(self, images: Tensor, share: float) -> Tensor:
        """Of pixels and brightness in grey levels, and of the features, these at a share of their weight."""
        wanted = self.teacher.values(images)
        values = self.student.run(images, self.teacher.features)
        error = (values[self.student.typed.output] - wanted[self.graph.output]) * (255 / self.white)
        luma = torch.einsum("nchw,c->nhw", error, torch.tensor(LUMA))
        loss = error.abs().mean() + self.settings.luma_weight * luma.abs().mean()
        weight = share * self.settings.feature_weight / max(1, len(self.teacher.features))
        for name in self.teacher.features:
            size = wanted[name].square().mean().sqrt() + TINY
            distance = (values[name] - wanted[name]).square().mean().add(TINY * size.square()).sqrt()
            loss = loss + weight * distance / size
        return loss

    def better(self) -> Plan:
        """The tuned plan, or the first one where that is nearer to the float network on unseen tiles."""
        stride = -(-len(self.unseen) // JUDGED)
        tiles = self.unseen[::stride, :, :JUDGED_SIDE, :JUDGED_SIDE]
        tuned = self.student.to_plan()
        before, after = (noise(self.graph, plan, tiles, self.white) for plan in (self.plan, tuned))
        return tuned if after < before else self.plan

    def state(self) -> dict[str, np.ndarray]:
        """Everything that steps change."""
        arrays = {"done": np.array(self.done), "generator": self.generator.get_state().numpy()}
        for index, value in enumerate(self._tensors()):
            arrays[f"value {index}"] = value.detach().numpy()
            for key, memory in self.optimizer.state[value].items():
                arrays[f"{key} {index}"] = memory.numpy()
        return arrays

    def save(self, path: Path) -> None:
        checkpoints.save(path, self.mark, self.state())

    def restore(self, path: Path) -> None:
        """Goes on from a checkpoint. Raises ValueError if it cannot be used."""
        found = checkpoints.load(path, self.mark, self.state())
        self.done = int(found["done"])
        self.generator.set_state(torch.from_numpy(found["generator"]))
        with torch.no_grad():
            for index, value in enumerate(self._tensors()):
                value.copy_(torch.from_numpy(found[f"value {index}"]))
                for key, memory in self.optimizer.state[value].items():
                    memory.copy_(torch.from_numpy(found[f"{key} {index}"]))

    def _tensors(self) -> Iterator[Tensor]:
        for group in self.optimizer.param_groups:
            yield from group["params"]


def _adam(parameters: Mapping[str, tuple[Tensor, ...]], rates: Mapping[str, float]) -> torch.optim.Adam:
    """Adam with one group for each kind that is learned.

    Its memory is made at once, so that it can be saved and restored at any step.
    """
    groups = [{"params": list(parameters[kind]), "rate": rate} for kind, rate in rates.items()]
    adam = torch.optim.Adam(groups, betas=DECAYS)
    for group in adam.param_groups:
        for value in group["params"]:
            zeros = {key: torch.zeros_like(value, requires_grad=False) for key in ("exp_avg", "exp_avg_sq")}
            adam.state[value] = {"step": torch.tensor(0.0), **zeros}
    return adam


def schedule(step: int, steps: int) -> float:
    """Share of the first rates at a step: a short rise, as the first steps know least, then half a cosine."""
    return min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))


def haste(steps: int) -> float:
    """Factor on the rates of a run shorter than `FULL`: steps in random directions add up as roots do."""
    return min(MOST_HASTE, max(1.0, math.sqrt(FULL / steps)))


def noise(graph: Graph, plan: Plan, images: Tensor, white: int) -> float:
    """Mean square difference, in grey levels, of the integer reference to the float network."""
    typed = quantize(graph, plan)
    total = 0.0
    for image in images.split(1):
        wanted = predict(graph, image).clamp(0, white)
        difference = (run_reference(typed, image)[typed.output] - wanted) * (255 / white)
        total += float(difference.square().mean(dtype=torch.float64)) / len(images)
    return total
