"""Figures of a field: its maps, spectra, agreement with the truth, and how its modes were sampled."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..chains import Chain
from ..diagnostics import FieldsSummary, observed_field, pooled_moments, summarize_fields
from ._style import BLUE, GREEN, GREY, VERMILION, log_axis, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLAB = 8
"""A box is shown by a slab of one part in this of its last side."""

UNITS = {2: ("rad", "1/rad", "rad$^2$"), 3: ("Mpc/$h$", "$h$/Mpc", "(Mpc/$h$)$^3$")}
"""Of lengths, wave numbers and power, by the number of axes."""


def plot_fields(chain: Chain, *, width: float = 7.0) -> "dict[str, Figure]":
    """All figures of a field that the chain has the numbers for, by name: `maps`, `power`, `coherence`, `modes`.

    Args:
        chain: of a `FieldLevel` likelihood, as for `summarize_fields`.
        width: of each figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain is not that of a field, or lacks the modes.
    """
    summary = summarize_fields(chain)
    _, unit, _ = _units(observed_field(chain))
    figures: dict[str, Callable[[], Figure]] = {"power": lambda: field_power(chain, width=width)}
    if "predicted_mean" in chain.moments:
        figures["maps"] = lambda: field_maps(chain, width=width)
    if "coherence" in chain.posterior:
        figures["coherence"] = lambda: field_coherence(summary, width=width, unit=unit)
    figures["modes"] = lambda: field_modes(summary, width=width, unit=unit)
    return {name: draw() for name, draw in figures.items()}


def field_maps(chain: Chain, *, width: float = 7.0) -> "Figure":
    """The truth where it is known, the data, the posterior mean and its standard deviation.

    Above the prediction of the data, below the field in linear theory. Of a box a slab across the middle of the last
    axis is shown, averaged along it.

    Args:
        chain: with the moments of `predicted` and `linear`.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain is not that of a field, or lacks the moments.
    """
    field = observed_field(chain)
    data = field["data"].astype(float)
    data = np.where(field["mask"], data, np.nan) if "mask" in field else data
    panels: list[list[tuple[str, np.ndarray] | None]] = []
    for kind, title in (("predicted", "predicted"), ("linear", "linear")):
        mean, sd = pooled_moments(chain, kind)
        truth, seen = field.get(f"truth_{kind}"), data if kind == "predicted" else None
        row = ((f"truth, {title}", truth), ("data", seen), (f"mean, {title}", mean), (f"sd, {title}", sd))
        panels.append([None if values is None else (name, _plane(values)) for name, values in row])
    columns = [column for column in range(4) if any(row[column] for row in panels)]
    lengths, across = field["box_size"], np.ndim(data)
    length, _, _ = _units(field)
    extent = (0, lengths[1] if across > 1 else 1, 0, lengths[0])

    def draw(figure):
        axes = figure.subplots(2, len(columns), sharex=True, sharey=True, squeeze=False)
        for row, cells in zip(axes, panels, strict=True):
            limits = _limits([cells[column] for column in (0, 2)])
            for axis, column in zip(row, columns, strict=True):
                if (cell := cells[column]) is None:
                    axis.set_axis_off()
                    continue
                name, values = cell
                shared = limits if column in (0, 2) else _limits([cell])
                image = axis.imshow(
                    values, origin="lower", extent=extent, vmin=shared[0], vmax=shared[1], interpolation="nearest",
                    cmap="viridis" if column == 3 else "RdBu_r" if shared[0] < 0 else "magma",
                )  # fmt: skip
                axis.set_title(name, fontsize=10)
                axis.set_facecolor("0.8")
                bar = figure.colorbar(image, ax=axis, orientation="horizontal", shrink=0.9, pad=0.03, aspect=25)
                bar.ax.tick_params(labelsize=7)
                axis.tick_params(labelsize=7)
        figure.supylabel(_named("position", length), fontsize=9)

    return new_figure(draw, width, 0.62 * width * 4 / max(len(columns), 3))


def field_power(chain: Chain, *, width: float = 7.0) -> "Figure":
    """The power spectra of the prediction and of the field in linear theory: median, 68 and 95 %, and the truth.

    Args:
        chain: with `power` and `power_predicted`.
        width: of the figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the chain is not that of a field.
    """
    field = observed_field(chain)
    wavenumber = field["wavenumber"]
    _, inverse, power = _units(field)

    def draw(figure):
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        kinds = (("power_predicted", "predicted", BLUE, "-", "o"), ("power", "linear", VERMILION, "--", "s"))
        for name, label, colour, line, marker in kinds:
            draws = chain.posterior[name].reshape(-1, len(wavenumber)).astype(float)
            low, lower, middle, higher, high = np.quantile(draws, (0.025, 0.16, 0.5, 0.84, 0.975), axis=0)
            reference = field.get(f"truth_{name}", middle)
            for axes, unit in ((above, 1), (below, reference)):
                axes.fill_between(wavenumber, low / unit, high / unit, color=colour, alpha=0.15, linewidth=0)
                axes.fill_between(wavenumber, lower / unit, higher / unit, color=colour, alpha=0.3, linewidth=0)
                axes.plot(wavenumber, middle / unit, line, color=colour, label=label if axes is above else None)
            if f"truth_{name}" in field:
                above.plot(wavenumber, reference, marker, color=colour, markersize=3, markerfacecolor="white")
        if "truth_power" in field:
            above.plot([], [], "o", color=GREY, markersize=3, markerfacecolor="white", label="truth")
        below.axhline(1, color=GREY, linewidth=0.8)
        above.set(yscale="log", ylabel=_named("$P(k)$", power))
        below.set_ylabel("over truth" if "truth_power" in field else "over median")
        log_axis(below, _named("$k$", inverse))
        above.legend(loc="upper right", fontsize=9, frameon=False)

    return new_figure(draw, width, 0.75 * width)


def field_coherence(summary: FieldsSummary, *, width: float = 7.0, unit: str = "") -> "Figure":
    """Coherence and transfer function of the draws with the truth, and how often the truth is where it should be.

    Args:
        summary: of a chain whose truth is known.
        width: of the figure [inch].
        unit: of wave numbers.

    Raises:
        ImportError: matplotlib is not installed.
    """
    column = _columns(summary)
    covered = not np.isnan(column["coverage"]).all()

    def draw(figure):
        axes = figure.subplots(2 + covered, 1, sharex=True)
        for axis, name, label in zip(axes, ("coherence", "transfer"), ("coherence", "transfer"), strict=False):
            mean, sd = column[name], column[f"{name}_sd"]
            axis.fill_between(column["wavenumber"], mean - sd, mean + sd, color=BLUE, alpha=0.3, linewidth=0)
            axis.plot(column["wavenumber"], mean, color=BLUE)
            axis.axhline(1, color=GREY, linewidth=0.8)
            axis.set_ylabel(label)
        axes[0].axhline(0, color=GREY, linewidth=0.8)
        if covered:
            right = 0.6827
            error = np.sqrt(right * (1 - right) / column["num_modes"])
            axes[2].fill_between(
                column["wavenumber"], right - 2 * error, right + 2 * error, color=GREY, alpha=0.2, linewidth=0
            )
            axes[2].plot(column["wavenumber"], column["coverage"], "o-", color=GREEN, markersize=3)
            axes[2].axhline(right, color=GREY, linewidth=0.8)
            axes[2].set_ylabel("truth within 1 sd")
        log_axis(axes[-1], _named("$k$", unit))
        figure.align_ylabels()

    return new_figure(draw, width, (0.55 + 0.25 * covered) * width)


def field_modes(summary: FieldsSummary, *, width: float = 7.0, unit: str = "") -> "Figure":
    """Effective sample sizes and R-hat of modes, their median and their worst in each bin of |k|.

    Args:
        summary: of a chain.
        width: of the figure [inch].
        unit: of wave numbers.

    Raises:
        ImportError: matplotlib is not installed.
    """
    column = _columns(summary)

    def draw(figure):
        above, below = figure.subplots(2, 1, sharex=True)
        for axis, name, label in ((above, "ess", "effective draws"), (below, "rhat", r"$\hat R$")):
            for kind, form, colour in (("median", "o-", BLUE), ("worst", "s--", VERMILION)):
                axis.plot(column["wavenumber"], column[f"{name}_{kind}"], form, color=colour, markersize=3, label=kind)
            axis.set_ylabel(label)
        above.set_ylim(0, 1.1 * above.dataLim.ymax)
        above.legend(loc="lower right", fontsize=9, frameon=False)
        below.axhline(1.01, color=GREY, linewidth=0.8, linestyle="--")
        log_axis(below, _named("$k$", unit))
        figure.align_ylabels()

    return new_figure(draw, width, 0.6 * width)


def _units(field: dict[str, np.ndarray]) -> tuple[str, str, str]:
    return UNITS.get(np.ndim(field["data"]), ("", "", ""))


def _named(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _columns(summary: FieldsSummary) -> dict[str, Any]:
    rows = summary.to_dict()["bins"]
    return {name: np.array([row[name] for row in rows], float) for name in rows[0]}


def _plane(values: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "row column"]:
    """A map as it is, of a box the mean of a slab, of a line one row of it."""
    if values.ndim == 3:
        size = values.shape[-1]
        thickness = max(size // SLAB, 1)
        first = (size - thickness) // 2
        values = values[..., first : first + thickness].mean(axis=-1, dtype=float)
    return np.asarray(values, float).reshape(len(values), -1)


def _limits(cells: list[tuple[str, np.ndarray] | None]) -> tuple[float, float]:
    """The same for all, symmetric about zero where there are negative values, without the outermost percent."""
    every = np.concatenate([cell[1][np.isfinite(cell[1])] for cell in cells if cell is not None])
    low, high = np.quantile(every, (0.005, 0.995))
    return (-max(-low, high), max(-low, high)) if low < 0 else (low, high)
