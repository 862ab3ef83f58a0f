"""Runs edgesr programs: opens a program file, cuts a picture into tiles, enlarges and stitches them."""

from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import ProgramInfo, Routing
from edgesr_runtime.program import Program, open_program
from edgesr_runtime.recalibration import recalibrate
from edgesr_runtime.upscale import Manner, upscale
from edgesr_runtime.upscale_files import upscale_file

__version__ = "0.1.0"

__all__ = [
    "Manner", "Program", "ProgramInfo", "Routing", "UserError", "__version__", "open_program",
    "recalibrate", "upscale", "upscale_file",
]  # fmt: skip
