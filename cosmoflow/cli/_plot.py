"""`cosmoflow plot`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import ChainFile, Parameters, split_names


def plot(
    chain: ChainFile,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help="corner; trace or rank, chain by chain; data, with what the posterior predicts; or fields "
            "[default: corner and, of a field, fields].",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The figure, .png or .pdf [default: CHAIN.png].", show_default=False),
    ] = None,
    parameters: Parameters = None,
) -> None:
    """Draw the corner plot of a chain and, of a field, its maps, power, coherence and modes; or figures of one kind."""
    from ._environment import configure_jax

    configure_jax()
    from ..chains import Chain
    from ..report import Subject
    from ._figures import save_figures, save_kind

    draws = Chain.from_file(chain)
    path = chain.with_suffix(".png") if output is None else output
    chosen = None if parameters is None else split_names(parameters)
    try:
        if kind is None:
            paths = save_figures(draws, path, chosen)
        else:
            paths = save_kind(kind, Subject(chain, draws, {}, chosen), path)
    except (ValueError, ImportError) as error:
        raise CosmoflowError(f"{str(error).rstrip('.')}.") from error
    for name, path in paths.items():
        print(f"The {name} {'are' if name in ('maps', 'modes') else 'is'} in {path}")
