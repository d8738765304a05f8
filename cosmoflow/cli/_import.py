"""`cosmoflow import`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import split_names


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="The file, or the root of ROOT_1.txt or ROOT.1.txt, ...", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", help="The chain's file, .h5.", show_default=False)],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="getdist (Cobaya's too), cosmosis, netcdf, csv, emcee or zeus [default: as it looks].",
            show_default=False,
        ),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option("--names", help="Of the parameters, as in Omega_m,w0, for emcee and zeus.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the chain that is there.")] = False,
) -> None:
    """Read a chain of another program."""
    from ..chains import import_chain

    if output.suffix != ".h5":
        raise CosmoflowError(f"{output} does not end in .h5; name the chain's file so.")
    try:
        chain = import_chain(source, format, names=None if names is None else split_names(names))
    except ValueError as error:
        raise CosmoflowError(str(error)) from error
    chain.save(output, overwrite=force)
    if notes := chain.attributes.get("import_notes"):
        print(notes)
    print(f"{chain.num_chains} chains of {chain.num_draws} draws are in {output}")
