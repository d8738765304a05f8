"""Supernovae against redshift."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..chains import Chain
from ..datasets import SupernovaData
from ..likelihoods import Supernovae
from ._predictions import predictions
from ._style import GREY, band, log_axis, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 60
"""Supernovae above which they are shown as dots, and their means in bins as points."""

NUM_BINS = 20


def magnitude_residuals(likelihood: Supernovae, data: SupernovaData, chain: Chain, *, width: float = 7.0) -> "Figure":
    """Distance moduli minus the median of what the posterior predicts, with its 68 and 95 % bands.

    Where the absolute magnitude is marginalised, data and predictions are each shown about their own mean, weighted by
    the inverse variances, with the errors of such differences: what all supernovae have in common is not in them. Of
    many supernovae such means in bins are shown, with the errors that the covariance gives them.

    Args:
        likelihood: what was fitted.
        data: its data.
        chain: draws of all its parameters.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain lacks a parameter.
    """
    order = np.argsort(data.redshift)
    redshift, covariance = data.redshift[order], data.covariance[np.ix_(order, order)]
    moduli, predicted = data.distance_modulus[order], predictions(likelihood, chain)
    if likelihood.absolute_magnitude == "marginalized":
        predicted = np.concatenate([np.zeros((len(predicted), 1)), predicted], axis=1)[:, order]
        weight = 1 / np.diagonal(covariance)
        weight /= weight.sum()
        centred = np.eye(redshift.size) - weight
        moduli, predicted = centred @ moduli, predicted @ centred.T
        covariance = centred @ covariance @ centred.T
    else:
        predicted = predicted[:, order]
    middle = np.median(predicted, axis=0)
    points = binned(redshift, moduli - middle, covariance)

    def draw(figure):
        axes = figure.subplots()
        band(axes, redshift, predicted - middle)
        if redshift.size > MOST_POINTS:
            axes.plot(redshift, moduli - middle, ".", color="0.75", markersize=1.5, zorder=0, rasterized=True)
            reach = 4 * np.max(np.abs(points[1]) + points[2])
            axes.set_ylim(-reach, reach)
        axes.errorbar(*points, fmt="o", color="k", markersize=4, elinewidth=1)
        axes.axhline(0, color=GREY, linewidth=0.5)
        axes.set_ylabel(r"$\mu$ minus its median [mag]")
        log_axis(axes, "redshift")

    return new_figure(draw, width, 0.5 * width)


def binned(
    redshift: Float[np.ndarray, " data"], values: Float[np.ndarray, " data"], covariance: Float[np.ndarray, "data data"]
) -> tuple[Float[np.ndarray, " bin"], Float[np.ndarray, " bin"], Float[np.ndarray, " bin"]]:
    """Mean redshifts, weighted means and their standard deviations in bins of equally many; single values if few."""
    pieces = np.array_split(np.arange(redshift.size), NUM_BINS if redshift.size > MOST_POINTS else redshift.size)
    rows = []
    for piece in pieces:
        part = covariance[np.ix_(piece, piece)]
        weight = 1 / np.diagonal(part)
        weight /= weight.sum()
        rows.append((redshift[piece].mean(), weight @ values[piece], np.sqrt(weight @ part @ weight)))
    where, mean, sd = np.array(rows).T
    return where, mean, sd
