"""`cosmoflow export`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import ChainFile, Parameters, split_names

_ENDINGS = {"getdist": "_getdist", "cosmosis": "_cosmosis", "netcdf": ".nc", "csv": ".csv", "emcee": "_emcee.h5"}


def export(
    chain: ChainFile,
    to: Annotated[str, typer.Option("--to", help=f"The format: {', '.join(_ENDINGS)}.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="The file, or for getdist and cosmosis the root of ROOT_1.txt, ROOT_2.txt, ... [default: like CHAIN].",
            show_default=False,
        ),
    ] = None,
    parameters: Parameters = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files that are there.")] = False,
) -> None:
    """Write a chain for another program."""
    from ..chains import Chain, export_chain

    draws = Chain.from_file(chain)
    path = chain.with_name(chain.stem + _ENDINGS.get(to, "")) if output is None else output
    chosen = None if parameters is None else split_names(parameters)
    try:
        files = export_chain(draws, path, to, parameters=chosen, overwrite=force)
    except (ValueError, ImportError) as error:
        raise CosmoflowError(f"{str(error).rstrip('.')}.") from error
    print(f"Written {', '.join(map(str, files))}")
