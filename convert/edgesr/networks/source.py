"""From what the user calls MODEL to a network ready to convert.

MODEL is a registry name, a checkpoint, a torch.export program or `package.module:factory`. Only checkpoints
are safe to take from strangers: a factory is the user's own code, and loading a torch.export program can
run code too (PyTorch unpickles and evaluates parts of it).
"""

import contextlib
import difflib
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgesr.errors import UserError

from . import carn, registry
from .architecture import Architecture, Config, Network
from .checkpoint import LOADERS, check_file, first_line, read_checkpoint
from .keys import compare, shapes_of, without_first_part
from .luma import Luma

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
PIXEL_RANGES = (1, 255)
MAX_SCALE = 8  # what a program's metadata hold
PROBE_SIDE = 24
"""Pixels of the small picture on which a user's module is run once to find its scale."""


@dataclass(frozen=True)
class ShippedWeights:
    """Weights that come with edgesr: the network's registry name, its scale and the file."""

    name: str
    scale: int
    path: Path


def shipped() -> tuple[ShippedWeights, ...]:
    """The weights that come with edgesr, sorted by name, then scale."""
    found = []
    for path in WEIGHTS_FOLDER.glob("*.safetensors"):
        match = re.fullmatch(r"(.+)_x(\d+)", path.stem)
        if match and match[1] in registry.names():
            found.append(ShippedWeights(match[1], int(match[2]), path))
    return tuple(sorted(found, key=lambda weights: (weights.name, weights.scale)))


def load_network(
    model: str, weights: Path | None = None, scale: int | None = None, pixel_range: int | None = None
) -> Network:
    """The network that `model` names, weights loaded, in evaluation mode, without gradients.

    Args:
        model: registry name (with `weights`, or with shipped ones: the smallest scale unless `scale` says
            otherwise); path of a checkpoint, whose architecture is detected; path of a torch.export
            program (.pt2); or `package.module:factory`, found from the current folder too.
        weights: checkpoint for a registry name or a factory.
        scale: what the scale must be; None takes the network's own. A checkpoint for several scales, or one
            that fits every scale, needs it.
        pixel_range: value of white, 1 or 255; None takes the published one. A user's own network has none:
            it then stays 0, not known, and the caller decides on calibration pictures.

    Raises:
        UserError: anything wrong with the arguments, the files, or the user's module.
    """
    if pixel_range not in (None, *PIXEL_RANGES):
        raise UserError(f"--pixel-range {pixel_range}: white is 1 or 255: give one of them")
    suffix = Path(model).suffix.lower()
    if model.lower() in registry.names():
        architecture = registry.by_name(model)
        path = weights or _shipped_path(architecture.name, scale)
        network = _load_checkpoint(path, scale, pixel_range, architecture)
    elif suffix in (*LOADERS, ".pt2"):
        if weights is not None:
            raise UserError(f"--weights {weights}: {model} already holds weights: leave one of them out")
        path = Path(model)
        network = _load_program(path) if suffix == ".pt2" else _load_checkpoint(path, scale, pixel_range)
    elif ":" in model:
        network = _load_factory(model, weights)
    else:
        raise _unknown(model)
    if scale not in (None, network.scale):
        raise UserError(f"--scale {scale}: {model} is a x{network.scale} network: drop --scale")
    return Network(
        module=network.module.requires_grad_(False),
        name=network.name,
        scale=network.scale,
        pixel_range=pixel_range or network.pixel_range,
        config=network.config,
        size=network.size,
    )


def _unknown(model: str) -> UserError:
    if Path(model).exists():
        return UserError(
            f"{model}: neither a network nor a file of one: give a .safetensors, .pth, .pt or .pt2"
        )
    try:
        registry.by_name(model)
    except UserError as error:
        return error
    raise AssertionError(f"{model} is a known network")


def _shipped_path(name: str, scale: int | None) -> Path:
    found = [weights for weights in shipped() if weights.name == name]
    for weights in found:
        if scale in (None, weights.scale):
            return weights.path
    have = (
        f"shipped are {', '.join(f'x{weights.scale}' for weights in found)}" if found else "none are shipped"
    )
    wanted = f"{name} x{scale}" if scale else name
    raise UserError(f"{wanted}: no weights for it, {have}: give --weights FILE")


