"""Fixtures of the runtime's tests: one small valid program, as bytes and as a file."""

from pathlib import Path

import pytest

from .tiny_program import tiny_info, tiny_program


@pytest.fixture(scope="session")
def program_bytes() -> bytes:
    return tiny_program(tiny_info(), int8=True)


@pytest.fixture
def program_path(program_bytes: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(program_bytes)
    return path
