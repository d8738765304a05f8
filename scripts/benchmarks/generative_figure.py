"""The figure of the study of generative models: distance from the data against steps and against sampling costs."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from cells import Record
from generative_grid import CORE_TARGETS, FIELDS, METHODS, TARGETS, Cell
from generative_verdict import curves
from matplotlib.axes import Axes

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
NAMES = {name: name.replace("_", " ") for name in TARGETS} | {
    "phi4": "phi^4, 8^2",
    "log_normal": "log-normal fields, 16^2",
    "lagrangian": "2LPT fields, 16^3",
}
SHOWN = {"diffusion": "DDIM", "flow_matching": "Euler", "oscillation": "Euler"}
"""Of methods that draw in several ways, the one in the figure."""
COLOURS = dict(zip(METHODS, [*plt.get_cmap("tab10").colors, "black"], strict=True))
LARGEST = 5.0
DISTANCE = "sliced Wasserstein distance"
AXES = {"evaluations": "evaluations", "sampling": "operations [passes through the network]"}


def label(method: str, way: str = "") -> str:
    """Of a method and a way of drawing from it."""
    return LABELS[method] + (f", {way}" if way else "")


def compared_beyond(records: Mapping[Cell, Record]) -> list[str]:
    """Targets beyond the core ones on which several methods have been run."""
    methods = {target: {cell.method for cell in records if cell.target == target} for target in TARGETS}
    return [target for target in TARGETS if target not in CORE_TARGETS and len(methods[target]) > 1]


def figure(records: Mapping[Cell, Record], panels: Sequence[tuple[str, str]], columns: int, path: Path) -> None:
    """A panel for each target and cost."""
    if not panels:
        return
    rows = -(-len(panels) // columns)
    sharey = "col" if len({target for target, _ in panels}) == columns else False
    fig, axes = plt.subplots(rows, columns, figsize=(3.6 * columns, 3.5 * rows), squeeze=False, sharey=sharey)
    for axis, (target, cost) in zip_longest(axes.ravel(), panels, fillvalue=(None, None)):
        if target is None:
            axis.set_visible(False)
        else:
            _panel(axis, records, target, cost)
    found = dict(pair for axis in axes.ravel() for pair in zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    labels = [label(method) for method in METHODS if label(method) in found]
    fig.legend([found[text] for text in labels], labels, loc="lower center", ncols=4, fontsize=8, frameon=False)
    fig.tight_layout(rect=(0, 0.63 / (3.5 * rows), 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=150)
    plt.close(fig)


def _panel(axis: Axes, records: Mapping[Cell, Record], target: str, cost: str) -> None:
    """All methods on one target, medians and ranges over seeds."""
    measure, name = ("peaks", "difference of peaks") if target in FIELDS else ("sliced_wasserstein", DISTANCE)
    for method in METHODS:
        curve = curves(records, target, method, measure).get(SHOWN.get(method, ""))
        if curve is not None:
            x = np.median(curve.costs[cost], axis=0)
            heavy = {"linewidth": 2.5, "marker": "o", "zorder": 3} if method == "hamiltonian_flow" else {}
            one = {"marker": "s", "linestyle": "none"} if method == "coupling_flow" else {}
            y = np.median(curve.distance, axis=0)
            style = {"marker": ".", "color": COLOURS[method]} | heavy | one
            axis.plot(x, y, label=label(method), **style)
            low, high = curve.distance.min(axis=0), curve.distance.max(axis=0)
            axis.fill_between(x, low, high, color=COLOURS[method], alpha=0.15, linewidth=0)
    floors = [record["floor"][measure] for cell, record in records.items() if cell[0] == target]
    axis.axhline(np.median(floors), color="grey", linestyle=":", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel=AXES[cost], ylabel=name)
    axis.set(ylim=(None, LARGEST), title=NAMES[target])
