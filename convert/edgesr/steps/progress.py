"""How long work tells what it is doing, without knowing about terminals."""

from collections.abc import Callable

Advance = Callable[[], None]
Stages = Callable[[str, int | None], Advance]
"""Begins a stage: its name and number of steps (None if not known) -> what to call after each step."""


def quiet(name: str, steps: int | None) -> Advance:
    """Stages that nobody watches."""
    return lambda: None
