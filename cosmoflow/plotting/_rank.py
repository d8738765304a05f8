"""Do the chains have their share of small and of large values?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import rankdata

from ..chains import Chain
from ..diagnostics import convergence
from ._style import GREY, look, new_figure
from ._trace import labelled_scalars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_BINS = 20


def rank(chain: Chain, names: Sequence[str] | None = None, *, width: float = 7.0) -> "Figure":
    """Histograms of the ranks that the draws of each chain have among those of all chains, over their expectation.

    Where the chains agree every line stays near one. The grey band is two standard deviations wide, for as many
    independent draws as the bulk effective sample size.

    Args:
        chain: the draws.
        names: parameters or statistics, as for `trace`.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain has nothing of this name.

    References:
        Vehtari et al. 2021, arXiv:1903.08008.
    """
    scalars = labelled_scalars(chain, names)
    edges = np.linspace(0, 1, NUM_BINS + 1)

    def draw(figure):
        rows = figure.subplots(len(scalars), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, draws) in zip(rows, scalars.items(), strict=True):
            size = max(convergence(draws).ess_bulk / chain.num_chains, 1.0)
            spread = 2 * np.sqrt((NUM_BINS - 1) / size)
            axes.axhspan(max(1 - spread, 0), 1 + spread, color=GREY, alpha=0.15, linewidth=0)
            axes.axhline(1, color=GREY, linewidth=0.8)
            for i, share in enumerate(rank_shares(draws)):
                axes.stairs(share, edges, baseline=None, linewidth=1.1, **look(i))
            axes.set(ylabel=f"${label}$", xlim=(0, 1), ylim=(0, max(2.0, 1.1 * axes.dataLim.ymax)))
        rows[-1].set_xlabel("rank among all draws")
        figure.align_ylabels()

    return new_figure(draw, width, 0.6 + 1.2 * len(scalars))


def rank_shares(draws: Shaped[np.ndarray, "chain draw"]) -> Float[np.ndarray, "chain bin"]:
    """How many draws of each chain have their rank in each bin, over what is expected."""
    places = (rankdata(draws, axis=None).reshape(draws.shape) - 0.5) / draws.size
    counts = np.stack([np.histogram(place, NUM_BINS, (0, 1))[0] for place in places])
    return counts * NUM_BINS / draws.shape[1]
