"""Fine-tuning of ranges and maps by distillation from the float network (METHODS A.7).

No weight of a convolution changes and no high-resolution picture is needed: the same crops that calibrated
are shown again, and what the method names as trainable follows the float network's output, the outputs of its
residual blocks, and an average width. One group of parameters is updated in each epoch, in turns.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from ...graph.execute import run
from .crops import Crops
from .simulated import Settings, Simulated

BATCH = 2
DECAY = 0.9  # of a group's learning rates, after each epoch of its own
BLOCK_WEIGHT = 10.0
WIDTH_WEIGHT = 50.0


@dataclass(frozen=True)
class Group:
    """Parameters that are updated in the same epochs.

    Attributes:
        name: one letter, as METHODS A.7 has them.
        rates: parameters and their first learning rate.
        narrows: whether the loss on the average width joins in.
    """

    name: str
    rates: tuple[tuple[tuple[Tensor, ...], float], ...]
    narrows: bool = False

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        return tuple(parameter for parameters, _ in self.rates for parameter in parameters)


@dataclass(frozen=True)
class Student:
    """A simulated network that is to follow the float one.

    Attributes:
        blocks: the nodes whose values it follows besides the output.
        groups: what is trained, in the order of the epochs.
        settle: called after each step, to put parameters back where they make sense.
    """

    simulated: Simulated
    blocks: tuple[str, ...]
    groups: tuple[Group, ...]
    settle: Callable[[], None]


@dataclass(frozen=True)
class Epoch:
    """What one epoch did: the group it updated, and the mean loss over its steps."""

    group: str
    loss: float


def turns(groups: Sequence[Group], epochs: int) -> tuple[Group, ...]:
    """The group of each epoch: one after the other, over and over; those without parameters are left out."""
    return tuple(islice(cycle([group for group in groups if group.parameters]), epochs))


def tune(
    student: Student, crops: Crops, settings: Settings, progress: Callable[[], None] = lambda: None
) -> Iterator[Epoch]:
    """Updates the student's parameters in place; each epoch is yielded once it is done.

    `progress` is called after each step.
    """
    adam = {
        group.name: Adam([{"params": list(p), "lr": rate} for p, rate in group.rates if p])
        for group in student.groups
        if group.parameters
    }
    batches = _endless(crops)
    for group in turns(student.groups, settings.epochs):
        losses = []
        for batch in islice(batches, settings.iterations):
            losses.append(_step(student, batch, group, adam[group.name], settings.activation_bits))
            progress()
        for rates in adam[group.name].param_groups:
            rates["lr"] *= DECAY
        yield Epoch(group.name, sum(losses) / max(1, len(losses)))


def _endless(crops: Crops) -> Iterator[Crops]:
    """Batches drawn by the seed; every crop once before any comes again."""
    random = torch.Generator().manual_seed(crops.seed)
    while True:
        yield from crops.take(torch.randperm(len(crops), generator=random)).batches(BATCH)


def _step(student: Student, batch: Crops, group: Group, adam: Adam, base_bits: int) -> float:
    """One update of a group's parameters; only they have gradients meanwhile."""
    for parameter in group.parameters:
        parameter.requires_grad_(True)
    loss = batch_loss(student, batch, group.narrows, base_bits)
    adam.zero_grad()
    loss.backward()
    adam.step()
    for parameter in group.parameters:
        parameter.requires_grad_(False)
    student.settle()
    return float(loss.detach())


def batch_loss(student: Student, batch: Crops, narrows: bool, base_bits: int) -> Tensor:
    """L_pix + L_skt, and L_bit where the widths are to be narrowed (METHODS A.7)."""
    graph, blocks = student.simulated.graph, student.blocks
    with torch.no_grad():
        teacher = run(graph, batch.pixels, keep=blocks)
    own = student.simulated.run(batch.pixels, batch.detail, blocks)
    loss = picture_loss(own.output, teacher[graph.output], batch.pixel_range)
    loss = loss + block_loss([own.kept[name] for name in blocks], [teacher[name] for name in blocks])
    if narrows:
        loss = loss + width_loss(student.simulated.average_bits(own), base_bits)
    return loss


def picture_loss(student: Tensor, teacher: Tensor, pixel_range: int) -> Tensor:
    """L_pix: mean absolute difference in grey levels of 255."""
    return functional.l1_loss(student, teacher) * (255 / pixel_range)


def block_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """L_skt: mean distance of block outputs, each divided by its batch's norm; times 10 / batch size."""
    distances = [
        (_normalised(own) - _normalised(other)).flatten(1).norm(dim=1)
        for own, other in zip(student, teacher, strict=True)
    ]
    return BLOCK_WEIGHT / len(student[0]) * torch.cat(distances).mean()


def _normalised(values: Tensor) -> Tensor:
    return values / values.norm().clamp(min=1e-12)


def width_loss(bits: Tensor, base: int) -> Tensor:
    """L_bit: what the average width (N,) is above the base, times 50."""
    return WIDTH_WEIGHT * (bits.mean() - base).relu()
