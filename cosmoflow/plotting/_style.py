"""How figures look: one style, for all eyes, with and without colour."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "svg.fonttype": "path",
}

BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
"""Of Okabe and Ito, for all eyes."""

GREY = "0.45"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE)
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")


def look(number: int) -> dict[str, Any]:
    """Colour and line of one of several curves, so that they differ in black and white too."""
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number % len(LINES)]}


def new_figure(draw: "Callable[[Figure], None]", width: float, height: float) -> "Figure":
    """A figure that belongs to no window, drawn in the style of all.

    Args:
        draw: what puts axes into it.
        width, height: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need matplotlib; install cosmoflow with the extra 'plot'.") from error

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.canvas.draw()  # ticks take their style when they are first drawn
    return figure


def band(
    axes: "Axes", x: Float[np.ndarray, " x"], draws: Float[np.ndarray, "draw x"], *, colour: str = BLUE, line: Any = "-"
) -> None:
    """Median, 68 and 95 % of curves."""
    low, lower, middle, higher, high = np.quantile(draws, (0.025, 0.16, 0.5, 0.84, 0.975), axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.fill_between(x, lower, higher, color=colour, alpha=0.3, linewidth=0)
    axes.plot(x, middle, color=colour, linestyle=line, linewidth=1)


def log_axis(axes: "Axes", label: str) -> None:
    """A logarithmic axis of abscissae, its numbers written out."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set(xlabel=label, xscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
