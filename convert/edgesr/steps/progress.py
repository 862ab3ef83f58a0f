"""How long work tells what it is doing, without knowing about terminals."""

from collections.abc import Callable
from typing import Protocol


class Advance(Protocol):
    """Called after each step of a stage; `note` says what has been found so far."""

    def __call__(self, note: str = "") -> None: ...


Stages = Callable[[str, int | None], Advance]
"""Begins a stage: its name and number of steps (None if not known)."""


def quiet(name: str, steps: int | None) -> Advance:
    """Stages that nobody watches."""
    return _unwatched


def _unwatched(note: str = "") -> None:
    pass
