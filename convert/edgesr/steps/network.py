"""From a loaded network to the float graph that everything is measured against."""

from ..graph.capture import capture, verify
from ..graph.graph import Graph
from ..graph.rewrites import rewrite
from ..networks.architecture import Network


def float_graph(network: Network) -> Graph:
    """The network's graph as a phone should run it.

    Raises:
        UserError: if the network has ops that the graph does not know, or weights that are not finite.
    """
    return rewrite(capture(network.module, network.size))


def prove_equal(graph: Graph, network: Network, pixel_range: int) -> None:
    """Runs both on a random picture.

    Raises:
        UserError: if they differ by more than rounding.
    """
    verify(graph, network.module, pixel_range, size=network.size)
