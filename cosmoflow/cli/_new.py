"""`cosmoflow new`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import split_names
from ._write import write_text


def new(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG.toml]", help="The file to write.", show_default=False)
    ] = None,
    probes: Annotated[
        str | None, typer.Option("--probes", help="Which, as in desi_dr2_bao,union3 [default: list them].")
    ] = None,
) -> None:
    """Write a commented configuration to begin with, or list the probe sets that there are."""
    from ..config import PROBES, loads, starter
    from ..datasets import catalogue

    if probes is None:
        if config is not None:
            raise CosmoflowError(
                f"{config} needs data; name them with --probes, as in --probes {','.join(PROBES[:2])}."
            )
        width = max(map(len, PROBES))
        for name in PROBES:
            known = catalogue()[name]
            print(f"{name.ljust(width)}  {known.title}{'' if known.shipped else ' (to be fetched)'}")
        print(f"\nFor example: cosmoflow new run.toml --probes {','.join(PROBES[:2])}")
        return
    if config is None:
        raise CosmoflowError("There is no name of a file to write; give one, as in `cosmoflow new run.toml`.")
    if config.exists():
        raise CosmoflowError(f"{config} is there already; choose another name.")
    try:
        text = starter(split_names(probes), config.name)
    except ValueError as error:
        raise CosmoflowError(f"{error}.") from error
    loads(text, config)
    write_text(config, text)
    print(f"The configuration is in {config}; to run it: cosmoflow sample {config}")
