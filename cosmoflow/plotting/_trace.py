"""The draws one after another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from ..chains import Chain
from ._style import look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_POINTS = 400
"""Draws of each chain that are shown."""

STATISTICS = {"lp": r"\log \pi", "squared_norm": "|z|^2", "energy": "H", "energy_change": r"\Delta H"}
"""LaTeX of what is known of the draws besides the parameters."""


def trace(chain: Chain, names: Sequence[str] | None = None, *, width: float = 7.0) -> "Figure":
    """Each scalar against the number of the draw, one line per chain: chains that agree lie over one another.

    Of long chains draws at equal distances are shown, about 400 each.

    Args:
        chain: the draws.
        names: parameters, as for `Chain.scalars`, or statistics of the draws, such as `lp` and `energy`; all
            parameters if None.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain has nothing of this name.
    """
    scalars = labelled_scalars(chain, names)
    step = max(chain.num_draws // MAX_POINTS, 1)
    number = np.arange(0, chain.num_draws, step)

    def draw(figure):
        rows = figure.subplots(len(scalars), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, draws) in zip(rows, scalars.items(), strict=True):
            for i, values in enumerate(draws[:, ::step]):
                axes.plot(number, values, linewidth=0.6, alpha=0.8, **look(i))
            axes.set_ylabel(f"${label}$")
            axes.margins(x=0)
        rows[-1].set_xlabel("draw")
        figure.align_ylabels()

    return new_figure(draw, width, 0.6 + 1.2 * len(scalars))


def labelled_scalars(chain: Chain, names: Sequence[str] | None) -> dict[str, Shaped[np.ndarray, "chain draw"]]:
    """Parameters and statistics of the draws by their LaTeX, in the given order.

    Raises:
        ValueError: the chain has nothing of this name.
    """
    found = {}
    for name in chain.posterior if names is None else names:
        if name in chain.sample_stats and name not in chain.posterior:
            words = name.replace("_", r"\ ")
            found[STATISTICS.get(name, rf"\mathrm{{{words}}}")] = chain.sample_stats[name]
        else:
            found |= {chain.label(scalar): draws for scalar, draws in chain.scalars([name]).items()}
    return found
