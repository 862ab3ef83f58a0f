"""Detection gives back the configuration a network was built with, and says what is wrong otherwise."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesr.errors import UserError
from edgesr.networks import registry
from edgesr.networks.keys import COUNTER

SMALL = st.integers(1, 5)
CONFIGS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "plain": {"scale": st.integers(2, 6), "width": st.integers(1, 64), "depth": SMALL},
    "edsr": {
        "scale": st.sampled_from([2, 3, 4]),
        "width": st.integers(1, 64),
        "depth": SMALL,
        "res_scale": st.just(1.0),
    },
    "srvgg": {"scale": st.integers(2, 4), "width": st.integers(1, 64), "depth": SMALL},
    "rfdn": {"scale": st.integers(2, 4), "width": st.integers(2, 64), "blocks": SMALL, "esa": SMALL},
    "rlfn": {
        "scale": st.integers(2, 4),
        "width": st.integers(1, 64),
        "mid": st.integers(1, 64),
        "blocks": SMALL,
        "esa": SMALL,
    },
    "imdn": {
        "scale": st.integers(2, 4),
        "width": st.integers(6, 64),
        "blocks": SMALL,
        "distilled": SMALL,
        "reduced": st.integers(0, 3),
    },
    "carn": {"scale": st.sampled_from([2, 3, 4]), "width": st.integers(1, 64)},
    "carn_m": {
        "scale": st.sampled_from([2, 3, 4]),
        "width": st.sampled_from([4, 8, 32, 64]),
        "groups": st.sampled_from([1, 2, 4]),
    },
    "srresnet": {
        "scale": st.sampled_from([2, 3, 4]),
        "width": st.integers(2, 64),
        "depth": SMALL,
        "bias": st.booleans(),
        "slope_per_channel": st.booleans(),
        "last": st.sampled_from([3, 9]),
        "idle_shift": st.booleans(),
    },
    "rdn": {
        "scale": st.sampled_from([2, 3, 4]),
        "width": st.integers(1, 64),
        "blocks": SMALL,
        "layers": SMALL,
        "growth": st.integers(1, 64),
    },
    "espcn": {
        "scale": st.integers(2, 8),
        "width": st.integers(1, 64),
        "narrow": st.integers(1, 64),
        "channels": st.sampled_from([1, 3]),
        "activation": st.just("tanh"),
    },
    "fsrcnn": {
        "scale": st.just(2),
        "width": st.integers(1, 64),
        "narrow": st.integers(1, 64),
        "depth": SMALL,
        "channels": st.sampled_from([1, 3]),
    },
    "idn": {
        "scale": st.just(2),
        "width": st.sampled_from([12, 20, 64]),
        "blocks": SMALL,
        "step": st.just(4),
        "channels": st.sampled_from([1, 3]),
    },
}


def shapes(name: str, **changes: Any) -> dict[str, tuple[int, ...]]:
    architecture = registry.by_name(name)
    return dict(registry.network_shapes(architecture, {**architecture.defaults, **changes}))


@pytest.mark.parametrize("name", registry.names())
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_detection_inverts_building(name: str, data: st.DataObject) -> None:
    config = data.draw(st.fixed_dictionaries(CONFIGS[name]))
    architecture, detected = registry.detect(shapes(name, **config))
    assert (architecture.name, detected) == (name, config)
    assert registry.match(architecture, shapes(name, **config)) == config


def test_wide_edsr_scales_its_residuals() -> None:
    _, config = registry.detect(shapes("edsr", width=256, depth=32, scale=3))
    assert config == {"scale": 3, "width": 256, "depth": 32, "res_scale": 0.1}


def test_weights_that_fit_every_scale_are_detected_at_the_published_one() -> None:
    unsure = [architecture for architecture in registry.ARCHITECTURES if architecture.alike_scales]
    assert {architecture.name for architecture in unsure} == {"fsrcnn", "idn"}
    for architecture in unsure:
        name, scales = architecture.name, architecture.alike_scales
        assert len({tuple(shapes(name, scale=scale).items()) for scale in scales}) == 1
        assert registry.detect(shapes(name, scale=3))[1]["scale"] == architecture.defaults["scale"]


def test_batch_norms_may_lack_their_counters() -> None:
    whole = shapes("srresnet")
    counters = {key for key in whole if key.endswith(COUNTER)}
    assert len(counters) == 33
    rest = {key: shape for key, shape in whole.items() if key not in counters}
    assert registry.detect(rest)[1] == registry.by_name("srresnet").defaults
    with pytest.raises(UserError, match=r"unexpected head\.num_batches_tracked"):
        registry.detect(shapes("plain") | {"head.num_batches_tracked": ()})


@pytest.mark.parametrize(
    ("name", "bent"),
    [
        ("carn_m", {"b1.b1.body.0.weight": (64, 15, 3, 3)}),
        ("idn", {"dblocks.0.enhancement_top.0.weight": (63, 64, 3, 3)}),
        ("idn", {"dblocks.0.enhancement_top.0.weight": (65, 64, 3, 3)}),
        ("imdn", {"IMDB1.c4.weight": (16, 0, 3, 3)}),
        ("srresnet", {"tail.1.weight": (3, 64, 8, 8)}),
        ("srresnet", {"tail.1.weight": ()}),
        ("espcn", {"first_part.0.weight": (64, 2, 5, 5)}),
        ("fsrcnn", {"first_part.0.weight": (56, 2, 5, 5)}),
        ("rdn", {"SFENet1.weight": (2**27, 1, 1, 1)}),
        ("carn", {"entry.weight": (2**27, 1, 1, 1)}),
    ],
)
def test_sizes_that_make_no_network_are_reported(name: str, bent: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(UserError, match=rf"does not fit {registry.by_name(name).title} .*is "):
        registry.detect(shapes(name) | bent)


def test_two_absurd_indices_do_not_multiply() -> None:
    layers = {f"RDBs.0.convs.{index}.conv.0.weight": (64, 64, 3, 3) for index in range(1000)}
    blocks = {f"RDBs.{index}.LFF.weight": (64, 64, 1, 1) for index in range(1000)}
    with pytest.raises(UserError, match="RDN"):
        registry.match(registry.by_name("rdn"), shapes("rdn") | layers | blocks)


@pytest.mark.parametrize("name", registry.names())
def test_a_single_missing_key_is_named(name: str) -> None:
    whole = shapes(name)
    needed = [key for key in whole if not key.endswith(COUNTER)]
    for key in needed[:: max(1, len(needed) // 20)]:
        rest = {other: shape for other, shape in whole.items() if other != key}
        with pytest.raises(UserError, match=rf"net\.pth: .*{registry.by_name(name).title}") as caught:
            registry.detect(rest, "net.pth")
        # Without the last of a row the row seems shorter: then the layer's other key is the unexpected one.
        assert f"{key.rpartition('.')[0]}." in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_hole_in_the_middle_is_a_missing_key() -> None:
    holed = shapes("rlfn")
    del holed["block_3.c1_r.weight"]
    with pytest.raises(UserError, match=r"RLFN .*: it lacks block_3\.c1_r\.weight; give"):
        registry.detect(holed)


def test_unexpected_keys_are_named_and_counted() -> None:
    extended = shapes("plain") | {f"extra.{index}": (1,) for index in range(6)}
    with pytest.raises(UserError, match=r"unexpected extra\.0, extra\.1, extra\.2, extra\.3 and 2 more;"):
        registry.detect(extended)


def test_misshaped_keys_are_named_with_both_shapes() -> None:
    bent = shapes("srvgg") | {"body.6.weight": (64, 32, 3, 3)}
    with pytest.raises(UserError, match=r"body\.6\.weight is 64x32x3x3, not 64x64x3x3"):
        registry.detect(bent)


def test_a_tail_that_makes_no_picture_is_misshaped() -> None:
    bent = shapes("plain") | {"tail.weight": (14, 32, 3, 3), "tail.bias": (14,)}
    with pytest.raises(UserError, match=r"tail\.weight is 14x32x3x3, not 12x32x3x3"):
        registry.detect(bent)


def test_an_absurd_index_makes_no_absurd_network() -> None:
    with pytest.raises(
        UserError, match=r"\(scale 2, width 32, depth 13\).*unexpected body\.999999999\.weight"
    ):
        registry.match(registry.by_name("plain"), shapes("plain") | {"body.999999999.weight": (32, 32, 3, 3)})


@pytest.mark.parametrize(
    "stranger",
    [
        {"conv1.weight": (64, 3, 7, 7), "fc.weight": (1000, 512), "fc.bias": (1000,)},
        {"head.weight": (3,), "tail.weight": (0, 1, 3, 3), "x": ()},
    ],
)
def test_a_stranger_is_refused_with_the_known_names(stranger: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(UserError, match=r"w\.pth: no known architecture .*plain, edsr, srvgg, rfdn, rlfn"):
        registry.detect(stranger, "w.pth")


def test_matching_the_wrong_architecture_is_refused() -> None:
    with pytest.raises(UserError, match="does not fit EDSR"):
        registry.match(registry.by_name("edsr"), shapes("rlfn"))


def test_names_are_found_in_any_case_and_unknown_ones_get_a_hint() -> None:
    assert registry.by_name("RLFN").name == "rlfn"
    with pytest.raises(UserError, match=r"unknown network 'rlnf' \(did you mean rlfn.*one of plain, edsr"):
        registry.by_name("rlnf")
    with pytest.raises(UserError, match=r"unknown network 'zzz': give one of"):
        registry.by_name("zzz")


def test_every_architecture_is_described_and_buildable_from_its_defaults() -> None:
    assert len(set(registry.names())) == len(registry.ARCHITECTURES) == len(CONFIGS)
    for architecture in registry.ARCHITECTURES:
        assert architecture.pixel_range in (1, 255)
        assert architecture.title
        assert architecture.source
        assert registry.detect(shapes(architecture.name)) == (architecture, architecture.defaults)
