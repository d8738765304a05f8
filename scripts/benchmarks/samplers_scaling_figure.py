"""Slopes of the scaling with dimension, fitted beside theory, and their figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np


def _everywhere(power: float) -> dict[str, float]:
    return {"normal": power, "field": power}


THEORY = {
    "zig_zag": ("zig-zag", _everywhere(1.0)),
    "bouncy_particle": ("bouncy particle", _everywhere(1.0)),
    "forward_event_chain": ("forward event chain", _everywhere(1.0)),
    "hybrid_splitting": ("hybrid splitting", _everywhere(1.0)),
    "langevin": ("Langevin", {"normal": 0.0, "field": 0.25}),
    "mclmc": ("MCLMC", _everywhere(0.0)),
    "nuts": ("NUTS", _everywhere(0.25)),
}
"""Names, and powers of the dimension on each target.

Zig-zag: of order dim events in the time in which everything mixes. Bouncy particle and event chains: the energy takes
of order dim events (Bierkens, Kamatani, Roberts 2022, arXiv:1807.11358), and so it does with their splitting.
Metropolised Hamiltonian dynamics: steps shrink as dim^-1/4 (Beskos et al. 2013, arXiv:1001.4460), unless the
integrator is exact for the target, as that of Langevin is for N(0, I). Without Metropolis, at a fixed energy error per
dimension, steps do not shrink.
"""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vP*"
TITLES = {"normal": "N(0, I)", "field": "log-normal field, Poisson counts"}
SMALLEST = 30
"""Dimension from which slopes are fitted."""

Points = Mapping[str, Mapping[str, Any]]


def _reliable(points: Points) -> tuple[np.ndarray, np.ndarray]:
    kept = sorted((p["dim"], p["cost_per_ess"]) for p in points.values() if p["ess"] >= 20)
    return np.array([dim for dim, _ in kept], float), np.array([cost for _, cost in kept])


def slope(points: Points) -> dict[str, float] | None:
    """The fitted power of the dimension and its standard error; None where there are fewer than three points."""
    dims, costs = _reliable(points)
    dims, costs = dims[dims >= SMALLEST], costs[dims >= SMALLEST]
    if dims.size < 3:
        return None
    design = np.column_stack([np.log(dims), np.ones(dims.size)])
    fitted, *_ = np.linalg.lstsq(design, np.log(costs), rcond=None)
    residual = np.log(costs) - design @ fitted
    variance = residual @ residual / max(dims.size - 2, 1) * np.linalg.inv(design.T @ design)[0, 0]
    return {"slope": float(fitted[0]), "error": float(np.sqrt(variance))}


def figure(points: Mapping[str, Mapping[str, Points]], path: Path) -> None:
    """Cost against dimension, a panel per target."""
    drawn, axes = plt.subplots(1, len(TITLES), figsize=(11, 5.6), sharey=True, layout="constrained")
    for axis, (target, title) in zip(axes, TITLES.items(), strict=True):
        for (kind, (label, powers)), colour, marker in zip(THEORY.items(), COLOURS, MARKERS, strict=True):
            kinds = points.get(target, {})
            dims, costs = _reliable(kinds.get(kind, {}))
            if dims.size:
                fit = slope(kinds[kind])
                fitted = "" if fit is None else f"{fit['slope']:.2f} ± {fit['error']:.2f}, "
                named = f"{label} ({fitted}theory {powers[target]:g})"
                axis.loglog(dims, costs, color=colour, marker=marker, linewidth=1.5, markersize=6, label=named)
        axis.set(title=title, xlabel="dimension")
        axis.grid(alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": 2}
            axis.legend(fontsize=8, title="power of the dimension", title_fontsize=8, **below)
    axes[0].set_ylabel("gradients per effective sample")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, dpi=150)
    plt.close(drawn)
