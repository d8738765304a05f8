"""The figure of the study of generative models: distance from the data against steps and against sampling costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from cells import Record
from generative_grid import METHODS, Cell
from generative_verdict import curves

LABELS = {
    "ddpm": "DDPM (noise, ancestral)",
    "diffusion": "diffusion (v)",
    "critically_damped": "critically damped Langevin",
    "flow_matching": "flow matching",
    "oscillation": "oscillation",
    "zig_zag": "zig-zag",
    "bouncy_particle": "bouncy particle",
    "randomised_hamiltonian": "randomised Hamiltonian",
    "forward_event_chain": "forward event chain",
    "hamiltonian_flow": "Hamiltonian flow",
    "coupling_flow": "spline coupling flow",
}
SHOWN = {"diffusion": "DDIM", "flow_matching": "Euler", "oscillation": "Euler"}
"""Of methods that draw in several ways, the one in the figure."""
COLOURS = dict(zip(METHODS, [*plt.get_cmap("tab10").colors, "black"], strict=True))
LARGEST = 5.0
AXES = {"evaluations": "evaluations", "sampling": "operations, in passes through the perceptron"}


def label(method: str, way: str = "") -> str:
    """Of a method and a way of drawing from it."""
    return LABELS[method] + (f", {way}" if way else "")


def figure(records: Mapping[Cell, Record], targets: Sequence[str], path: Path) -> None:
    """A column for each target."""
    fig, axes = plt.subplots(2, len(targets), figsize=(3.6 * len(targets), 7), squeeze=False, sharey="col")
    for column, target in zip(axes.T, targets, strict=True):
        for axis, (cost, name) in zip(column, AXES.items(), strict=True):
            for method in METHODS:
                curve = curves(records, target, method, "sliced_wasserstein").get(SHOWN.get(method, ""))
                if curve is not None:
                    x = np.median(curve.costs[cost], axis=0)
                    heavy = {"linewidth": 2.5, "marker": "o", "zorder": 3} if method == "hamiltonian_flow" else {}
                    one = {"marker": "s", "linestyle": "none"} if method == "coupling_flow" else {}
                    y = np.median(curve.distance, axis=0)
                    axis.plot(x, y, ".-", color=COLOURS[method], label=label(method), **heavy | one)
                    low, high = curve.distance.min(axis=0), curve.distance.max(axis=0)
                    axis.fill_between(x, low, high, color=COLOURS[method], alpha=0.15, linewidth=0)
            floors = [record["floor"]["sliced_wasserstein"] for cell, record in records.items() if cell[0] == target]
            axis.axhline(np.median(floors), color="grey", linestyle=":", linewidth=1)
            axis.set(xscale="log", yscale="log", xlabel=name, ylim=(None, LARGEST))
        column[0].set_title(target.replace("_", " "))
    for row in axes:
        row[0].set_ylabel("sliced Wasserstein distance")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="lower center", ncols=4, fontsize=8, frameon=False)
    fig.tight_layout(rect=(0, 0.09, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=150)
    plt.close(fig)
