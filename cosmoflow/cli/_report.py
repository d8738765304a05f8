"""`cosmoflow report`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import ChainFile, Parameters, split_names
from ._write import write_text


def report(
    chain: ChainFile,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="OTHER.h5", help="Compare with this run; may be repeated.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The page [default: CHAIN.html].", show_default=False)
    ] = None,
    parameters: Parameters = None,
) -> None:
    """Write a run as one HTML page: figures, tables, data, provenance, citations."""
    from ._environment import configure_jax

    configure_jax()
    from ..chains import Chain
    from ..report import Subject, page

    draws = Chain.from_file(chain)
    named = {path.stem if path.stem != chain.stem else str(path): Chain.from_file(path) for path in others or []}
    subject = Subject(chain, draws, named, None if parameters is None else split_names(parameters))
    try:
        text = page(subject)
    except (ValueError, ImportError) as error:
        raise CosmoflowError(f"{str(error).rstrip('.')}.") from error
    path = chain.with_suffix(".html") if output is None else output
    write_text(path, text)
    print(f"The report is in {path}")
