"""Trains a network of `trained.py` on pairs made from folders of pictures.

The file holds an exponential moving average of the weights, which load into the network as they are; the
plain network is trained over-parameterised (`collapsible.py`) and written collapsed. Beside it stands a
`.resume` file; a resumed run repeats what the uninterrupted run would have done.

    python training/train.py --out out/plain_x2.safetensors --scale 2 --steps 90000
    python training/train.py --network edsr --out out/edsr_x4.safetensors --scale 4 --minutes 30 --device cuda
"""

import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import safetensors.torch
import torch
import typer
from pairs import Pair, Pixels, draw_batch, from_batch, hold_out, read_pairs, to_batch
from torch import Tensor, nn
from trained import TRAINED, Scaled, Trained

from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import upscale_bicubic

DATA_FOLDERS = ("train/bsds400", "train/general100_t91")
CHARBONNIER_EPSILON = 1e-3
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
    network: str = "plain"
    hidden: int = 128
    crop: int = 48
    batch: int = 16
    rate: float = 1e-3
    last_rate: float = 1e-5
    ema: float = 0.999
    bfloat16: bool = True

    @property
    def trained(self) -> Trained:
        return TRAINED[self.network]

    def build(self) -> nn.Module:
        """The network as it ships, with random weights."""
        return self.trained.build(self.scale, self.width, self.depth)

    def rate_at(self, step: int) -> float:
        """Cosine from `rate` to `last_rate`, after a linear rise."""
        cosine = (1 + math.cos(math.pi * min(step / self.steps, 1))) / 2
        rise = min((step + 1) / WARM_UP, 1)
        return rise * (self.last_rate + (self.rate - self.last_rate) * cosine)


class Run:
    """The state of one training run; `advance` takes one step."""

    def __init__(self, recipe: Recipe, pairs: Sequence[Pair], device: str = "cpu") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pairs, self.step, self.device = recipe, pairs, 0, device
        self.network = recipe.trained.trainable(recipe.build(), recipe.hidden).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = recipe.trained.weights(self.network)
        self.optimizer = torch.optim.Adam(self.network.parameters(), recipe.rate)

    def advance(self) -> float:
        """One step; returns its loss."""
        recipe = self.recipe
        lr, hr = draw_batch(self.pairs, recipe.scale, recipe.crop, recipe.batch, recipe.seed, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate_at(self.step)
        with torch.autocast(self.device, torch.bfloat16, enabled=recipe.bfloat16):
            sr = self.network(lr.to(self.device).contiguous(memory_format=torch.channels_last))
        loss = charbonnier(sr.float(), hr.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), recipe.trained.gradient_norm)
        self.optimizer.step()
        self.step += 1
        # A long memory would keep the random start in the average for the first thousand steps.
        decay = min(recipe.ema, self.step / (self.step + 10))
        for name, tensor in recipe.trained.weights(self.network).items():
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
    network = recipe.build()
    network.load_state_dict(average)
    scaled = Scaled(network, recipe.trained.white)
    enlarged = (from_batch(scaled(to_batch([pair.lr]))) for pair in pairs)
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
        "architecture": run.recipe.network,
        "scale": str(run.recipe.scale),
        "steps": str(run.step),
        "held_out_psnr_y": f"{held_out_psnr:.3f}",
        "recipe": json.dumps(asdict(run.recipe)),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    dtype = run.recipe.trained.dtype
    weights = {name: tensor.to("cpu", dtype).contiguous() for name, tensor in run.average.items()}
    partial = out.with_suffix(".partial")
    safetensors.torch.save_file(weights, partial, metadata)
    partial.replace(out)
    torch.save(run.state(), partial)
    partial.replace(out.with_suffix(".resume"))


def steps_for(minutes: float, recipe: Recipe, pairs: Sequence[Pair], device: str = "cpu") -> int:
    """How many steps this machine takes in `minutes`, from a short timed run that is thrown away."""
    trial = Run(recipe, pairs, device)
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
    network: Annotated[str, typer.Option(help=f"One of {', '.join(TRAINED)}.")] = "plain",
    data: Annotated[list[Path] | None, typer.Option(help="Folder of HR pictures; repeat for more.")] = None,
    scale: int = 2,
    width: Annotated[int | None, typer.Option(help="Channels. [default: as it ships]")] = None,
    depth: Annotated[int | None, typer.Option(help="Layers or blocks. [default: as it ships]")] = None,
    steps: Annotated[int | None, typer.Option(help="Length of the schedule.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Choose --steps by timing this machine.")] = None,
    seed: int = 0,
    held_out: Annotated[int, typer.Option(help="Pictures kept from training to judge it.")] = 8,
    every: Annotated[float, typer.Option(help="Seconds between evaluations.")] = 300,
    threads: int = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    bfloat16: Annotated[bool, typer.Option(help="Convolve in bfloat16 (weights stay float32).")] = True,
    resume: Annotated[Path | None, typer.Option(help="A .resume file of the same recipe.")] = None,
) -> None:
    """Train a network; pictures default to the train folders under $EDGESR_DATA."""
    folders = data or default_folders()
    if not folders:
        raise typer.BadParameter("give --data, or set EDGESR_DATA")
    if (steps is None) == (minutes is None):
        raise typer.BadParameter("give either --steps or --minutes")
    if network not in TRAINED:
        raise typer.BadParameter(f"--network {network}: give one of {', '.join(TRAINED)}")
    torch.set_num_threads(threads)
    shipped = TRAINED[network]
    recipe = Recipe(
        scale, width or shipped.width, depth or shipped.depth, steps or 1, seed, network, bfloat16=bfloat16
    )
    training, held = hold_out(read_pairs(folders, scale, recipe.crop), held_out)
    if minutes is not None:
        recipe = replace(recipe, steps=steps_for(minutes, recipe, training, device))
    typer.echo(f"{len(training)} pictures; {recipe}")
    run = Run(recipe, training, device)
    if resume:
        run.restore(torch.load(resume, weights_only=True, map_location=device))
    train(run, held, out, every)


if __name__ == "__main__":
    app()
