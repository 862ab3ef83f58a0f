"""Trains the plain mobile network on pairs made from a folder of pictures.

The network is trained over-parameterised (`collapsible.py`) and written collapsed: the file holds an
exponential moving average of the collapsed weights, which load into `PlainNet` as they are. Beside it
stands a `.resume` file; a resumed run repeats what the uninterrupted run would have done.

    python training/train_plain.py --out out/plain_x2.safetensors --scale 2 --steps 90000
"""

import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import safetensors.torch
import torch
import typer
from collapsible import collapse, expand
from pairs import Pair, Pixels, draw_batch, from_batch, hold_out, read_pairs, to_batch
from torch import Tensor, nn

from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import upscale_bicubic
from edgesr.networks.plain import PlainNet

DATA_FOLDERS = ("train/bsds400", "train/general100_t91")
CHARBONNIER_EPSILON = 1e-3
GRADIENT_NORM = 0.03
"""Near the gradient norm of a settled run; 0.03 instead of 0.1 gave 0.16 dB after 1200 steps."""
TAIL_GAIN = 0.1
WARM_UP = 500
TIMED_STEPS = 40


@dataclass(frozen=True)
class Recipe:
    """All that decides the result, apart from the pictures."""

    scale: int
    width: int
    depth: int
    steps: int
    seed: int
    hidden: int = 128
    crop: int = 48
    batch: int = 16
    rate: float = 1e-3
    last_rate: float = 1e-5
    ema: float = 0.999
    bfloat16: bool = True

    def rate_at(self, step: int) -> float:
        """Cosine from `rate` to `last_rate`, after a linear rise."""
        cosine = (1 + math.cos(math.pi * min(step / self.steps, 1))) / 2
        rise = min((step + 1) / WARM_UP, 1)
        return rise * (self.last_rate + (self.rate - self.last_rate) * cosine)


class Run:
    """The state of one training run; `advance` takes one step."""

    def __init__(self, recipe: Recipe, pairs: Sequence[Pair]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pairs, self.step = recipe, pairs, 0
        self.network = expand(PlainNet(recipe.scale, recipe.width, recipe.depth), recipe.hidden)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Starts near the anchor: the large first gradients of a random residual can kill every ReLU.
        nn.init.xavier_uniform_(self.network.get_parameter("tail.narrow.weight"), TAIL_GAIN)
        self.average = collapse(self.network)
        self.optimizer = torch.optim.Adam(self.network.parameters(), recipe.rate)

    def advance(self) -> float:
        """One step; returns its loss."""
        recipe = self.recipe
        lr, hr = draw_batch(self.pairs, recipe.scale, recipe.crop, recipe.batch, recipe.seed, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate_at(self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            sr = self.network(lr.contiguous(memory_format=torch.channels_last))
        loss = charbonnier(sr.float(), hr)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        self.step += 1
        # A long memory would keep the random start in the average for the first thousand steps.
        decay = min(recipe.ema, self.step / (self.step + 10))
        for name, tensor in collapse(self.network).items():
            self.average[name].lerp_(tensor, 1 - decay)
        return float(loss.detach())

    def state(self) -> dict[str, object]:
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: dict) -> None:
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])


def charbonnier(sr: Tensor, hr: Tensor) -> Tensor:
    return torch.sqrt((sr - hr).square() + CHARBONNIER_EPSILON**2).mean()


@torch.no_grad()
def evaluate(average: dict[str, Tensor], recipe: Recipe, pairs: Sequence[Pair]) -> float:
    """Mean PSNR-Y in dB over whole pictures, in float32."""
    network = PlainNet(recipe.scale, recipe.width, recipe.depth)
    network.load_state_dict(average)
    enlarged = (from_batch(network(to_batch([pair.lr]))) for pair in pairs)
    return mean_psnr(enlarged, pairs, recipe.scale)


def bicubic(pairs: Sequence[Pair], scale: int) -> float:
    """Mean PSNR-Y in dB of bicubic up-scaling: the line that training has to leave behind."""
    return mean_psnr((upscale_bicubic(pair.lr, scale) for pair in pairs), pairs, scale)


