"""Ranges of tensors that another converter's quantizer is given."""

from pathlib import Path

import numpy as np
import pytest

from edgesr.conversion import Options, convert
from edgesr.errors import UserError
from edgesr.steps.litert_torch import extremes


@pytest.fixture(scope="module")
def float_program(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> bytes:
    output = tmp_path_factory.mktemp("float") / "plain.tflite"
    convert(Options("plain", output, bits="f32", calib=photos, tile=32))
    return output.read_bytes()


@pytest.mark.parametrize("broken", [0, 1])
def test_one_batch_that_is_not_finite_is_enough(float_program: bytes, broken: int) -> None:
    batches = np.full((2, 1, 32, 32, 3), 0.5, np.float32)
    assert extremes(float_program, batches, 1)
    batches[broken] = np.nan
    with pytest.raises(UserError, match="not finite"):
        extremes(float_program, batches, 1)