def _load_checkpoint(
    path: Path, scale: int | None, pixel_range: int | None, architecture: Architecture | None = None
) -> Network:
    """The network in a checkpoint, of a given architecture or of the one that its keys speak for."""
    state = carn.one_scale(read_checkpoint(path), scale, str(path))
    try:
        architecture, config = _recognised(state, architecture, path)
    except UserError:
        state = {new: state[old] for old, new in without_first_part(state).items()}
        if not state:
            raise
        architecture, config = _recognised(state, architecture, path)
    config = _at_scale(architecture, config, scale, path)
    with torch.device("meta"):  # the weights are about to be replaced: no need to draw random ones
        module = architecture.build(**config)
    _check_numbers(module, state, path)
    module.load_state_dict(state, assign=True)
    white = pixel_range or architecture.pixel_range
    if config.get("channels") == 1:
        module = Luma(module, config["scale"], white)
    return Network(module.eval(), architecture.name, config["scale"], white, config)


def _recognised(
    state: dict[str, Tensor], architecture: Architecture | None, path: Path
) -> tuple[Architecture, Config]:
    shapes = shapes_of(state)
    architecture = architecture or registry.detect(shapes, str(path))[0]
    return architecture, registry.match(architecture, shapes, str(path))


def _check_numbers(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Refuses weights of the right shape that no training leaves behind."""
    for key, own in module.state_dict().items():
        if own.is_floating_point() and not state[key].is_floating_point():
            raise UserError(f"{path}: '{key}' holds integers: save the float network")
        if key.endswith(".running_var") and (state[key] < 0).any():
            raise UserError(f"{path}: '{key}' holds a negative variance: fetch the file again")


def _at_scale(architecture: Architecture, config: Config, scale: int | None, path: Path) -> Config:
    """The configuration with the scale asked for, where the weights fit several."""
    alike = architecture.alike_scales
    if not alike:
        return config
    if scale not in alike:
        raise UserError(
            f"{path}: the weights of {architecture.title} do not tell their scale: "
            f"give --scale, one of {', '.join(map(str, alike))}"
        )
    return {**config, "scale": scale}


def _load_program(path: Path) -> Network:
    check_file(path)
    try:
        program = torch.export.load(path)
        # Such a module is in the mode it was exported in; calling eval() on it is an error.
        module = program.module()
        example = _example(program)
    except Exception as error:  # a damaged archive can raise anything
        raise UserError(
            f"{path}: not a torch.export program ({first_line(error)}): save it with torch.export.save"
        ) from error
    _check_input(program, path)
    scale = _probe_scale(module, example, str(path))
    return Network(module, path.stem, scale, pixel_range=0, size=_fixed_size(program))


def _check_input(program: torch.export.ExportedProgram, path: Path) -> None:
    """Refuses programs for other numbers than float32, or for a fixed batch of several pictures."""
    value = _input_node(program).meta["val"]
    if value.dtype != torch.float32:
        kind = str(value.dtype).removeprefix("torch.")
        raise UserError(f"{path}: exported for {kind} pictures: export the float32 network, module.float()")
    if isinstance(value.shape[0], int) and value.shape[0] != 1:
        raise UserError(
            f"{path}: exported for batches of {value.shape[0]}: export it for one picture, (1,3,H,W)"
        )


def _fixed_size(program: torch.export.ExportedProgram) -> tuple[int, int] | None:
    """Height and width, where the program was exported for these alone."""
    height, width = _input_node(program).meta["val"].shape[-2:]
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _input_node(program: torch.export.ExportedProgram) -> torch.fx.Node:
    first = program.graph_signature.user_inputs[0]
    return next(node for node in program.graph.nodes if node.name == first)


def _example(program: torch.export.ExportedProgram) -> Tensor:
    """A picture of a size that the program takes: its own example, or its input's shape."""
    if program.example_inputs is not None:
        arguments, keywords = program.example_inputs
        tensors = [value for value in (*arguments, *keywords.values()) if isinstance(value, Tensor)]
        return torch.full_like(tensors[0], 0.5, dtype=torch.float32)
    sizes = _input_node(program).meta["val"].shape
    shape = [size if isinstance(size, int) else PROBE_SIDE for size in sizes]
    return torch.full(shape, 0.5)


def _load_factory(model: str, weights: Path | None) -> Network:
    with _current_folder_first():
        module = _call_factory(model).to("cpu", torch.float32).eval()
    if weights is not None:
        module.load_state_dict(_fitting(read_checkpoint(weights), module, weights, model))
    probe = torch.full((1, 3, PROBE_SIDE, PROBE_SIDE), 0.5)
    return Network(module, model, _probe_scale(module, probe, model), pixel_range=0)


def _fitting(state: dict[str, Tensor], module: nn.Module, path: Path, model: str) -> dict[str, Tensor]:
    """The weights under the module's own names, where they have one attribute more or not."""
    wanted = shapes_of(module.state_dict())
    difference = compare(shapes_of(state), wanted)
    if not difference:
        return state
    shorter = {new: state[old] for old, new in without_first_part(state).items()}
    if shorter and not compare(shapes_of(shorter), wanted):
        return shorter
    raise UserError(f"{path}: does not fit {model}: {difference.describe()}: give its own weights")


def _call_factory(model: str) -> nn.Module:
    target = _import_target(model)
    if not callable(target):
        raise UserError(
            f"{model}: a {type(target).__name__}, not a function: name one that returns the network"
        )
    try:
        made = target()
    except Exception as error:
        raise UserError(
            f"{model}: calling it failed ({first_line(error)}): it must work without arguments"
        ) from error
    if not isinstance(made, nn.Module):
        raise UserError(f"{model}: returned a {type(made).__name__}: it must return a torch.nn.Module")
    return made


def _import_target(model: str) -> Any:
    name, _, attribute = model.partition(":")
    try:
        imported = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{model}: no module named {error.name}: run from the folder it is in, or install it"
        ) from error
    except Exception as error:
        raise UserError(
            f"{model}: importing {name} failed ({first_line(error)}): correct that module"
        ) from error
    if not hasattr(imported, attribute):
        close = difflib.get_close_matches(attribute, dir(imported), n=2)
        meant = f", but {' and '.join(close)}" if close else ""
        raise UserError(f"{model}: {name} has no '{attribute}'{meant}: give package.module:factory")
    return getattr(imported, attribute)


