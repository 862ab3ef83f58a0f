"""`python -m edgesr` is the command `edgesr`."""

from .cli.main import main

main()
