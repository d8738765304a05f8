"""Exit codes, for shells and batch systems."""

from .._results import RESUMABLE, Status

FAILED = 1
BAD_INPUT = 2


def exit_code(status: Status) -> int:
    """What the command says to its caller about how a run ended."""
    if status in (Status.SUCCESSFUL, Status.CONVERGED):
        return 0
    return RESUMABLE if status.resumable else FAILED
