"""Runs edgesr programs: opens a program file, cuts a picture into tiles, enlarges and stitches them."""

from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import ProgramInfo
from edgesr_runtime.program import Program, open_program
from edgesr_runtime.upscale import upscale

__version__ = "0.1.0"

__all__ = ["Program", "ProgramInfo", "UserError", "__version__", "open_program", "upscale"]
