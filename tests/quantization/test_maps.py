"""What AdaBM's two maps begin with: which layers and which pictures are unlike the others."""

import numpy as np
import pytest

from edgesr.quantization.maps import DECAY, image_thresholds, layer_map

BATCH = 16


@pytest.mark.parametrize(
    ("spreads", "expected"),
    [
        ([], []),
        ([5.0], [0]),
        ([1.0, 2.0], [-1, 1]),
        ([2.0, 1.0, 3.0], [0, -1, 1]),
        ([4.0] * 5, [0] * 5),
        ([10, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, -1, -1, -1, 0, 0, 0, 0, 1, 1]),
    ],
)
def test_the_layer_map_parts_layers_at_the_30th_and_70th_percentile(
    spreads: list[float], expected: list[int]
) -> None:
    names = [str(index) for index in range(len(spreads))]
    assert list(layer_map(dict(zip(names, spreads, strict=True))).values()) == expected


def test_thresholds_are_moving_averages_of_the_batches_quantiles() -> None:
    detail = np.random.default_rng(0).uniform(5, 60, BATCH + 7)
    first, second = detail[:BATCH], detail[BATCH:]
    expected = [DECAY * np.quantile(first, q) + (1 - DECAY) * np.quantile(second, q) for q in (0.1, 0.9)]
    assert image_thresholds(detail.tolist(), BATCH) == pytest.approx(expected)


def test_there_are_none_where_all_pictures_are_alike() -> None:
    assert image_thresholds([17.0], BATCH) is None
    assert image_thresholds([17.0] * 40, BATCH) is None
