"""Arguments that several commands share."""

import re
from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG.toml", help="The configuration of the run.", show_default=False)
]
ChainFile = Annotated[
    Path, typer.Argument(metavar="CHAIN.h5", help="The chain of a run, finished or not.", show_default=False)
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the run that is there.")]
Parameters = Annotated[
    str | None,
    typer.Option(
        "--parameters", help="Which, as in Omega_m,w0 [default: all, of figures at most seven].", show_default=False
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", help="The chain's file [default: as configured, else CONFIG.h5].", show_default=False),
]
MaxTime = Annotated[
    float | None,
    typer.Option(
        "--max-time",
        metavar="SECONDS",
        help="Stop within this time of the start, so that --resume goes on [default: as configured].",
        show_default=False,
    ),
]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices", min=1, help="How many devices compute [default: as configured, else all].", show_default=False
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


def split_names(names: str) -> list[str]:
    """Names between commas; those within brackets, as in `x[0,1]`, divide nothing."""
    return re.split(r",\s*(?![^\[]*\])", names)
