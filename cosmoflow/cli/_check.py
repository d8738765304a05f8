"""`cosmoflow check`."""

from pathlib import Path
from typing import Annotated

import typer

from ._exit import FAILED
from ._options import ChainFile


def check(
    chain: ChainFile,
    repair: Annotated[
        Path | None,
        typer.Option("--repair", metavar="NEW.h5", help="Write what is sound to a new file.", show_default=False),
    ] = None,
) -> None:
    """Say whether a chain is whole; exit 1 if not."""
    from .. import chains

    found = chains.check(chain)
    print(found)
    if repair is not None:
        print(f"{repair}: {chains.repair(chain, repair)}")
    elif found.problems:
        raise typer.Exit(FAILED)
