"""`cosmoflow bestfit`."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ._exit import FAILED
from ._options import ConfigFile


def bestfit(
    config: ConfigFile,
    starts: Annotated[int, typer.Option("--starts", min=1, help="Searches, all but one from draws of the prior.")] = 4,
) -> None:
    """Print the best fit, Fisher errors and chi^2 of Gaussian data; exit 1 if the fit did not converge."""
    from ._environment import configure_jax, set_precision

    configure_jax()
    import jax.random as jr

    from .. import fitting
    from ..config import ConfigError, build_posterior, load
    from ..diagnostics._table import rounded

    settings = load(config)
    set_precision(settings.run.precision)
    posterior = build_posterior(settings)
    key = jr.key(settings.run.seed)
    try:
        found = {"best fit": fitting.best_fit(posterior, num_starts=starts, key=key)}
        fisher = fitting.fisher(posterior, found["best fit"].parameters)
        if fisher.prior.any():
            found["maximum posterior"] = fitting.maximum_posterior(posterior, num_starts=starts, key=key)
            fisher = fitting.fisher(posterior, found["maximum posterior"].parameters)
    except ValueError as error:
        raise ConfigError(config, str(error).rstrip(".")) from error
    *_, last = found.values()
    columns = [fit.entries() for fit in found.values()]
    rows = [
        (name, *(rounded(values[name], sd) for values in columns), rounded(sd, sd)) for name, sd in fisher.sd.items()
    ]
    print(_aligned(("", *found, "Fisher sd"), rows))
    goodness = [
        (g.name, f"{g.chi2:.2f}", str(g.num_points), f"{g.degrees_of_freedom:.1f}", f"{g.p_value:.3g}")
        for g in fitting.goodness_of_fit(posterior, last.parameters)
    ]
    print(f"\n{_aligned(('', 'chi^2', 'points', 'degrees of freedom', 'p-value'), goodness)}")
    failures = {name: fit.status for name, fit in found.items() if fit.status is not fitting.FitStatus.CONVERGED}
    for name, status in failures.items():
        print(f"cosmoflow: {name}: {status.value}", file=sys.stderr)
    if not all(status.good for status in failures.values()):
        raise typer.Exit(FAILED)


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = [header, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in table
    )
