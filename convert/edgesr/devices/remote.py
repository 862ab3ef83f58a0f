"""Running a program at another place: its answers brought back, compared with the reference, and replayed.

What happens there happens in child processes (`children`), so it cannot harm this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edgesr_runtime.engines import OUTPUT, Floats
from edgesr_runtime.pictures.formats import RgbPicture
from edgesr_runtime.pte import method_name

from ..errors import UserError
from ..lowering.executorch.writer import PROBE_METHOD, write_probe
from ..lowering.targets import EXECUTORCH, target_of
from ..quantization.typed import TypedGraph
from .children import Answers, DeviceFault, Shown, Task, run_app, run_methods, run_signatures
from .host import Comparison, Run, Tiles, compare, hidden, to_images
from .litert import probe_program
from .places import Place


@dataclass(frozen=True)
class Recorded:
    """All answers of a program at a place: the comparison with the reference, and an engine that replays.

    Attributes:
        enlarged: the pictures that were given, by the runtime there; empty where there is none.
    """

    place: Place
    graphs: Mapping[str, TypedGraph]
    images: Floats
    answers: Mapping[tuple[str, bool], Answers]
    enlarged: tuple[RgbPicture, ...] = ()

    def comparison(self, tiles: Tiles, pixel_range: int) -> Comparison:
        """As `host.mismatches`, with the times that the runs took there.

        Raises:
            DeviceFault: looking at its inner tensors changes the program's answer there.
        """
        try:
            compared = compare(self.graphs, tiles, pixel_range, self._replay)
        except UserError as error:
            raise DeviceFault(f"{self.place.title}: {error}") from error
        variants = {
            name: replace(agreement, seconds=float(self.answers[name, False][0].min()))
            for name, agreement in compared.variants.items()
        }
        return Comparison(variants)

    def _replay(self, variant: str, graph: TypedGraph, names: Sequence[str]) -> Run:
        values = self.answers[variant, bool(names)][1]
        return lambda batch: {name: value[self._index(batch)] for name, value in values.items()}

    def _index(self, batch: Floats) -> int:
        for index, image in enumerate(self.images[:, None]):
            if np.array_equal(image, batch):
                return index
        raise ValueError("this picture was not run there")

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.graphs)

    def input_shape(self, variant: str) -> tuple[int, ...]:
        return 1, *self.images.shape[1:]

    def run(self, variant: str, batch: Floats) -> Floats:
        """The runtime's `Engine.run`, for pictures that were run."""
        return self.answers[variant, False][1][OUTPUT][self._index(batch)].copy()


def run_at(
    place: Place,
    program: bytes,
    tiles: Tiles,
    pixel_range: int,
    pictures: Sequence[RgbPicture] = (),
    progress: Shown = lambda: None,
) -> Recorded:
    """Runs every variant of a program on every tile, and once more with inner tensors made visible.

    Args:
        tiles: uint8 (N, tile, tile, 3).
        pictures: to be enlarged as a whole, where the place has a runtime of edgesr's.
        progress: called after each run.

    Raises:
        DeviceFault: the program is refused or crashes there, in words.
        UserError: the place itself is at fault.
    """
    target = target_of(program)
    graphs = target.read(program)
    images = to_images(tiles, pixel_range)
    if target is EXECUTORCH:
        plain, probes = _pte_tasks(program, graphs, tiles.shape[1])
        run = run_methods
    else:
        plain, probes = _tflite_tasks(program, graphs)
        run = run_signatures
    found: list[Answers] = []
    enlarged: tuple[RgbPicture, ...] = ()
    waiting = [*plain, *probes]
    with TemporaryDirectory(prefix="edgesr-device-") as name:
        folder = Path(name)
        if place.android:  # edgesr's runtime for Android runs the file; it shows no inner tensors
            found, enlarged = run_app(place, plain, images, pictures, folder, progress)
            waiting = probes
        if waiting:
            found = [*found, *run(place, waiting, images, folder, progress)]
    keys = [(task.variant, len(task.outputs) > 1) for task in (*plain, *probes)]
    return Recorded(place, graphs, images, dict(zip(keys, found, strict=True)), enlarged)


def runs(graphs: Mapping[str, TypedGraph], tiles: int) -> int:
    """How often `run_at` calls its `progress`."""
    return sum(tiles * (2 if hidden(graph) else 1) for graph in graphs.values())


Tasks = tuple[list[Task], list[Task]]
"""The very file, for the answers; and probes of it, for what lies inside."""


def _tflite_tasks(program: bytes, graphs: Mapping[str, TypedGraph]) -> Tasks:
    plain = [Task(name, program, name, (OUTPUT,)) for name in graphs]
    names = {variant: hidden(graph) for variant, graph in graphs.items()}
    probes = [
        Task(variant, probe_program(program, variant, inner), variant, (OUTPUT, *inner))
        for variant, inner in names.items()
        if inner
    ]
    return plain, probes


def _pte_tasks(program: bytes, graphs: Mapping[str, TypedGraph], tile: int) -> Tasks:
    plain = [Task(name, program, method_name(name), (OUTPUT,)) for name in graphs]
    probes = []
    for variant, graph in graphs.items():
        wanted = hidden(graph)
        if wanted:
            inner = tuple(node.name for node in graph if node.name in wanted)  # in the order of the graph
            probe = write_probe(graph, tile, inner)
            probes.append(Task(variant, probe, PROBE_METHOD, (*inner, OUTPUT)))
    return plain, probes
