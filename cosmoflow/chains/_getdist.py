"""Chains for GetDist."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from getdist import MCSamples

    from ._chain import Chain


def to_getdist(chain: "Chain", parameters: Sequence[str] | None = None) -> "MCSamples":
    """The draws as GetDist samples; see `Chain.to_getdist`."""
    try:
        from getdist import MCSamples, chains
    except ImportError as error:
        raise ImportError("GetDist is not installed; install cosmoflow with the extra 'plot'.") from error

    scalars = chain.scalars(parameters)
    labels = chain.labels
    draws = np.stack(list(scalars.values()), axis=-1).astype(float)
    log_density = chain.sample_stats.get("lp")
    printing, chains.print_load_details = chains.print_load_details, False
    try:
        return MCSamples(
            samples=list(draws),
            loglikes=None if log_density is None else list(-log_density),
            names=list(scalars),
            labels=[labels[name.split("[")[0]] + name[len(name.split("[")[0]) :] for name in scalars],
            sampler="mcmc",
        )
    finally:
        chains.print_load_details = printing
