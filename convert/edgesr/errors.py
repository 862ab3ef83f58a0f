"""The error that a command shows as one line (exit code 2), shared with the runtime."""

from edgesr_runtime.errors import UserError

__all__ = ["UserError"]