@contextlib.contextmanager
def _current_folder_first() -> Iterator[None]:
    """A console script does not search the current folder for modules; `python -m` does."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # the user's module may have changed the path itself
            sys.path.remove(folder)


def _takes_grey(module: nn.Module, picture: Tensor) -> bool:
    try:
        with torch.no_grad():
            return isinstance(module(picture[:, :1]), Tensor)
    except Exception:  # the user's code can raise anything
        return False


def _probe_scale(module: nn.Module, picture: Tensor, origin: str) -> int:
    """Runs the module once: the factor between its output's and its input's sides."""
    size = "x".join(map(str, picture.shape))
    try:
        with torch.no_grad():
            output = module(picture)
    except Exception as error:
        if _takes_grey(module, picture):
            raise UserError(
                f"{origin}: a network of grey pictures: wrap it in edgesr.networks.luma.Luma(network, scale, "
                "white), which runs it on luma and up-scales colours by bicubic"
            ) from error
        raise UserError(
            f"{origin}: does not run on a {size} picture ({first_line(error)}): it must take one RGB batch"
        ) from error
    if not isinstance(output, Tensor):
        raise UserError(
            f"{origin}: returns a {type(output).__name__}: it must return one picture as a tensor"
        )
    batch, channels, height, width = picture.shape if picture.ndim == 4 else (0, 0, 0, 0)
    scale = output.shape[-1] // width if output.ndim == 4 and width else 0
    if channels != 3 or scale < 1 or tuple(output.shape) != (batch, 3, height * scale, width * scale):
        made = "x".join(map(str, output.shape))
        raise UserError(
            f"{origin}: makes {made} of {size}: it must make (N,3,H*scale,W*scale) of (N,3,H,W), RGB"
        )
    if scale > MAX_SCALE:
        raise UserError(f"{origin}: enlarges {scale} times: edgesr takes up to {MAX_SCALE}")
    return scale
