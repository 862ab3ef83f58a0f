"""Where tuning stands, in a file: parameters, the optimiser's memory and the random generator's state.

A NumPy archive without pickled objects, written atomically. It is tied to everything that the result
follows from by a mark, so tuning goes on from it exactly as if it had never stopped, or not at all.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from edgesr_runtime.files import write_atomically

from ...graph.graph import Graph, fingerprint
from ..plan import Plan
from ..statistics import CalibrationTiles

State = Mapping[str, np.ndarray]
HEADER = "mark"


def mark_of(graph: Graph, plan: Plan, tiles: CalibrationTiles, settings: object) -> str:
    """SHA-256 of what the result of tuning follows from, torch's version and number of threads included."""
    digest = sha256(fingerprint(graph))
    digest.update(plan.to_json().encode())
    digest.update(tiles.pixels.numpy().tobytes())
    surroundings = (tiles.pixel_range, tiles.seed, settings, torch.get_num_threads(), torch.__version__)
    digest.update(json.dumps([repr(value) for value in surroundings]).encode())
    return digest.hexdigest()


def save(path: Path, mark: str, state: State) -> None:
    """Writes the file, or leaves the one that is there."""
    buffer = io.BytesIO()
    np.savez(buffer, **{HEADER: np.array(mark)}, **state)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def load(path: Path, mark: str, like: State) -> dict[str, np.ndarray]:
    """The state in a file.

    Args:
        mark: the one that it must have.
        like: a state whose names, shapes and types it must have.

    Raises:
        ValueError: it is damaged, or belongs to other work; the message says which.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error})") from error
    if str(found.pop(HEADER, "")) != mark:
        raise ValueError(f"{path} is of another network, plan, set of pictures or setting")
    if _forms(found) != _forms(like):
        raise ValueError(f"{path} is damaged (its arrays are not those expected)")
    return found


def _forms(state: State) -> dict[str, tuple[object, object]]:
    return {name: (array.shape, array.dtype) for name, array in state.items()}
