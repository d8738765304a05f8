"""Spectra of the microwave background and what the posterior says of them."""

from typing import TYPE_CHECKING

import numpy as np

from ..chains import Chain
from ..datasets import PlanckLiteData
from ..likelihoods import PlanckLite
from ._predictions import errors, predictions
from ._style import BLUE, GREY, band, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def cmb_spectra(likelihood: PlanckLite, data: PlanckLiteData, chain: Chain, *, width: float = 7.0) -> "Figure":
    """Bandpowers D_l = l (l + 1) C_l / 2 pi [muK^2] with the bands of the posterior; below, residuals over errors.

    Args:
        likelihood: what was fitted.
        data: its data.
        chain: draws of all its parameters.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain lacks a parameter.
    """
    predicted, sd = predictions(likelihood, chain), errors(likelihood)
    multipole = np.array(
        [
            np.average(np.arange(first, last + 1), weights=data.weight[first : last + 1])
            for first, last in zip(data.ell_min, data.ell_max, strict=True)
        ]
    )
    scale = multipole * (multipole + 1) / (2 * np.pi)
    kinds = list(dict.fromkeys(data.spectrum))

    def draw(figure):
        panels = figure.subplots(2 * len(kinds), 1, sharex=True, height_ratios=(2.5, 1) * len(kinds))
        for kind, above, below in zip(kinds, panels[::2], panels[1::2], strict=True):
            there = np.array([spectrum == kind for spectrum in data.spectrum])
            x, unit, error = multipole[there], scale[there], sd[there]
            draws, values = predicted[:, there], data.bandpower[there]
            middle = np.median(draws, axis=0)
            above.errorbar(x, values * unit, error * unit, fmt=".", color="0.3", markersize=2.5, elinewidth=0.6)
            band(above, x, draws * unit, colour=BLUE)
            above.set_ylabel(rf"$D_\ell^\mathrm{{{kind}}}$ [$\mu \mathrm{{K}}^2$]")
            band(below, x, (draws - middle) / error, colour=BLUE)
            below.plot(x, (values - middle) / error, ".", color="0.3", markersize=2.5)
            below.axhline(0, color=GREY, linewidth=0.5)
            below.set(ylabel=r"$\Delta / \sigma$", ylim=(-4, 4))
        panels[-1].set_xlabel(r"multipole $\ell$")
        figure.align_ylabels()

    return new_figure(draw, width, 0.5 + 2.4 * len(kinds))
