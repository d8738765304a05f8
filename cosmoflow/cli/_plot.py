"""`cosmoflow plot`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import ChainFile, Parameters, split_names


def plot(
    chain: ChainFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The figure, .png or .pdf [default: CHAIN.png].", show_default=False),
    ] = None,
    parameters: Parameters = None,
) -> None:
    """Draw the corner plot of a chain and, of a field, its maps, power, coherence and modes beside it."""
    from ..chains import Chain
    from ._figures import save_figures

    draws = Chain.from_file(chain)
    path = chain.with_suffix(".png") if output is None else output
    try:
        paths = save_figures(draws, path, None if parameters is None else split_names(parameters))
    except (ValueError, ImportError) as error:
        raise CosmoflowError(f"{str(error).rstrip('.')}.") from error
    for name, path in paths.items():
        print(f"The {name} {'are' if name in ('maps', 'modes') else 'is'} in {path}")
