"""What is read from a .pte file, and files that nobody vouches for."""

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_programs import graph_of, one_input, random_conv

from edgesr.errors import UserError
from edgesr.graph import ops
from edgesr.lowering.executorch import container, subgraph, writer
from edgesr.lowering.executorch.kinds import Datatype
from edgesr.lowering.executorch.reader import REUSE, read
from edgesr.lowering.executorch.writer import write
from edgesr.quantization.affine import QParams
from edgesr.quantization.typed import TypedNode
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.pte import is_pte, read_pte, read_pte_metadata

from .programs import SIDE, tiny

Q, R = QParams(1 / 128, 0), QParams(0.3, -20)


@cache
def program() -> bytes:
    """Two variants with every kind of number format in them."""
    variants = {"serving_default": tiny("rlfn").typed("dynamic"), "high": tiny("srvgg").typed("mixed")}
    return write(variants, SIDE, b'{"scale": 2}')


def test_a_program_says_what_it_is() -> None:
    assert is_pte(program()) and not is_pte(b"\0\0\0\0TFL3")
    contents = read_pte(program())
    assert list(contents.methods) == ["serving_default", "high"]
    assert contents.methods["high"].takes == (1, 3, SIDE, SIDE)
    assert contents.methods["high"].gives == (1, 3, 4 * SIDE, 4 * SIDE)
    assert set(contents.strings) == {"edgesr", "edgesr_layers"}
    assert read_pte_metadata(program()) == b'{"scale": 2}'


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_means_the_same(data: st.DataObject) -> None:
    """A change that passes may only be one of a name or of the metadata: constants are named by content."""
    damaged = bytearray(program())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        graphs = read(bytes(damaged))
    except UserError as error:
        assert "\n" not in str(error)
        return
    for name, graph in read(program()).items():
        found = list(graphs.values())[list(read(program())).index(name)]
        assert all(a.op.same_as(b.op) and a.qparams == b.qparams for a, b in zip(graph, found, strict=True))


@pytest.mark.parametrize("length", [0, 7, 11, 39, 500, -1])
def test_a_file_cut_short(length: int) -> None:
    with pytest.raises(UserError, match=r"not a sound \.pte file"):
        read(program()[:length])


def test_a_file_with_something_appended() -> None:
    with pytest.raises(UserError, match="something that edgesr does not write"):
        read(program() + b"\0")


def simple() -> bytes:
    return write({"s": graph_of(one_input(random_conv(np.random.default_rng(0), 3, 4), Q, R), 3)}, 12, b"{}")


def repacked(change: Callable[[dict[str, object]], None]) -> bytes:
    """The simple program with other words about its layers."""
    contents = read_pte(simple())
    layers = json.loads(contents.strings[writer.LAYERS_METHOD])
    change(layers["s"])
    method = contents.methods["s"]
    again = container.Delegated(
        "s", container.Tensor(method.takes), (container.Tensor(method.gives),), method.payload
    )
    answers = {"edgesr": "{}", writer.LAYERS_METHOD: json.dumps(layers, separators=(",", ":"))}
    return container.pack([again], answers, contents.constants)


CHANGES: dict[str, Callable[[dict[str, object]], None]] = {
    "fewer names": lambda layers: layers.update(names=["image", "q"]),
    "equal names": lambda layers: layers.update(names=["image", "q", "q", "sr"]),
    "numbers": lambda layers: layers.update(names=[1, 2, 3, 4]),
    "no list": lambda layers: layers.update(names="image"),
    "no sizes": lambda layers: layers.update(sizes=None),
    "nothing": dict.clear,
}


@pytest.mark.parametrize("change", CHANGES)
def test_names_that_do_not_fit(change: str) -> None:
    assert repacked(lambda layers: None) == simple()
    with pytest.raises(UserError, match=r"not a sound \.pte file"):
        read(repacked(CHANGES[change]))


def test_one_constant_named_very_often() -> None:
    """A small file must not make the reader copy gigabytes."""
    constants = subgraph.Constants()
    graph = subgraph.Subgraph(constants)
    weight = np.zeros((4, 128, 128), np.int8)
    for index in range(400):
        graph.constant(weight, Datatype.INT8_PER_CHANNEL, np.full(4, 1 + index, np.float32))
    picture = container.Tensor((1, 3, 8, 8))
    method = container.Delegated("s", picture, (picture,), graph.to_bytes())
    answers = {"edgesr": "{}", writer.LAYERS_METHOD: '{"s": {"names": ["image"], "sizes": {}}}'}
    program = container.pack([method], answers, constants.by_key)
    assert len(program) < 400 * weight.nbytes / REUSE
    with pytest.raises(UserError, match="more often than any network does"):
        read(program)


def test_layers_may_share_their_weights() -> None:
    op = random_conv(np.random.default_rng(0), 16, 16, (9, 9), padding=ops.Padding(4, 4, 4, 4))
    nodes = one_input(op, Q, Q)
    for index in range(100):
        nodes.append(TypedNode(f"c{index}", op, (nodes[-1].name,), Q))
    program = write({"s": graph_of(nodes, 16)}, 12, b"{}")
    assert len(program) < 4 * op.weight.nbytes
    assert len(read(program)["s"].nodes) == len(nodes) + 2


def test_a_file_of_another_kind() -> None:
    contents = container.pack([], {"other": "{}"}, {})
    with pytest.raises(UserError, match="it has no method 'edgesr'"):
        read_pte_metadata(contents, "a.pte")
    with pytest.raises(UserError, match=r"a\.pte is not a sound \.pte file"):
        read_pte_metadata(b"TFL3" * 10, "a.pte")


def method(**changes: object) -> bytes:
    picture = container.Tensor((1, 3, 8, 8))
    fields: dict[str, object] = {"name": "s", "takes": picture, "gives": (picture,), "payload": b"x"}
    return container.pack([container.Delegated(**{**fields, **changes})], {}, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"takes": container.Tensor((3, 8, 8))}, "NCHW"),
        ({"takes": container.Tensor((1, 3, 8, 1 << 20))}, "impossible shape"),
        ({"gives": (container.Tensor((1, 3, 8, 8), is_int8=True),)}, "float32"),
        ({"gives": (container.Tensor((1, 3, 8, 8)),) * 2}, "more than"),
    ],
)
def test_methods_that_edgesr_does_not_write(changes: dict[str, object], reason: str) -> None:
    assert read_pte(method()).methods["s"].payload == b"x"
    with pytest.raises(CorruptFile, match=reason):
        read_pte(method(**changes))
