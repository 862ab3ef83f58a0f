"""Scores shipped or freshly trained weights on folders of HR pictures, by the protocol of the literature.

python training/score.py out/plain_x2.safetensors $EDGESR_DATA/eval/Set5 $EDGESR_DATA/eval/Set14
python training/score.py carn_m_multi.pth $EDGESR_DATA/eval/Set5 --scale 4
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from pairs import Pixels, from_batch, to_batch

from edgesr.evaluation.folder import read_folder
from edgesr.evaluation.metrics import psnr_y, ssim_y
from edgesr.evaluation.resize import crop_to_multiple, downscale, upscale_bicubic
from edgesr.networks.architecture import Network
from edgesr.networks.source import load_network


@torch.no_grad()
def upscale(network: Network, lr: Pixels) -> Pixels:
    return from_batch(network.module(to_batch([lr]) * network.pixel_range) / network.pixel_range)


def score(enlarge: Callable[[Pixels], Pixels], pictures: list[Pixels], scale: int) -> str:
    results = [(enlarge(downscale(hr, scale)), crop_to_multiple(hr, scale)) for hr in pictures]
    psnr = np.mean([psnr_y(sr, hr, scale) for sr, hr in results])
    ssim = np.mean([ssim_y(sr, hr, scale) for sr, hr in results])
    return f"{psnr:.2f} dB / {ssim:.4f}"


def main(
    weights: Annotated[Path, typer.Argument(help="A checkpoint of any network that edgesr knows.")],
    folders: Annotated[list[Path], typer.Argument(help="Folders of HR pictures.")],
    scale: Annotated[int | None, typer.Option(help="For a checkpoint that fits several scales.")] = None,
) -> None:
    """Print PSNR-Y and SSIM-Y of a network, and of bicubic, on each folder."""
    network = load_network(str(weights), scale=scale)
    for folder in folders:
        pictures = [picture.rgb for picture in read_folder(folder).pictures]
        ours = score(lambda lr: upscale(network, lr), pictures, network.scale)
        cubic = score(lambda lr: upscale_bicubic(lr, network.scale), pictures, network.scale)
        typer.echo(f"{folder.name} x{network.scale}: {ours}  (bicubic {cubic}), {len(pictures)} pictures")


if __name__ == "__main__":
    typer.run(main)