def mean_psnr(enlarged: Iterable[Pixels], pairs: Sequence[Pair], scale: int) -> float:
    scores = [psnr_y(sr, pair.hr, scale) for sr, pair in zip(enlarged, pairs, strict=True)]
    return float(np.mean(scores))


def write(run: Run, out: Path, held_out_psnr: float) -> None:
    """Writes the weights and the resume file, each under a temporary name first."""
    metadata = {
        "format": "pt",
        "architecture": "plain",
        "scale": str(run.recipe.scale),
        "steps": str(run.step),
        "held_out_psnr_y": f"{held_out_psnr:.3f}",
        "recipe": json.dumps(asdict(run.recipe)),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in run.average.items()}
    partial = out.with_suffix(".partial")
    safetensors.torch.save_file(weights, partial, metadata)
    partial.replace(out)
    torch.save(run.state(), partial)
    partial.replace(out.with_suffix(".resume"))


def steps_for(minutes: float, recipe: Recipe, pairs: Sequence[Pair]) -> int:
    """How many steps this machine takes in `minutes`, from a short timed run that is thrown away."""
    trial = Run(recipe, pairs)
    trial.advance()
    start = time.monotonic()
    for _ in range(TIMED_STEPS):
        trial.advance()
    return max(1, round(minutes * 60 * TIMED_STEPS / (time.monotonic() - start)))


def train(run: Run, held: Sequence[Pair], out: Path, every: float) -> None:
    """Trains to the end of the recipe; every `every` seconds and at the end, evaluates and writes."""
    typer.echo(f"bicubic {bicubic(held, run.recipe.scale):.3f} dB on {len(held)} held-out pictures")
    losses: list[float] = []
    start, first = time.monotonic(), run.step
    written = start
    while run.step < run.recipe.steps:
        losses.append(run.advance())
        now = time.monotonic()
        if now - written < every and run.step < run.recipe.steps:
            continue
        psnr = evaluate(run.average, run.recipe, held)
        write(run, out, psnr)
        rate = (run.step - first) / (now - start)
        typer.echo(
            f"step {run.step}/{run.recipe.steps}  loss {np.mean(losses):.5f}  held-out {psnr:.3f} dB  "
            f"{rate:.1f} steps/s  {(run.recipe.steps - run.step) / rate / 60:.0f} min left"
        )
        losses, written = [], now


def default_folders() -> list[Path]:
    root = os.environ.get("EDGESR_DATA")
    return [Path(root) / folder for folder in DATA_FOLDERS] if root else []


app = typer.Typer(add_completion=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors).")],
    data: Annotated[list[Path] | None, typer.Option(help="Folder of HR pictures; repeat for more.")] = None,
    scale: int = 2,
    width: int = 32,
    depth: int = 4,
    steps: Annotated[int | None, typer.Option(help="Length of the schedule.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Choose --steps by timing this machine.")] = None,
    seed: int = 0,
    held_out: Annotated[int, typer.Option(help="Pictures kept from training to judge it.")] = 8,
    every: Annotated[float, typer.Option(help="Seconds between evaluations.")] = 300,
    threads: int = 1,
    bfloat16: Annotated[bool, typer.Option(help="Convolve in bfloat16 (weights stay float32).")] = True,
    resume: Annotated[Path | None, typer.Option(help="A .resume file of the same recipe.")] = None,
) -> None:
    """Train the plain mobile network; pictures default to the train folders under $EDGESR_DATA."""
    folders = data or default_folders()
    if not folders:
        raise typer.BadParameter("give --data, or set EDGESR_DATA")
    if (steps is None) == (minutes is None):
        raise typer.BadParameter("give either --steps or --minutes")
    torch.set_num_threads(threads)
    recipe = Recipe(scale, width, depth, steps or 1, seed, bfloat16=bfloat16)
    training, held = hold_out(read_pairs(folders, scale, recipe.crop), held_out)
    if minutes is not None:
        recipe = Recipe(scale, width, depth, steps_for(minutes, recipe, training), seed, bfloat16=bfloat16)
    typer.echo(f"{len(training)} pictures; {recipe}")
    run = Run(recipe, training)
    if resume:
        run.restore(torch.load(resume, weights_only=True))
    train(run, held, out, every)


if __name__ == "__main__":
    app()
