"""Writes the documents that follow from the code: docs/support.md.

python docs/generate.py
"""

from pathlib import Path

from edgesr.graph.capture import HANDLERS
from edgesr.lowering.support import support
from edgesr.networks.registry import ARCHITECTURES
from edgesr.networks.source import shipped

PATH = Path(__file__).parent / "support.md"


def atens() -> list[str]:
    """The public names of the ATen ops that are translated."""
    names = {str(op).split(".")[1] for op in HANDLERS if str(op).startswith("aten.")}
    return sorted(name for name in names if not name.startswith("_"))


def contents() -> str:
    """The support matrix as Markdown."""
    ops = support()
    targets = list(next(iter(ops.values())))
    lines = [
        "# What is supported",
        "",
        "Written by `python docs/generate.py` from the tables of the code.",
        "",
        "## Ops",
        "",
        "Everything that runs in int8 equals the integer reference. What has `f32` alone runs in float32,",
        "between conversions.",
        "",
        f"| op | {' | '.join(targets)} |",
        "|---" * (1 + len(targets)) + "|",
        *(f"| {op} | {' | '.join(', '.join(row[t]) or '-' for t in targets)} |" for op, row in ops.items()),
        "",
        "They are made of these ops of PyTorch, and of whatever PyTorch itself can say in them (SiLU,",
        "Hardswish, clip, stack, channel shuffle, weight norm, ...). Uses that are not supported are named.",
        "",
        ", ".join(f"`{name}`" for name in atens()),
        "",
        "## Networks",
        "",
        "| name | network | white | shipped weights | published in |",
        "|---|---|---|---|---|",
    ]
    for a in ARCHITECTURES:
        scales = ", ".join(f"x{weights.scale}" for weights in shipped() if weights.name == a.name)
        lines.append(f"| `{a.name}` | {a.title} | {a.pixel_range} | {scales or '-'} | {a.source} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(contents(), encoding="utf-8")
