"""Cosmic shear, galaxy clustering and galaxy-galaxy lensing."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.interpolate import PchipInterpolator

from .._types import Parameters
from ..cosmology import (
    MULTIPOLE,
    T_CMB,
    Cosmology,
    EmuPk,
    Halofit,
    LinearPower,
    Projection,
    bandpower_matrix,
    correlation_matrix,
    linear_power,
    uniform_cubic,
)
from ..datasets import CORRELATIONS, RedshiftDistribution, TwoPointData
from ._base import AbstractGaussianLikelihood
from ._covariance import lower_cholesky

_EXTENSIONS = ("Omega_k", "w0", "wa", "T_cmb", "N_eff", "m_nu")
_STEP = 0.005  # of the tables of n(z)
_TAIL = 1e-5  # of n(z), left out
_MARGIN = 0.1  # of redshift, for shifts


class TwoPoint(AbstractGaussianLikelihood):
    """Two-point functions of galaxy bins in tomography, "3x2pt", in the Limber approximation.

    Nonlinear power by halofit on the transfer function of Eisenstein and Hu, or on the linear power of `EmuPk`; linear
    bias; nonlinear alignment of shapes with its power of redshift. Real-space functions are sums over multipoles on the
    full sky, averaged over the area of angular bins where the data have edges. Massive neutrinos take part in the
    expansion and the growth, and suppress small scales with `EmuPk` alone. Outside the range of `EmuPk` log L is NaN.

    Required are `Omega_m`, `Omega_b`, `h`, `n_s`, the amplitude, and for each lens bin its bias, `b_lens0`. Optional,
    by their names for bins `src0` and `lens0`:

    - `Omega_k`, `w0`, `wa`, `T_cmb` (2.7255 K), `N_eff` (3.044), `m_nu` (0 eV);
    - `A_IA`, `eta_IA` (0, 0): intrinsic alignment, -A_IA ((1 + z) / (1 + z0))^eta_IA;
    - `m_src0` (0): multiplicative shear bias, 1 + m;
    - `dz_src0`, `dz_lens0` (0), `width_src0`, `width_lens0` (1): shift and stretch about its mean of n(z);
    - with `magnification`, `s_lens0` (0.4): slope of the number counts, d log10 N / d m; 0.4 is no effect.

    Args:
        data: The measurements.
        amplitude: The parameter that sets the amplitude: `A_s` at 0.05/Mpc, or `sigma8`.
        magnification: Whether lens bins are magnified by what is in front of them.
        redshift_space: Whether peculiar velocities move galaxies of lens bins in and out.
        alignment_pivot: z0 of the alignment.
        nonlinear: Whether power is nonlinear.
        transfer: What makes the linear power: the formula `eisenstein_hu`, good to a few per cent, or the emulator
            `emu_pk`, which needs the package of this name.
        num_redshifts: Cells of the integrals along the line of sight.
        precision: Of the theory; the residuals are in that of the data.

    Raises:
        ValueError: If the covariance is not positive definite, or `transfer` is neither of the two.
        ImportError: If the emulator is asked for and emu_pk is not installed.

    References:
        Krause et al. 2017, arXiv:1706.09359; Limber 1953; LoVerde & Afshordi 2008, arXiv:0809.5112.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    tables: Float[Array, "bin point"]
    means: Float[Array, " bin"]
    rows: Float[Array, "data ell"]
    pair: Int[Array, " data"]
    pairs: tuple[tuple[int, int], ...] = eqx.field(static=True)
    sources: tuple[str, ...] = eqx.field(static=True)
    lenses: tuple[str, ...] = eqx.field(static=True)
    amplitude: str = eqx.field(static=True)
    magnification: bool = eqx.field(static=True)
    redshift_space: bool = eqx.field(static=True)
    alignment_pivot: float = eqx.field(static=True)
    nonlinear: bool = eqx.field(static=True)
    emulator: EmuPk | None
    num_redshifts: int = eqx.field(static=True)
    max_redshift: float = eqx.field(static=True)
    precision: str = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        data: TwoPointData,
        *,
        amplitude: Literal["A_s", "sigma8"] = "A_s",
        magnification: bool = False,
        redshift_space: bool = False,
        alignment_pivot: float = 0.62,
        nonlinear: bool = True,
        transfer: Literal["eisenstein_hu", "emu_pk"] = "eisenstein_hu",
        num_redshifts: int = 200,
        precision: Literal["single", "double"] = "double",
    ):
        if transfer not in ("eisenstein_hu", "emu_pk"):
            raise ValueError(f"`transfer` is eisenstein_hu or emu_pk, not {transfer!r}.")
        self.sources, self.lenses = data.sources, data.lenses
        self.emulator = EmuPk() if transfer == "emu_pk" else None
        bins = (*self.sources, *self.lenses)
        distributions = [data.distributions[name] for name in bins]
        self.tables, self.means = _tables(distributions)
        self.max_redshift = max(map(_end, distributions)) + _MARGIN
        place = {**{("s", name): i for i, name in enumerate(self.sources)}}
        place |= {("l", name): i for i, name in enumerate(self.lenses, start=len(self.sources))}
        wanted = [
            (place[first_kind, first], place[second_kind, second])
            for statistic, first, second in zip(data.statistic, data.first, data.second, strict=True)
            for first_kind, second_kind in [_KINDS[statistic]]
        ]
        self.pairs = tuple(dict.fromkeys(wanted))
        self.pair = jnp.asarray([self.pairs.index(pair) for pair in wanted])
        self.rows = jnp.asarray(_rows(data))
        self.data = jnp.asarray(data.value)
        self.cholesky = jnp.asarray(lower_cholesky(data.covariance, of="the two-point functions"))
        self.amplitude, self.magnification, self.redshift_space = amplitude, magnification, redshift_space
        self.alignment_pivot, self.nonlinear = alignment_pivot, nonlinear
        self.num_redshifts, self.precision = num_redshifts, precision
        self.required = ("Omega_m", "Omega_b", "h", "n_s", amplitude, *(f"b_{name}" for name in self.lenses))
        self.optional = (
            *_EXTENSIONS,
            *(("A_IA", "eta_IA", *(f"m_{name}" for name in self.sources)) if self.sources else ()),
            *(f"dz_{name}" for name in bins),
            *(f"width_{name}" for name in bins),
            *((f"s_{name}" for name in self.lenses) if magnification else ()),
        )

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """The two-point functions."""
        spectra = self.angular_power(parameters)
        return jnp.sum(self.rows.astype(spectra.dtype) * spectra[self.pair], axis=1).astype(self.data.dtype)

    def angular_power(
        self, parameters: Parameters, pairs: tuple[tuple[int, int], ...] | None = None
    ) -> Float[Array, "pair ell"]:
        """C(l) at the multipoles `cosmology.MULTIPOLE`, without factors for the spin.

        Args:
            parameters: Values by name.
            pairs: Places of bins, sources before lenses; None for the `pairs` of the data.
        """
        given, cosmology, linear = self._matter(parameters)
        projection = Projection(cosmology, self.max_redshift, self.num_redshifts)
        matter = Halofit(cosmology, linear, projection.redshift)
        log_wavenumber = projection.log_wavenumber(MULTIPOLE)
        power = matter(log_wavenumber) if self.nonlinear else jnp.exp(matter.log_linear(log_wavenumber))
        kernels = self._kernels(projection, given)
        first, second = kernels[np.array(pairs or self.pairs).T]
        return projection.angular_power(power, first, second)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Those of the emulator of linear power."""
        return {} if self.emulator is None else self.emulator.ranges()

    def derived(self, parameters: Parameters) -> Parameters:
        """`S8` = sigma8 sqrt(Omega_m / 0.3), and `sigma8` where `A_s` is the amplitude."""
        given, _, linear = self._matter(parameters)
        sigma8 = given["sigma8"] if self.amplitude == "sigma8" else linear.sigma()
        found = {"sigma8": sigma8, "S8": sigma8 * jnp.sqrt(given["Omega_m"] / 0.3)}
        return {name: value.astype(self.data.dtype) for name, value in found.items() if name not in parameters}

    def _matter(self, parameters: Parameters) -> tuple[Parameters, Cosmology, LinearPower]:
        """The parameters in the precision of the theory, the universe and its linear power."""
        for name in self.required:
            if name not in parameters:
                raise ValueError(f"The likelihood needs the parameter {name!r}.")
        dtype = jnp.float32 if self.precision == "single" else self.data.dtype
        given = {name: jnp.asarray(value, dtype) for name, value in parameters.items()}
        names = {"Omega_m", "Omega_b", "h", *_EXTENSIONS} & given.keys()
        cosmology = Cosmology(**{"T_cmb": T_CMB, **{name: given[name] for name in names}})
        power = linear_power if self.emulator is None else self.emulator
        return given, cosmology, power(cosmology, n_s=given["n_s"], **{self.amplitude: given[self.amplitude]})

    def _kernels(self, projection: Projection, given: Parameters) -> Float[Array, "bin *z"]:
        """Kernels of sources and lenses, with an axis for the multipole if peculiar velocities take part."""

        def each(prefix: str, names: tuple[str, ...], default: float) -> Float[Array, "bin 1"]:
            values = [given.get(f"{prefix}_{name}", jnp.asarray(default)) for name in names]
            return jnp.stack([value.astype(projection.redshift.dtype) for value in values])[:, None]

        bins, cut = (*self.sources, *self.lenses), len(self.sources)
        distribution = self._distributions(projection.redshift, each("dz", bins, 0.0), each("width", bins, 1.0))
        parts = []
        if self.sources:
            source = projection.lensing(distribution[:cut])
            if "A_IA" in given:
                slope = given.get("eta_IA", jnp.zeros_like(given["A_IA"]))
                source += projection.alignment(distribution[:cut], given["A_IA"], slope, self.alignment_pivot)
            parts.append(source * (1 + each("m", self.sources, 0.0)))
        if self.lenses:
            lens = each("b", self.lenses, 1.0) * projection.density(distribution[cut:])
            if self.magnification:
                lens += (5 * each("s", self.lenses, 0.4) - 2) * projection.lensing(distribution[cut:])
            parts.append(lens)
        if not (self.redshift_space and self.lenses):
            return jnp.concatenate(parts)
        parts = [jnp.repeat(part[:, None, :], MULTIPOLE.size, axis=1) for part in parts]
        parts[-1] += projection.redshift_space(distribution[cut:], MULTIPOLE)
        return jnp.concatenate(parts)

    def _distributions(
        self, redshift: Float[Array, " z"], shift: Float[Array, "bin 1"], width: Float[Array, "bin 1"]
    ) -> Float[Array, "bin z"]:
        """n(z), shifted and stretched about its mean."""
        mean = self.means.astype(redshift.dtype)[:, None]
        original = (redshift - shift - mean) / width + mean
        position = original / _STEP
        values = jax.vmap(uniform_cubic)(self.tables.astype(redshift.dtype), position)
        inside = (position >= 0) & (position <= self.tables.shape[1] - 1)
        return jnp.where(inside, values, 0.0) / width


_KINDS = {
    "xi_plus": ("s", "s"),
    "xi_minus": ("s", "s"),
    "cl_ee": ("s", "s"),
    "gamma_t": ("l", "s"),
    "cl_ge": ("l", "s"),
    "w": ("l", "l"),
    "cl_gg": ("l", "l"),
}


def _end(distribution: RedshiftDistribution) -> float:
    """The redshift beyond which a distribution has nothing worth counting."""
    weight = np.cumsum(distribution.density * np.gradient(distribution.redshift))
    return float(distribution.redshift[np.searchsorted(weight, (1 - _TAIL) * weight[-1])])


def _tables(distributions: list[RedshiftDistribution]) -> tuple[Float[Array, "bin point"], Float[Array, " bin"]]:
    """n(z) on equal steps from zero, normalised, and mean redshifts."""
    grid = np.arange(0, max(d.redshift[-1] for d in distributions) + _STEP, _STEP)
    rows = []
    for d in distributions:
        row = np.nan_to_num(PchipInterpolator(d.redshift, d.density, extrapolate=False)(grid))
        rows.append(row / (row.sum() * _STEP))
    tables = np.array(rows)
    return jnp.asarray(tables), jnp.asarray(tables @ grid * _STEP)


def _rows(data: TwoPointData) -> Float[np.ndarray, "data ell"]:
    """What turns spectra into the data; rows of one statistic and angle are the same whatever the bins."""
    rows = np.empty((data.value.size, MULTIPOLE.size))
    real = np.flatnonzero([kind in CORRELATIONS for kind in data.statistic])
    if real.size:
        angle = data.angle[real, None] if data.edges is None else data.edges[real]
        keys = [(data.statistic[i], *at) for i, at in zip(real, angle.tolist(), strict=True)]
        unique = list(dict.fromkeys(keys))
        theta = np.array([at for _, *at in unique])
        matrix = correlation_matrix([kind for kind, *_ in unique], theta if data.edges is not None else theta[:, 0])
        rows[real] = matrix[[unique.index(key) for key in keys]]
    for i in np.flatnonzero([kind not in CORRELATIONS for kind in data.statistic]):
        if data.window is None:
            multipole, weight = data.angle[i : i + 1], np.ones((1, 1))
        else:
            multipole, weight = data.window[0], data.window[1][i : i + 1]
        rows[i] = bandpower_matrix(data.statistic[i], multipole, weight)[0]
    return rows
