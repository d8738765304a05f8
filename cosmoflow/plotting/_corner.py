"""Marginal posteriors, one parameter and two at a time."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..chains import Chain
from ._style import STYLE, look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEWEST_DRAWS = 50


def corner(
    chains: Chain | Mapping[str, Chain],
    parameters: Sequence[str] | None = None,
    *,
    truth: Mapping[str, float] | None = None,
    width: float = 7.0,
) -> "Figure":
    """The one- and two-dimensional marginals of one chain or of several, with 68 % and 95 % regions.

    The regions of the first chain are filled, those of the others are lines, which differ in black and white too.

    The attribute `labels` of the first chain gives the LaTeX of the parameters, `bounds` of each the ends of its prior,
    up to which a density reaches that does not vanish there.

    Args:
        chains: a chain, or chains by the name that the legend shows.
        parameters: which parameters, by name (`x` for all of a vector, `x[1]` for one entry); by default those that
            all chains have.
        truth: values to be marked, by name.
        width: of the figure [inch].

    Returns:
        A figure that belongs to no window; save it with `figure.savefig("corner.pdf", bbox_inches="tight")`.

    Raises:
        ImportError: matplotlib or GetDist is not installed.
        ValueError: a chain has no such parameter, or one that does not vary, or too few draws.
    """
    try:
        import matplotlib as mpl
        from getdist import plots
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError as error:
        raise ImportError("Plots need matplotlib and GetDist; install cosmoflow with the extra 'plot'.") from error

    named = {"": chains} if isinstance(chains, Chain) else dict(chains)
    if parameters is None:
        first, *others = named.values()
        parameters = [name for name in first.posterior if all(name in other.posterior for other in others)]
    for chain in named.values():
        if chain.num_chains * chain.num_draws < FEWEST_DRAWS:
            raise ValueError(f"A corner plot needs {FEWEST_DRAWS} draws or more; draw more, or plot them yourself.")
        fixed = [name for name, draws in chain.scalars(parameters).items() if np.ptp(draws) == 0]
        if fixed:
            raise ValueError(f"{', '.join(fixed)} does not vary, so there is no marginal to draw; leave it out.")
    samples = [chain.to_getdist(parameters) for chain in named.values()]
    names = list(next(iter(named.values())).scalars(parameters))
    looks = [look(number) for number in range(len(named))]

    with mpl.rc_context(STYLE), _bandwidths_unsaid():
        plotter: Any = plots.get_subplot_plotter(width_inch=width, scaling=False)
        settings = plotter.settings
        settings.axes_labelsize, settings.axes_fontsize, settings.legend_fontsize = 13, 9, 12
        settings.linewidth, settings.alpha_filled_add = 1.4, 0.8
        settings.axis_tick_x_rotation = 0 if width / len(names) > 1.5 else 45
        settings.figure_legend_frame = False
        plotter.triangle_plot(
            samples,
            names,
            filled=[number == 0 for number in range(len(named))],
            legend_labels=list(named) if len(named) > 1 else [],
            legend_loc="upper right",
            contour_colors=[line["color"] for line in looks],
            contour_ls=[line["linestyle"] for line in looks],
            markers=dict(truth or {}),
        )
        figure = plotter.fig
        pyplot.close(figure)
        FigureCanvasAgg(figure)
        for row, panels in enumerate(plotter.subplots):
            for column, axes in enumerate(panels[: row + 1]):
                axes.set_xticks(_inner_ticks(axes.get_xlim()))
                if column < row:
                    axes.set_yticks(_inner_ticks(axes.get_ylim()))
        figure.align_labels()
        figure.canvas.draw()  # ticks take their style when they are first drawn
    return figure


@contextmanager
def _bandwidths_unsaid() -> Iterator[None]:
    """Without what GetDist logs of its bandwidths where effective draws are few; convergence is told elsewhere."""

    def elsewhere(record: logging.LogRecord) -> bool:
        return "getdist" not in record.pathname

    root = logging.getLogger()
    root.addFilter(elsewhere)
    try:
        yield
    finally:
        root.removeFilter(elsewhere)


def _inner_ticks(limits: tuple[float, float]) -> list[float]:
    """Ticks far enough from both ends for their labels not to meet those of the next panel."""
    from matplotlib.ticker import MaxNLocator

    low, high = sorted(limits)
    margin, inner = 0.1 * (high - low), []
    for most in (3, 4, 5):  # one tick alone tells no scale
        inner = [tick for tick in MaxNLocator(most).tick_values(low, high) if low + margin <= tick <= high - margin]
        if len(inner) > 1:
            break
    return inner
