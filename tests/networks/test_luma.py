"""Y-only networks in colour, and the bicubic that carries their chroma."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from edgesr.evaluation.resize import resize
from edgesr.networks.bicubic import PYTORCH, Bicubic
from edgesr.networks.espcn import ESPCN
from edgesr.networks.luma import Luma


def studio_luma(picture: Tensor, white: float) -> Tensor:
    """Y of BT.601 in 16..235 of 255, by the integers of the standard: (N,3,H,W) -> (N,1,H,W)."""
    red, green, blue = (picture / white).split(1, dim=1)
    return white * (16 + 65.481 * red + 128.553 * green + 24.966 * blue) / 255


def chroma(picture: Tensor) -> Tensor:
    """Cb and Cr without their offset: (N,3,H,W) -> (N,2,H,W)."""
    rows = torch.tensor([[-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
    return torch.einsum("oc,nchw->nohw", rows, picture)


class Nearest(nn.Module):
    """A network that learnt nothing."""

    def forward(self, luma: Tensor) -> Tensor:
        return functional.interpolate(luma, scale_factor=2, mode="nearest")


@settings(max_examples=25, deadline=None)
@given(scale=st.integers(2, 5), height=st.integers(2, 6), width=st.integers(2, 6), channels=st.integers(1, 3))
def test_bicubic_is_that_of_pytorch_at_the_border_too(
    scale: int, height: int, width: int, channels: int
) -> None:
    picture = torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(picture, scale_factor=scale, mode="bicubic", align_corners=False)
    torch.testing.assert_close(Bicubic(channels, scale, PYTORCH)(picture), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_default_bicubic_is_that_of_the_evaluation(scale: int) -> None:
    picture = np.random.default_rng(0).random((9, 8))
    got = Bicubic(1, scale)(torch.tensor(picture, dtype=torch.float32)[None, None])[0, 0].numpy()
    inner = (slice(2 * scale, -2 * scale),) * 2  # beyond the border, the evaluation mirrors the picture
    np.testing.assert_allclose(got[inner], resize(picture, 9 * scale, 8 * scale)[inner], atol=1e-6)


@pytest.mark.parametrize("white", [1, 255])
def test_the_luma_of_a_picture_is_what_the_network_makes_of_it(white: int) -> None:
    torch.manual_seed(0)
    network = ESPCN(scale=2, width=4, narrow=3)
    whole = Luma(network, 2, white)
    grey = white * torch.rand(1, 1, 8, 9).expand(1, 3, 8, 9)
    expected = network(studio_luma(grey, white))
    torch.testing.assert_close(studio_luma(whole(grey), white), expected, rtol=1e-5, atol=1e-5 * white)
    torch.testing.assert_close(whole(grey)[:, :1].expand(1, 3, 16, 18), whole(grey))  # still grey
    colour = white * torch.rand(1, 3, 8, 9)
    expected = network(studio_luma(colour, white))
    torch.testing.assert_close(studio_luma(whole(colour), white), expected, rtol=1e-5, atol=1e-5 * white)


def test_chroma_is_upscaled_by_bicubic() -> None:
    colour = torch.rand(1, 3, 6, 7)
    expected = Bicubic(2, 2)(chroma(colour))
    torch.testing.assert_close(chroma(Luma(Nearest(), 2, 1)(colour)), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "rgb", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.2, 0.3, 0.9), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]
)
def test_plain_colours_survive_up_to_the_border(rgb: tuple[float, ...]) -> None:
    picture = torch.tensor(rgb).reshape(1, 3, 1, 1)
    enlarged = Luma(Nearest(), 2, 1)(picture.expand(1, 3, 5, 5))
    torch.testing.assert_close(enlarged, picture.expand(1, 3, 10, 10), rtol=0, atol=1e-5)
