"""Acoustic oscillations against redshift."""

from typing import TYPE_CHECKING

import numpy as np

from ..chains import Chain
from ..datasets import BAOData
from ..likelihoods import BAO
from ._predictions import errors, predictions
from ._style import COLOURS, GREY, LINES, MARKERS, band, log_axis, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 40
"""Redshifts of the bands."""

QUANTITIES = {
    "DM_over_rd": r"$D_\mathrm{M} / r_\mathrm{d}$",
    "DH_over_rd": r"$D_\mathrm{H} / r_\mathrm{d}$",
    "DV_over_rd": r"$D_\mathrm{V} / r_\mathrm{d}$",
    "f_sigma8": r"$f \sigma_8$",
}


def distance_residuals(likelihood: BAO, chain: Chain, *, width: float = 7.0) -> "Figure":
    """The measured distances over the median of what the posterior predicts, with its 68 and 95 % bands.

    Args:
        likelihood: with the data.
        chain: draws of all its parameters.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain lacks a parameter.
    """
    kinds = [kind for kind in QUANTITIES if kind in likelihood.quantity]
    redshift, measured = np.asarray(likelihood.redshift, float), np.asarray(likelihood.data, float)
    grid = np.geomspace(0.9 * redshift.min(), 1.1 * redshift.max(), GRID)
    everywhere = BAOData(
        redshift=np.concatenate([np.tile(grid, len(kinds)), redshift]),
        quantity=(*np.repeat(kinds, GRID).tolist(), *likelihood.quantity),
        value=np.ones(len(kinds) * GRID + redshift.size),
        covariance=np.eye(len(kinds) * GRID + redshift.size),
    )
    dense = BAO(everywhere, sound_horizon=likelihood.sound_horizon, radiation=likelihood.radiation)  # pyright: ignore[reportArgumentType]
    predicted = predictions(dense, chain)
    curves, expected = np.split(predicted, [len(kinds) * GRID], axis=1)
    middle, sd = np.median(expected, axis=0), errors(likelihood)

    def draw(figure):
        rows = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
        for i, (axes, kind) in enumerate(zip(rows, kinds, strict=True)):
            draws = curves[:, i * GRID : (i + 1) * GRID]
            band(axes, grid, draws / np.median(draws, axis=0), colour=COLOURS[i], line=LINES[i])
            there = np.array([quantity == kind for quantity in likelihood.quantity])
            ratio, size = measured[there] / middle[there], sd[there] / middle[there]
            axes.errorbar(redshift[there], ratio, size, fmt=MARKERS[i], color="k", markersize=4, elinewidth=1)
            axes.axhline(1, color=GREY, linewidth=0.5)
            axes.set_ylabel(QUANTITIES[kind])
        log_axis(rows[-1], "redshift")
        figure.supylabel("over the median of the posterior", fontsize="medium")
        figure.align_ylabels()

    return new_figure(draw, width, 0.7 + 1.5 * len(kinds))
