"""Roles of convolutions: the papers' own for their networks, and sensible ones for all others."""

import pytest

from edgesr.graph import ops
from edgesr.graph.capture import capture
from edgesr.graph.graph import Graph
from edgesr.graph.rewrites import rewrite
from edgesr.networks import edsr, rdn, registry, rlfn, srresnet
from edgesr.networks.luma import Luma
from edgesr.quantization.simulation.roles import roles

from ..toy import conv, graph_of


def captured(module: object) -> Graph:
    return rewrite(capture(module.eval()))  # type: ignore[attr-defined]


def test_edsr_is_read_as_its_paper_names_it() -> None:
    found = roles(captured(edsr.EDSR(scale=4, width=8, depth=3)))
    assert found.head == ("head.0",)
    assert found.body == tuple(f"body.{block}.body.{layer}" for block in range(3) for layer in (0, 2))
    assert found.last == ("body.3",) and found.fusion == ()
    assert found.tail == ("tail.0.0", "tail.0.2", "tail.1")
    assert found.blocks == tuple(f"body.{block}.add" for block in range(3))


def test_srresnets_norms_and_activations_change_nothing() -> None:
    found = roles(captured(srresnet.SRResNet(scale=2, width=8, depth=2)))
    assert found.head == ("head.0",) and found.last == ("body.2",)
    assert found.body == ("body.0.conv1", "body.0.conv2", "body.1.conv1", "body.1.conv2")
    assert found.tail == ("tail.0.0", "tail.1")
    assert found.blocks == ("body.0.add", "body.1.add")


def test_rdn_has_two_head_convolutions_and_fixed_fusions() -> None:
    found = roles(captured(rdn.RDN(scale=2, width=8, blocks=2, layers=3, growth=4)))
    assert found.head == ("SFENet1", "SFENet2")
    dense = tuple(f"RDBs.{block}.convs.{layer}.conv.0" for block in range(2) for layer in range(3))
    assert found.body == (*dense, "GFF.0", "GFF.1") and found.last == ()
    assert found.fusion == ("RDBs.0.LFF", "RDBs.1.LFF")
    assert found.tail == ("UPNet.0", "UPNet.2")
    assert found.blocks == ("RDBs.0.add", "RDBs.1.add")


def test_attention_belongs_to_the_body() -> None:
    found = roles(captured(rlfn.RLFN(scale=2, width=8, mid=8, blocks=2, esa=4)))
    assert found.head == ("conv_1",) and found.last == ("conv_2",) and found.tail == ("upsampler.0",)
    assert {"block_1.esa.conv4", "block_2.esa.conv_f"} <= set(found.body)
    assert found.blocks == ("block_1.add", "block_2.add")


def test_without_residual_sums_every_convolution_of_the_body_is_a_block() -> None:
    found = roles(captured(registry.by_name("plain").build(scale=2, width=4, depth=2)))
    assert found.body == found.blocks == ("body.0", "body.1")
    assert (found.head, found.tail, found.last) == (("head",), ("tail",), ())


def test_colour_transforms_and_interpolated_chroma_have_no_role() -> None:
    architecture = registry.by_name("fsrcnn")
    found = roles(captured(Luma(architecture.build(**architecture.defaults), 2, 1)))
    named = {*found.head, *found.body, *found.fusion, *found.last, *found.tail}
    assert found.head == ("network.first_part.0",)
    assert all(name.startswith("network.mid_part") for name in found.body) and found.body
    assert not any("bicubic" in name or name in ("luma", "chroma") for name in named)


def test_convolutions_on_the_enlarged_picture_are_the_tail() -> None:
    graph = graph_of(
        ("head", conv(0, 3, 8, relu=True), "image"), ("body", conv(1, 8, 8, relu=True), "head"),
        ("wide", conv(2, 8, 16), "body"), ("up", ops.PixelShuffle(2), "wide"),
        ("high", conv(3, 4, 4, relu=True), "up"), ("out", conv(4, 4, 3), "high"),
    )  # fmt: skip
    assert roles(graph).tail == ("wide", "high", "out")
    assert roles(graph).body == ("body",)


@pytest.mark.parametrize("layers", [1, 2])
def test_networks_without_a_body(layers: int) -> None:
    steps = [
        (f"c{i}", conv(i, 3, 3, relu=i < layers - 1), f"c{i - 1}" if i else "image") for i in range(layers)
    ]
    assert roles(graph_of(*steps)).body == ()


SMALL = {
    "srvgg": {"scale": 2, "width": 8, "depth": 2},
    "rfdn": {"scale": 2, "width": 8, "blocks": 2, "esa": 4},
    "imdn": {"scale": 2, "width": 16, "blocks": 2, "distilled": 4, "reduced": 2},
    "carn": {"scale": 2, "width": 8},
    "espcn": {"scale": 3},
    "idn": {"scale": 2, "blocks": 1},
}


@pytest.mark.parametrize("name", SMALL)
def test_every_convolution_has_at_most_one_role_and_heads_come_first(name: str) -> None:
    architecture = registry.by_name(name)
    module = architecture.build(**{**architecture.defaults, **SMALL[name]})
    if architecture.defaults.get("channels") == 1:
        module = Luma(module, SMALL[name]["scale"], architecture.pixel_range)
    graph = captured(module)
    found = roles(graph)
    groups = (found.head, found.body, found.fusion, found.last, found.tail)
    named = [part for group in groups for part in group]
    assert len(named) == len(set(named)) and found.head and found.body and found.tail and found.blocks
    assert set(named) <= {node.name for node in graph.convs}
    order = {node.name: index for index, node in enumerate(graph)}
    assert all(list(group) == sorted(group, key=order.__getitem__) for group in groups)
    assert order[found.head[0]] < min(order[name] for name in found.body)
    assert max(order[name] for name in found.body) < order[found.tail[-1]]
