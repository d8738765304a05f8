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
    """Draw the corner plot of a chain."""
    from ..chains import Chain
    from ..plotting import corner
    from ._varying import varying

    draws = Chain.from_file(chain)
    figure_path = chain.with_suffix(".png") if output is None else output
    chosen = None if parameters is None else split_names(parameters)
    try:
        figure = corner(draws, chosen or varying(draws))
        figure.savefig(figure_path, dpi=150, bbox_inches="tight")
    except (ValueError, ImportError) as error:
        raise CosmoflowError(f"{str(error).rstrip('.')}.") from error
    print(f"The corner plot is in {figure_path}")
