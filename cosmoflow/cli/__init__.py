"""The command line: the only place that prints, handles signals and configures JAX."""

from ._app import main as main
