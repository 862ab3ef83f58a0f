"""This machine as a device: whether the runtime gives exactly the integer reference's numbers, and which ops
run in its fast kernels.

The reference is fed what the runtime itself computed up to each int8 segment, since float ops may differ
in the last bit between executors. Those values become visible by a probe: the same program with the
tensors at the segments' borders as further outputs.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgesr_runtime.engines import OUTPUT, engine_for
from edgesr_runtime.flatbuffer import CorruptFile
from edgesr_runtime.verify import check_structure

from ..errors import UserError
from ..graph import ops
from ..graph.shapes import shapes
from ..lowering.targets import EXECUTORCH, target_of
from ..quantization.reference import run
from ..quantization.typed import DynamicConv2d, Quantize, TypedGraph, TypedNode
from .litert import Runner, Values, load, probe_program

Tiles = NDArray[np.uint8]


@dataclass(frozen=True)
class Agreement:
    """How one variant compares with the integer reference.

    Attributes:
        mismatches: values that differ where an int8 segment ends.
        values: how many were compared.
        segments: int8 segments of the variant.
        psnr_to_reference: dB of the whole program against the whole reference on the first tile (float
            convolutions in the runtime's order take seconds a tile); infinite if every value is equal.
        max_error: largest difference there, in grey levels of 255.
        seconds: that the fastest run of a tile took.
    """

    mismatches: int
    values: int
    segments: int
    psnr_to_reference: float
    max_error: float = 0.0
    seconds: float = 0.0

    def joined(self, other: "Agreement") -> "Agreement":
        """Both together; segments and time are the first one's."""
        return replace(
            self,
            mismatches=self.mismatches + other.mismatches,
            values=self.values + other.values,
            psnr_to_reference=min(self.psnr_to_reference, other.psnr_to_reference),
            max_error=max(self.max_error, other.max_error),
        )


@dataclass(frozen=True)
class Comparison:
    """The runtime against the integer reference, over all variants of a program.

    `sizes` are the heights and widths of pictures that are no tiles.
    """

    variants: Mapping[str, Agreement]
    sizes: tuple[tuple[int, int], ...] = ()

    @property
    def mismatches(self) -> int:
        return sum(v.mismatches for v in self.variants.values())

    @property
    def values(self) -> int:
        return sum(v.values for v in self.variants.values())

    @property
    def segments(self) -> int:
        return sum(v.segments for v in self.variants.values())

    @property
    def psnr_to_reference(self) -> float:
        """dB of the worst variant; infinite if every value is equal."""
        return min(v.psnr_to_reference for v in self.variants.values())


@dataclass(frozen=True)
class Outside:
    """An op that LiteRT runs with its own kernel: its kind in TFLite's words and the tensor it makes."""

    kind: str
    name: str


@dataclass(frozen=True)
class Delegated:
    """Which ops of a variant run in XNNPACK: how many of `ops`, and those that do not."""

    ops: int
    outside: tuple[Outside, ...]

    @property
    def share(self) -> float:
        return 1.0 if not self.ops else 1 - len(self.outside) / self.ops


@dataclass(frozen=True)
class Delegation:
    """The same over all variants of a program."""

    variants: Mapping[str, Delegated]

    @property
    def share(self) -> float:
        """Share of ops in the delegate, 0..1."""
        total = sum(v.ops for v in self.variants.values())
        return 1.0 if not total else 1 - sum(len(v.outside) for v in self.variants.values()) / total


def mismatches(
    program: bytes,
    tiles: Tiles,
    pixel_range: float,
    threads: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Comparison:
    """Runs every variant in LiteRT and in the integer reference and counts the values that differ.

    Args:
        program: a .tflite or .pte file that edgesr wrote.
        tiles: uint8 (N, tile, tile, 3) pictures of the program's input size.
        pixel_range: value of white at the program's input, 1 or 255.
        progress: called after each tile of each variant.

    Raises:
        UserError: the file is damaged or holds ops that edgesr does not write, LiteRT refuses it, or
            looking at its inner tensors changes its answer.
        ValueError: tiles of another size than the program's input, or none at all.
    """
    return compare(
        target_of(program).read(program),
        tiles,
        pixel_range,
        lambda variant, graph, names: _runner(program, variant, graph, threads, names),
        progress,
    )


Run = Callable[[NDArray[np.float32]], Values]
Runners = Callable[[str, TypedGraph, Sequence[str]], Run]
"""Variant, its graph, names of inner tensors -> what runs it and gives these besides its answer."""


def compare(
    graphs: Mapping[str, TypedGraph],
    tiles: Tiles,
    pixel_range: float,
    runners: Runners,
    progress: Callable[[], None] = lambda: None,
) -> Comparison:
    """As `mismatches`, of a program that is run anywhere."""
    if len(tiles) == 0:
        raise ValueError("there is nothing to compare: no tiles were given")
    images = to_images(tiles, pixel_range)
    return Comparison(
        {
            name: _compare(name, graph, images, pixel_range, runners, progress)
            for name, graph in graphs.items()
        }
    )


def with_other_sizes(
    comparison: Comparison, program: bytes, pictures: Sequence[Tiles], pixel_range: float, threads: int = 1
) -> Comparison:
    """The comparison, joined by one on pictures (1, height, width, 3) of other sizes than the tile.

    Of these only what comes out is compared: every value of a variant that is int8 from end to end, and the
    distance in any case.
    """
    graphs, engine = target_of(program).read(program), engine_for(program, threads)
    found = dict(comparison.variants)
    for name, graph in graphs.items():
        for picture in pictures:
            answer = engine.run(name, image := to_images(picture, pixel_range))
            found[name] = found[name].joined(_compare_answer(graph, image, answer, pixel_range))
    return Comparison(found, tuple((p.shape[1], p.shape[2]) for p in pictures))


def _compare_answer(
    graph: TypedGraph, image: NDArray[np.float32], answer: NDArray[np.float32], pixel_range: float
) -> Agreement:
    expected = run(graph, _nchw(image))[graph.output]
    difference = expected.double() - _nchw(answer).double()
    throughout = bool(segments(graph)) and not hidden(graph)
    return Agreement(
        int(difference.count_nonzero()) if throughout else 0,
        difference.numel() if throughout else 0,
        0,
        *_distance(difference, pixel_range),
    )


def _distance(difference: Tensor, pixel_range: float) -> tuple[float, float]:
    """PSNR in dB, and the largest difference in grey levels."""
    psnr = _psnr(float(difference.square().mean()), pixel_range)
    return psnr, float(difference.abs().max()) * 255 / pixel_range


def to_images(tiles: Tiles, pixel_range: float) -> NDArray[np.float32]:
    """Tiles exactly as the runtime hands them to a program, (N, tile, tile, 3)."""
    return tiles.astype(np.float32) / np.float32(255 / pixel_range)


def hidden(graph: TypedGraph) -> tuple[str, ...]:
    """Names of the inner tensors that must be seen to compare every int8 segment."""
    borders = [Border.of(segment, graph) for segment in segments(graph)]
    names = {n for b in borders for n in (*b.inputs, *b.results)}
    return tuple(sorted(names - {graph.nodes[0].name, graph.output}))


def _compare(
    variant: str,
    graph: TypedGraph,
    images: NDArray[np.float32],
    pixel_range: float,
    runners: Runners,
    progress: Callable[[], None],
) -> Agreement:
    image_name, output = graph.nodes[0].name, graph.output
    borders = [Border.of(segment, graph) for segment in segments(graph)]
    names = hidden(graph)
    plain = runners(variant, graph, ())
    probing = runners(variant, graph, names) if names else plain
    dummies = _dummies(graph, *images.shape[1:3])
    differing = compared = 0
    psnr, largest, seconds = math.inf, 0.0, math.inf
    for position, image in enumerate(images[:, None]):
        start = time.perf_counter()
        answer = plain(image)[OUTPUT]
        seconds = min(seconds, time.perf_counter() - start)
        inner = probing(image)
        if not np.array_equal(inner[OUTPUT], answer, equal_nan=True):
            raise UserError(f"variant {variant!r} answers otherwise when its inner tensors are looked at")
        values = {name: _nchw(value) for name, value in inner.items()}
        values.update({image_name: _nchw(image), output: _nchw(answer)})
        for border in borders:
            known = {name: values[name] for name in border.inputs}
            known.update({name: dummies[name] for name in border.sizes})
            expected = run(graph, known=known, keep=border.results)
            differing += sum(int((value != values[name]).sum()) for name, value in expected.items())
            compared += sum(value.numel() for value in expected.values())
        if position == 0:
            whole = run(graph, values[image_name])[output]
            psnr, largest = _distance(whole.double() - values[output].double(), pixel_range)
        progress()
    return Agreement(differing, compared, len(borders), psnr, largest, seconds)


def _runner(program: bytes, variant: str, graph: TypedGraph, threads: int, names: Sequence[str]) -> Run:
    """One variant that also gives the named tensors."""
    if target_of(program) is not EXECUTORCH:
        return Runner(program, variant, threads, names)
    from .executorch import PteRunner

    return PteRunner(program, variant, graph, threads, names)


def _psnr(squared_error: float, peak: float) -> float:
    return math.inf if squared_error == 0 else 10 * math.log10(peak**2 / squared_error)


def _nchw(value: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(value.transpose(0, 3, 1, 2)))


def _dummies(graph: TypedGraph, height: int, width: int) -> dict[str, Tensor]:
    """A value of each tensor's size, for ops that read no more than the size of an input."""
    return {name: torch.zeros(()).expand(1, *shape) for name, shape in shapes(graph, height, width).items()}


def segments(graph: TypedGraph) -> tuple[tuple[TypedNode, ...], ...]:
    """The connected runs of int8 nodes, each with the `Quantize` nodes that feed it, in order.

    A convolution with a dynamic grid is one by itself: it is int8 between two float32 tensors.
    """
    parent: dict[str, str] = {node.name: node.name for node in graph if node.qparams is not None}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for node in graph:
        for name in _read_values(node):
            if node.name in parent and name in parent:
                parent[root(node.name)] = root(name)
    groups: dict[str, list[TypedNode]] = {}
    for node in graph:
        if node.name in parent:
            groups.setdefault(root(node.name), []).append(node)
    dynamic = ((node,) for node in graph if isinstance(node.op, DynamicConv2d))
    return (*(tuple(group) for group in groups.values()), *dynamic)


def _read_values(node: TypedNode) -> tuple[str, ...]:
    """The inputs whose values matter, not only their size."""
    return node.inputs[:1] if isinstance(node.op, ops.ResizeBilinear) else node.inputs


@dataclass(frozen=True)
class Border:
    """Where an int8 segment touches the rest.

    Attributes:
        inputs: the float32 tensors that it quantizes.
        results: the tensors that leave it, int8 but for a dynamic convolution's; the program's output itself
            where it is the float32 copy of such a tensor, for equal int8 values have equal copies.
        sizes: tensors outside of which only the size is read.
    """

    inputs: tuple[str, ...]
    results: tuple[str, ...]
    sizes: tuple[str, ...]

    @staticmethod
    def of(segment: Sequence[TypedNode], graph: TypedGraph) -> "Border":
        inside = {node.name for node in segment}
        inputs = {node.inputs[0] for node in segment if isinstance(node.op, Quantize | DynamicConv2d)}
        sizes = {name for node in segment for name in node.inputs} - inside - inputs
        results: set[str] = set()
        for name in inside:
            readers = [u for u in graph.users[name] if name in _read_values(u)]
            results.update(
                u.name if u.name == graph.output else name for u in readers if u.name not in inside
            )
            results.update([] if readers else [name])
        return Border(*(tuple(sorted(names)) for names in (inputs, results, sizes)))


def delegated(program: bytes, threads: int = 1) -> Delegation:
    """Which ops of every variant XNNPACK takes over when the runtime prepares the program.

    Raises:
        UserError: the file is damaged, or the runtime refuses it.
    """
    target = target_of(program)
    if target is EXECUTORCH:  # written as one delegate, and refused by the reader if it were more
        graphs = target.read(program)
        return Delegation({name: Delegated(len(graph.nodes) - 1, ()) for name, graph in graphs.items()})
    try:
        signatures = check_structure(program).signatures
    except CorruptFile as error:
        raise UserError(f"the program is not a sound .tflite file: {error}; convert it again") from error
    return Delegation({name: _delegated(program, name, threads) for name in signatures})


def _delegated(program: bytes, variant: str, threads: int) -> Delegated:
    """LiteRT lists the original ops and then the delegates, of the first subgraph alone.

    An op was taken over where it lies between a delegate's outputs and its inputs: whatever a delegate
    needs and does not compute itself is an input of it.
    """
    prepared = load(probe_program(program, variant), threads)
    listed = prepared._get_ops_details()
    original = [op for op in listed if op["op_name"] != "DELEGATE"]
    maker = {int(index): op for op in original for index in op["outputs"]}
    taken: set[int] = set()
    for delegate in (op for op in listed if op["op_name"] == "DELEGATE"):
        border = set(delegate["inputs"].tolist())
        stack = delegate["outputs"].tolist()
        while stack:
            op = maker.get(stack.pop())
            if op is not None and op["index"] not in taken:
                taken.add(op["index"])
                stack.extend(index for index in op["inputs"].tolist() if index not in border)
    names = {tensor["index"]: tensor["name"] for tensor in prepared.get_tensor_details()}
    outside = [op for op in original if op["index"] not in taken]
    return Delegated(
        len(original), tuple(Outside(op["op_name"], names[int(op["outputs"][0])]) for op in outside)
    )
