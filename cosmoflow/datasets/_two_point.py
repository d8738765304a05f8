"""Two-point functions of galaxies and their shapes, in real and in harmonic space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

CORRELATIONS = ("xi_plus", "xi_minus", "gamma_t", "w")
SPECTRA = ("cl_ee", "cl_ge", "cl_gg")
NORMALISATION = 0.02
"""By how much the integral of a redshift distribution may differ from one."""


@dataclass(frozen=True, eq=False)
class RedshiftDistribution:
    """The distribution n(z) of the galaxies of one bin.

    Args:
        redshift: Ascending redshifts.
        density: n at each of them, of integral one.

    Raises:
        ValueError: If the redshifts do not ascend, or a density is negative or not finite, or the integral is not one.
    """

    redshift: Float[np.ndarray, " z"]
    density: Float[np.ndarray, " z"]

    def __post_init__(self):
        for name, values in (("redshift", self.redshift), ("density", self.density)):
            if bad := np.flatnonzero(~np.isfinite(values)).tolist():
                raise ValueError(f"the {name} in row {bad[0] + 1} is {values[bad[0]]}; remove or mend it")
        if down := np.flatnonzero(np.diff(self.redshift) <= 0).tolist():
            low, high = self.redshift[down[0] : down[0] + 2]
            raise ValueError(f"the redshift in row {down[0] + 2} is {high:g} after {low:g}; sort the rows")
        if bad := np.flatnonzero(self.density < 0).tolist():
            raise ValueError(f"the density in row {bad[0] + 1} is negative, {self.density[bad[0]]:g}; set it to zero")
        total = np.trapezoid(self.density, self.redshift)
        if abs(total - 1) > NORMALISATION:
            raise ValueError(f"n(z) has the integral {total:.4g} in the place of 1; divide it by that")


@dataclass(frozen=True, eq=False)
class TwoPointData:
    """Two-point functions of bins of galaxies, one row for each number.

    Statistics are `xi_plus`, `xi_minus` (two source bins), `gamma_t` (a lens and a source bin), `w` (two lens bins) at
    an angle, and the spectra `cl_ee`, `cl_ge`, `cl_gg` of the same pairs at a multipole.

    Args:
        statistic: What each row is.
        first: Bin of the first field: a source for `xi_plus`, `xi_minus`, `cl_ee`, else a lens.
        second: Bin of the second field: a lens for `w`, `cl_gg`, else a source.
        angle: Angle [arcmin] or multipole.
        value: What was measured.
        covariance: Covariance of the values.
        distributions: n(z) by bin.
        edges: Edges of the bin of angles [arcmin], where the measurement is an average over it.
        window: Multipoles, and the weight of each of them in each row, where rows are bandpowers.

    Raises:
        ValueError: If a part is unknown, missing or of the wrong size, or a value, an angle or an edge is none.
    """

    statistic: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    angle: Float[np.ndarray, " data"]
    value: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]
    distributions: Mapping[str, RedshiftDistribution]
    edges: Float[np.ndarray, "data 2"] | None = None
    window: tuple[Float[np.ndarray, " ell"], Float[np.ndarray, "data ell"]] | None = field(default=None)

    def __post_init__(self):
        size = self.value.size
        if not len(self.statistic) == len(self.first) == len(self.second) == self.angle.size == size:
            raise ValueError(f"{size} values need as many statistics, pairs of bins and angles.")
        if self.covariance.shape != (size, size):
            shape = " x ".join(map(str, self.covariance.shape))
            raise ValueError(f"{size} values need a {size} x {size} covariance, but it is {shape}.")
        for row, values in enumerate(zip(self.statistic, self.first, self.second, self.value, strict=True), start=1):
            statistic, first, second, value = values
            if statistic not in CORRELATIONS + SPECTRA:
                known = ", ".join(CORRELATIONS + SPECTRA)
                raise ValueError(f"{statistic!r} in row {row} is no two-point statistic; use one of {known}.")
            for name in (first, second):
                if name not in self.distributions:
                    known = ", ".join(self.distributions)
                    raise ValueError(f"The bin {name!r} in row {row} has no redshift distribution; there are {known}.")
            if not np.isfinite(value):
                raise ValueError(f"The value in row {row} ({statistic} {first} {second}) is {value}; remove the row.")
        if bad := np.flatnonzero(~((self.angle > 0) & np.isfinite(self.angle))).tolist():
            raise ValueError(f"The angle or multipole in row {bad[0] + 1} is {self.angle[bad[0]]:g}; correct it.")
        if self.edges is not None:
            low, high = self.edges.T
            if bad := np.flatnonzero(~((low >= 0) & (high > low) & np.isfinite(high))).tolist():
                edges = f"{low[bad[0]]:g} and {high[bad[0]]:g}"
                raise ValueError(f"The bin of angles in row {bad[0] + 1} has the edges {edges}; they must ascend.")

    @property
    def sources(self) -> tuple[str, ...]:
        """Bins whose shapes are used."""
        return self._bins(of_lenses=False)

    @property
    def lenses(self) -> tuple[str, ...]:
        """Bins whose positions are used."""
        return self._bins(of_lenses=True)

    def _bins(self, *, of_lenses: bool) -> tuple[str, ...]:
        used = {
            name
            for kind, first, second in zip(self.statistic, self.first, self.second, strict=True)
            for name, lens in ((first, kind not in _SHEAR), (second, kind in _CLUSTERING))
            if lens == of_lenses
        }
        return tuple(name for name in self.distributions if name in used)

    def rows(self, keep: np.ndarray) -> "TwoPointData":
        """Those rows for which `keep` is true."""
        index = np.flatnonzero(keep)
        return replace(
            self,
            statistic=tuple(self.statistic[i] for i in index),
            first=tuple(self.first[i] for i in index),
            second=tuple(self.second[i] for i in index),
            angle=self.angle[index],
            value=self.value[index],
            covariance=self.covariance[np.ix_(index, index)],
            edges=None if self.edges is None else self.edges[index],
            window=None if self.window is None else (self.window[0], self.window[1][index]),
        )

    def only(self, *statistics: str) -> "TwoPointData":
        """The rows of some statistics.

        Raises:
            ValueError: If there are none.
        """
        return self._kept(np.array([kind in statistics for kind in self.statistic]), f"of {', '.join(statistics)}")

    def between(self, cuts: Mapping[str, Sequence[int | float]]) -> "TwoPointData":
        """The rows within scale cuts.

        Args:
            cuts: Least and greatest angle [arcmin] or multipole, by statistic, `"w"`, or by statistic and bins,
                `"w lens0 lens0"`, which goes before; statistics without an entry are kept.

        Raises:
            ValueError: If an entry matches no row, is no pair of ascending numbers, or nothing is left.
        """
        labels = [f"{s} {a} {b}" for s, a, b in zip(self.statistic, self.first, self.second, strict=True)]
        for entry, limits in cuts.items():
            if entry not in labels and entry not in self.statistic:
                raise ValueError(
                    f"The scale cut {entry!r} matches no row; write a statistic, or one with its two bins."
                )
            if len(limits) != 2 or not limits[0] < limits[1]:
                raise ValueError(f"The scale cut {entry!r} is {list(limits)}, which is no least and greatest scale.")
        limits = [
            cuts.get(label, cuts.get(kind, (-np.inf, np.inf)))
            for label, kind in zip(labels, self.statistic, strict=True)
        ]
        low, high = np.array(limits, float).reshape(-1, 2).T
        return self._kept((low <= self.angle) & (self.angle <= high), "within the scale cuts")

    def _kept(self, keep: np.ndarray, what: str) -> "TwoPointData":
        if not keep.any():
            raise ValueError(f"There are no rows {what}, out of {keep.size}; widen them.")
        return self.rows(keep)


_SHEAR = ("xi_plus", "xi_minus", "cl_ee")
_CLUSTERING = ("w", "cl_gg")
