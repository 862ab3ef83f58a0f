"""Which convolutions 4-bit weights are offered to."""

from typing import Any

import pytest

from edgesr.graph.capture import capture
from edgesr.graph.rewrites import rewrite
from edgesr.networks import registry
from edgesr.quantization.containers import body, container_of, containers
from edgesr.quantization.plan import Plan

SMALL: dict[str, Any] = {"width": 8, "blocks": 2, "depth": 2, "mid": 8, "esa": 4, "scale": 4}
OUTSIDE = {
    "plain": ["head", "tail"],
    "edsr": ["sub_mean.conv2d", "head.0", "tail.0.0", "tail.0.2", "tail.1"],
    "srvgg": ["body.0", "body.6"],
    "rlfn": ["conv_1", "upsampler.0"],
    "rfdn": ["fea_conv", "upsampler.0"],
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_head_tail_and_up_sampler_are_no_body(name: str) -> None:
    architecture = registry.by_name(name)
    config = {key: SMALL.get(key, value) for key, value in architecture.defaults.items()}
    graph = rewrite(capture(architecture.build(**config)))
    inside = {node.name for node in body(graph)}
    assert [n.name for n in graph.convs if n.name not in inside] == OUTSIDE[name]
    chosen = containers(graph, 4)
    assert {n for n, container in chosen.items() if container == "w4a8"} == inside
    assert set(containers(graph, 8).values()) == {"w8a8"}


def test_defaults_of_nodes_that_a_plan_does_not_name() -> None:
    from .toy import residual

    graph = residual()
    assert container_of(graph["a"], Plan({}, {})) == "w8a8"
    assert container_of(graph["sum"], Plan({}, {})) == "a8"
    assert container_of(graph["a"], Plan({}, {}, containers={"a": "f32"})) == "f32"
