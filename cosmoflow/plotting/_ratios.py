"""Benchmarks at a glance."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._style import COLOURS, GREY, MARKERS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ratios(
    table: Mapping[str, Mapping[str, float | Sequence[float]]], *, label: str = "ratio", width: float = 7.0
) -> "Figure":
    """A row for each case of a benchmark, a mark for each method: the ratio to what it is compared with.

    Args:
        table: by case and method the ratio, or the ratios of several seeds, of which the geometric mean is marked and
            the range drawn; positive, more is better.
        label: of the axis.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a ratio is not positive.
    """
    methods = list(dict.fromkeys(method for row in table.values() for method in row))
    values = {(case, name): np.atleast_1d(x) for case, row in table.items() for name, x in row.items()}
    for (case, name), found in values.items():
        if not np.all(found > 0):
            raise ValueError(f"The ratio of {name} for {case} is not positive; leave it out.")
    places = {case: -i for i, case in enumerate(table)}

    def draw(figure):
        axes = figure.subplots()
        axes.axvline(1, color=GREY, linewidth=0.8)
        for i, method in enumerate(methods):
            shift = 0.4 * (0.5 - (i + 0.5) / len(methods))
            rows = [(places[case] + shift, found) for (case, name), found in values.items() if name == method]
            for y, found in rows:
                axes.plot([found.min(), found.max()], [y, y], color=COLOURS[i % len(COLOURS)], linewidth=1)
            means = [np.exp(np.log(found).mean()) for _, found in rows]
            look = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
            axes.plot(means, [y for y, _ in rows], linestyle="", markersize=5, label=method, **look)
        axes.set(xscale="log", xlabel=label, ylim=(0.6 - len(table), 0.6))
        axes.set_yticks(list(places.values()), list(places))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

    return new_figure(draw, width, 0.8 + 0.4 * len(table))
