"""Two-point functions and what the posterior says of them."""

from typing import TYPE_CHECKING

import numpy as np

from ..chains import Chain
from ..datasets import TwoPointData
from ..likelihoods import TwoPoint
from ._predictions import errors, predictions
from ._style import GREY, band, log_axis, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {
    "xi_plus": r"$\theta \, \xi_+$ [$10^{-4}$ arcmin]",
    "xi_minus": r"$\theta \, \xi_-$ [$10^{-4}$ arcmin]",
    "gamma_t": r"$\theta \, \gamma_\mathrm{t}$ [$10^{-2}$ arcmin]",
    "w": r"$\theta \, w$ [arcmin]",
    "cl_ee": r"$\ell \, C_\ell^\mathrm{EE}$ [$10^{-7}$]",
    "cl_ge": r"$\ell \, C_\ell^\mathrm{gE}$ [$10^{-6}$]",
    "cl_gg": r"$\ell \, C_\ell^\mathrm{gg}$ [$10^{-5}$]",
}
_UNITS = {"xi_plus": 1e-4, "xi_minus": 1e-4, "gamma_t": 1e-2, "w": 1.0, "cl_ee": 1e-7, "cl_ge": 1e-6, "cl_gg": 1e-5}


def two_point(likelihood: TwoPoint, data: TwoPointData, chain: Chain, *, width: float = 7.0) -> "dict[str, Figure]":
    """One figure for each statistic: a panel for each pair of bins, the data and the bands of the posterior.

    Rows are the first bin of a pair, columns the second. The functions are multiplied by the angle or the multipole.

    Args:
        likelihood: what was fitted.
        data: its data, row by row.
        chain: draws of all its parameters.
        width: of each figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain lacks a parameter.
    """
    predicted, sd = predictions(likelihood, chain), errors(likelihood)
    kinds = [kind for kind in _NAMES if kind in data.statistic]
    return {kind: _statistic(kind, data, predicted, sd, width) for kind in kinds}


def _statistic(kind: str, data: TwoPointData, predicted: np.ndarray, sd: np.ndarray, width: float) -> "Figure":
    rows = {}
    for i, row in enumerate(zip(data.statistic, data.first, data.second, strict=True)):
        if row[0] == kind:
            rows.setdefault(row[1:], []).append(i)
    own = all(first == second for first, second in rows)  # the autocorrelations alone: one row of them
    down = [""] if own else list(dict.fromkeys(first for first, _ in rows))
    across = list(dict.fromkeys(second for _, second in rows))

    def draw(figure):
        panels = figure.subplots(len(down), len(across), sharex=True, sharey="row", squeeze=False)
        for axes in panels.flat:
            axes.set_axis_off()
        for (first, second), index in rows.items():
            axes = panels[0 if own else down.index(first), across.index(second)]
            axes.set_axis_on()
            x = data.angle[index]
            scale = x / _UNITS[kind]
            band(axes, x, predicted[:, index] * scale)
            axes.errorbar(
                x, data.value[index] * scale, sd[index] * scale, fmt="o", color="k", markersize=2, elinewidth=0.7
            )
            axes.axhline(0, color=GREY, linewidth=0.5)
            log_axis(axes, "")
            axes.set_title(f"{first}, {second}", fontsize=8)
            leftmost = next(bins for bins in rows if own or bins[0] == first) == (first, second)
            axes.tick_params(labelsize=7, labelbottom=True, labelleft=leftmost)
        figure.supylabel(_NAMES[kind], fontsize=11)
        figure.supxlabel("multipole" if kind.startswith("cl") else r"$\theta$ [arcmin]", fontsize=11)

    return new_figure(draw, width, 0.7 + 1.35 * len(down))
