"""Run by the Python that has litert-torch, where nothing of edgesr is installed.

    python litert_torch_script.py NETWORK.pt2 TILES.npy OUT.tflite [--int8]

NETWORK takes (1,3,tile,tile); OUT takes and gives float32 NHWC. `--int8` is the quantizer's own recipe for
static 8 bits with its own calibration on the tiles; only the picture and the result stay float32.
"""

import sys
from pathlib import Path

import litert_torch
import numpy as np
import torch

SIGNATURE, INPUT = "serving_default", "image"


class ChannelsLast(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.network(image.permute(0, 3, 1, 2).contiguous()).permute(0, 2, 3, 1)


def quantized(program: Path, tiles: np.ndarray) -> bytes:
    from ai_edge_quantizer import qtyping, quantizer, recipe

    work = quantizer.Quantizer(str(program), recipe.static_wi8_ai8())
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        work.update_quantization_recipe(".*", end, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    calibration = work.calibrate({SIGNATURE: [{INPUT: tile[None]} for tile in tiles]})
    return bytes(work.quantize(calibration).quantized_model)


def main(network: Path, tiles: Path, output: Path, *flags: str) -> None:
    pixels = np.ascontiguousarray(np.load(tiles).transpose(0, 2, 3, 1))
    module = ChannelsLast(torch.export.load(network).module())
    module.training = False
    example = {INPUT: torch.from_numpy(pixels[:1])}
    litert_torch.signature(SIGNATURE, module, sample_kwargs=example).convert().export(str(output))
    if flags:
        output.write_bytes(quantized(output, pixels))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
