"""`cosmoflow merge`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import RunError, Status, StoreError
from ._options import Force


def merge(
    output: Annotated[Path, typer.Argument(metavar="RUN.h5", help="The chain of the whole run.", show_default=False)],
    parts: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PART.h5", help="Its parts [default: those in RUN.h5.parts].", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Join the parts of a run that several jobs have drawn."""
    from .._merge import merge as join
    from ..chains import part_path, parts_of

    files = parts or [part_path(output, chains) for chains in parts_of(output)]
    if not files:
        raise StoreError(f"There are no parts of {output}; name them, or draw them with `cosmoflow sample --part I/N`.")
    chain = join(files, output, overwrite=force)
    drawn = f"{output}: {chain.num_chains} chains of {chain.num_draws} draws."
    if chain.status is not Status.SUCCESSFUL:
        print(drawn)
        raise RunError(chain.status)
    print(drawn, chain.status.value)
