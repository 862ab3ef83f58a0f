"""Typed graphs -> ExecuTorch program: one method per variant, each of one XNNPACK delegate.

ExecuTorch's own converter finds quantized patterns in an exported network, and takes fewer op kinds in int8
than its kernels know. Here the delegate's program is written as the typed graph says it, in milliseconds.
The picture goes in and out as float32 NCHW in the network's pixel range; between, all is NHWC.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from edgesr_runtime.pte import METADATA_METHOD, method_name

from ...graph import ops
from ...graph.shapes import shapes
from ...quantization.typed import TypedGraph
from ..arrange import arrange
from .container import Delegated, Tensor, pack
from .emit import Emitter
from .kinds import INPUT_FLAG, OUTPUT_FLAG, TO_NCHW, TO_NHWC
from .subgraph import Constants, Subgraph

LAYERS_METHOD = "edgesr_layers"
PROBE_METHOD = "probe"


def write(
    variants: Mapping[str, TypedGraph], tile: int, metadata: bytes, largest: int | None = None
) -> bytes:
    """A .pte file with one method per variant, each of one XNNPACK delegate, and equal constants stored once.

    Args:
        variants: name -> typed graph; the default one becomes the method `forward`, others keep their names.
        tile: height and width of the input (1, channels, tile, tile) in pixels.
        metadata: the JSON of the program, which the method `edgesr` returns.
        largest: height and width up to which the program takes any picture; None where it takes a tile alone.

    Raises:
        UserError: an op, or its use, that ExecuTorch's XNNPACK cannot run (at every size, where that is
            asked for); names it and its layer.
        ValueError: if the tile is too small for the network.
    """
    constants, layers, methods = Constants(), {}, []
    for name, graph in variants.items():
        arranged = arrange(graph)
        methods.append(_method(method_name(name), arranged, Sides(tile, largest), constants, ()))
        layers[name] = _layers(arranged)
    answers = {METADATA_METHOD: metadata.decode(), LAYERS_METHOD: json.dumps(layers, separators=(",", ":"))}
    return pack(methods, answers, constants.by_key)


def write_probe(graph: TypedGraph, tile: int, names: Collection[str]) -> bytes:
    """The program of one arranged graph whose method gives the named tensors besides its result.

    They come first, in the order of the graph's nodes, as NHWC float32 or int8; the result comes last.
    """
    constants = Constants()
    method = _method(PROBE_METHOD, graph, Sides(tile), constants, names)
    return pack([method], {}, constants.by_key)


def _layers(graph: TypedGraph) -> dict[str, object]:
    """What a delegate program has no room for: names by label, and whose size a resize takes."""
    sizes = {
        node.name: node.inputs[1]
        for node in graph
        if isinstance(node.op, ops.ResizeBilinear) and len(node.inputs) > 1
    }
    return {"names": [node.name for node in graph], "sizes": sizes}


@dataclass(frozen=True)
class Sides:
    """Pixels of a program's input along either side.

    The delegate is written for a tile, so that it takes the memory of a tile before it is handed something
    else; the file around it sets memory aside for the `largest` picture to come in and go out.
    """

    tile: int
    largest: int | None = None

    def handed(self, graph: TypedGraph) -> Iterable[Tensor]:
        """The pictures that come in and go out."""
        side = self.tile if self.largest is None else self.largest
        sizes = shapes(graph, side, side)
        for name in (graph.nodes[0].name, graph.output):
            yield Tensor((1, *sizes[name]), resizable=self.largest is not None)


def _method(
    name: str, graph: TypedGraph, sides: Sides, constants: Constants, shown: Collection[str]
) -> Delegated:
    sizes = shapes(graph, sides.tile, sides.tile)
    e = Emitter(Subgraph(constants), graph, sizes, shown, resizable=sides.largest is not None)
    image = graph.nodes[0]
    e.transpose(e.subgraph.value((1, *sizes[image.name]), None, INPUT_FLAG), e.output(image), TO_NHWC)
    for node in graph.nodes[1:]:
        e.write(node)
    e.label = len(graph.nodes)
    result = e.subgraph.value((1, *sizes[graph.output]), None, OUTPUT_FLAG)
    e.transpose(e.index[graph.output], result, TO_NCHW)
    inner = (Tensor(e.shape(n.name), n.qparams is not None) for n in graph if n.name in shown)
    takes, gives = sides.handed(graph)
    return Delegated(name, takes, (*inner, gives), e.subgraph.to_bytes())
