"""Published weights in our own architectures must reach the scores measured for them elsewhere."""

from pathlib import Path

import numpy as np
import pytest
import torch

from edgesr.evaluation.folder import read_folder
from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import downscale, to_uint8, upscale_bicubic
from edgesr.networks.source import load_network


@pytest.mark.parametrize(
    ("weights", "name", "scale", "white", "parameters", "score"),
    [
        ("rlfn_x2", "rlfn", 2, 255, 526_856, 38.08),
        ("rlfn_x4", "rlfn", 4, 255, 543_740, 32.24),
        ("rlfn_ntire_x4", "rlfn", 4, 255, 317_218, 32.10),
        ("rfdn_x4", "rfdn", 4, 255, 433_448, 32.16),
        ("imdn_x4", "imdn", 4, 1, 893_936, 32.25),
        ("carn_m_multi", "carn_m", 4, 1, 294_171, 31.88),
        ("carn_m_multi", "carn_m", 2, 1, 257_051, 37.69),
    ],
)
def test_set5(
    data_dir: Path, weights: str, name: str, scale: int, white: int, parameters: int, score: float
) -> None:
    network = load_network(str(data_dir / "weights" / f"{weights}.pth"), scale=scale)
    assert (network.name, network.scale, network.pixel_range) == (name, scale, white)
    assert sum(parameter.numel() for parameter in network.module.parameters()) == parameters

    scores = []
    for picture in read_folder(data_dir / "eval" / "Set5").pictures:
        lr = torch.from_numpy(downscale(picture.rgb, scale)).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            sr = network.module(lr * (white / 255))[0].permute(1, 2, 0).numpy() * (255 / white)
        scores.append(psnr_y(to_uint8(sr), picture.rgb, border=scale))
    assert np.mean(scores) == pytest.approx(score, abs=0.02)


def test_bicubic_on_set5(data_dir: Path) -> None:
    pictures = read_folder(data_dir / "eval" / "Set5").pictures
    scores = [psnr_y(upscale_bicubic(downscale(p.rgb, 4), 4), p.rgb, border=4) for p in pictures]
    assert len(scores) == 5
    assert np.mean(scores) == pytest.approx(28.43, abs=0.02)
