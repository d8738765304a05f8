"""The figure of the study of flows: quality against each factor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

LABELS = {
    "trained L": "steps L of one map, trained",
    "sampled L": "steps L, trained with 5",
    "maps": "maps of one step",
    "time": "time [quarter turns]",
    "width": "bells",
    "base": "base",
}
PANELS = {"gap": "gap [nats]", "SW / floor": "sliced Wasserstein / floor"}

Found = Mapping[tuple[str, str], Mapping[str, Sequence[float]]]


def figure(found: Found, factors: Mapping[str, Sequence[str]], path: Path) -> None:
    """Medians over seeds and their range; a column per factor."""
    drawn, axes = plt.subplots(len(PANELS), len(factors), figsize=(15, 5.6), sharey="row", layout="constrained")
    for row, (measure, label) in zip(axes, PANELS.items(), strict=True):
        for axis, (factor, values) in zip(row, factors.items(), strict=True):
            numbers = [found[factor, value][measure] for value in values]
            middle = [median(n) for n in numbers]
            ends = [[m - min(n) for m, n in zip(middle, numbers, strict=True)]]
            ends += [[max(n) - m for m, n in zip(middle, numbers, strict=True)]]
            axis.errorbar(range(len(values)), middle, ends, color="#0072B2", marker="o", markersize=5, capsize=3)
            axis.set_xticks(range(len(values)), values, rotation=90 if factor == "base" else 0)
            axis.set_yscale("log")
            axis.grid(alpha=0.3)
        row[0].set_ylabel(label)
    for axis, factor in zip(axes[-1], factors, strict=True):
        axis.set_xlabel(LABELS[factor])
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, dpi=110)
    plt.close(drawn)
