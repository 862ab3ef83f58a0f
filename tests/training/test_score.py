"""Scores follow the protocol: an untrained residual of zero must score what nearest neighbour scores."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from score import main

from edgesr.errors import UserError
from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import downscale
from edgesr.networks.fsrcnn import FSRCNN
from edgesr.networks.plain import PlainNet


def test_score_of_a_zero_residual_is_that_of_nearest_neighbour(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = PlainNet(2, 4, 1)
    torch.nn.init.zeros_(network.tail.weight)
    torch.nn.init.zeros_(network.tail.bias)
    weights = tmp_path / "plain_x2.safetensors"
    safetensors.torch.save_file(network.state_dict(), weights)
    folder = tmp_path / "Two"
    folder.mkdir()
    expected = []
    for seed in range(2):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
        picture = Image.fromarray(coarse).resize((49, 44), Image.Resampling.BICUBIC)
        picture.save(folder / f"{seed}.png")
        hr = np.asarray(picture)[:, :48]
        expected.append(psnr_y(downscale(hr, 2).repeat(2, 0).repeat(2, 1), hr, 2))
    main(weights, [folder])
    line = capsys.readouterr().out
    assert line.startswith(f"Two x2: {np.mean(expected):.2f} dB / ")
    assert line.endswith("2 pictures\n")


def test_a_checkpoint_that_does_not_tell_its_scale_is_given_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = FSRCNN(2, 4, 2, 1, channels=3)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    weights = tmp_path / "fsrcnn.safetensors"
    safetensors.torch.save_file(network.state_dict(), weights)
    folder = tmp_path / "One"
    folder.mkdir()
    hr = np.random.default_rng(0).integers(0, 256, (30, 33, 3), np.uint8)
    Image.fromarray(hr).save(folder / "0.png")
    with pytest.raises(UserError, match="give --scale"):
        main(weights, [folder])
    main(weights, [folder], scale=3)
    assert capsys.readouterr().out.startswith(f"One x3: {psnr_y(np.zeros_like(hr), hr, 3):.2f} dB / ")
