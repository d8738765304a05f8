"""The command that goes on with a run."""

import shlex
import sys


def resume_command() -> str:
    """The present command, with --resume."""
    given = [argument for argument in sys.argv[1:] if argument not in ("--resume", "--force")]
    return shlex.join(["cosmoflow", *given, "--resume"])
