"""The matrix uses the cache of the user, where devices are kept: they are too much to download every time."""

from collections.abc import Iterator

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    """Takes the place of the other tests' own cache."""
    yield
