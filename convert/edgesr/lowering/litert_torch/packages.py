"""Whether the packages of the extra `edgesr[litert-torch]` are there; they are too heavy to import to ask."""

from importlib.util import find_spec

MODULES = ("litert_torch", "ai_edge_quantizer")


def missing() -> str:
    """What must be installed first, in words; "" where nothing is missing."""
    lacking = [name.replace("_", "-") for name in MODULES if find_spec(name) is None]
    return f"{' and '.join(lacking)}: pip install 'edgesr[litert-torch]'" if lacking else ""
