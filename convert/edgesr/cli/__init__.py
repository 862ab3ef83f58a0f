"""The `edgesr` command: one thin file per command, heavy imports inside the commands."""
