"""Write mock stage-IV surveys of cosmic shear, lensing and clustering in harmonic space, as SACC files.

python scripts/data/mock_lsst_3x2pt.py FOLDER [SURVEY...] writes FOLDER/mock_lsst_3x2pt.sacc, and those of the surveys
that are named. Each has ten bins of lenses and ten of sources, shear in twelve bands from l = 20 to 3000, clustering
and galaxy-galaxy lensing down to k = 0.3 h/Mpc, the Gaussian covariance of the fiducial spectra and noise of a fixed
seed. Theory is the project's own.

- `lsst`: year ten of the Science Requirements Document, lenses in redshift slices, sources in bins of equal number.
- `euclid`: the distribution, number and area of arXiv:1910.09273, as sources and, of the same number, as lenses.
- `deep`: a made-up smaller and deeper survey from space.

The surveys are taken as independent. With five parameters of the universe and two of alignment that all share,
`nuisances` frees bias, shift of sources and shear calibration of one survey, 37 parameters, or these and the shift and
magnification of lenses of three, 157.

References:
    LSST Dark Energy Science Collaboration 2018, arXiv:1809.01669, Appendix D; Euclid Collaboration 2020,
    arXiv:1910.09273; Piras et al. 2024, arXiv:2405.12965, for likelihoods with so many parameters.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import erf

from cosmoflow.cosmology import Cosmology, comoving_distance, growth_factor
from cosmoflow.datasets import RedshiftDistribution, TwoPointData
from cosmoflow.likelihoods import VaryingCovarianceTwoPoint

EDGES = np.unique(np.round(np.geomspace(20, 3000, 13)).astype(int))
MAX_WAVENUMBER = 0.3  # [h/Mpc], of clustering and galaxy-galaxy lensing
NUM_BINS = 10
REDSHIFT = np.linspace(0, 3.5, 701)
FULL_SKY = 4 * np.pi * (180 / np.pi) ** 2  # [deg^2]
PER_STERADIAN = (180 * 60 / np.pi) ** 2  # of a number per arcmin^2
SEED = 2018

COSMOLOGY = {"Omega_m": 0.3156, "Omega_b": 0.0492, "h": 0.6727, "n_s": 0.9645, "sigma8": 0.831}
ALIGNMENT = {"A_IA": 0.6, "eta_IA": 0.0}


@dataclass(frozen=True)
class Sample:
    """Galaxies with n(z) proportional to z^2 exp(-(z / z0)^alpha).

    Args:
        z0: Of the distribution.
        alpha: Of the distribution.
        number: In an arcmin^2.
        scatter: Of photometric redshifts, over 1 + z.
        limits: Of equal slices of photometric redshift; None for bins of equal number.
    """

    z0: float
    alpha: float
    number: float
    scatter: float
    limits: tuple[float, float] | None = None

    def bins(self) -> list[tuple[RedshiftDistribution, float]]:
        """n(z) and number per steradian of each."""
        density = REDSHIFT**2 * np.exp(-((REDSHIFT / self.z0) ** self.alpha))
        density /= np.trapezoid(density, REDSHIFT)
        if self.limits is None:
            total = np.cumsum(density) / density.sum()
            edges = np.interp(np.arange(1, NUM_BINS) / NUM_BINS, total, REDSHIFT)
            edges = np.array([-np.inf, *edges, np.inf])
        else:
            edges = np.linspace(*self.limits, NUM_BINS + 1)
        below = 0.5 * (1 + erf((edges[:, None] - REDSHIFT) / (np.sqrt(2) * self.scatter * (1 + REDSHIFT))))
        found = []
        for selected in density * np.diff(below, axis=0):
            share = np.trapezoid(selected, REDSHIFT)
            found.append((RedshiftDistribution(REDSHIFT, selected / share), share * self.number * PER_STERADIAN))
        return found


@dataclass(frozen=True)
class Survey:
    """Its area [deg^2], lenses and sources, and the dispersion of a component of the shapes."""

    area: float
    lenses: Sample
    sources: Sample
    shape_noise: float = 0.26


EUCLID = Sample(z0=0.9 / np.sqrt(2), alpha=1.5, number=30, scatter=0.05)
SURVEYS = {
    "lsst": Survey(14300, Sample(0.28, 0.90, 48, 0.03, limits=(0.2, 1.2)), Sample(0.11, 0.68, 27, 0.05)),
    "euclid": Survey(15000, EUCLID, EUCLID, shape_noise=0.3 / np.sqrt(2)),
    "deep": Survey(2000, Sample(0.7, 1.5, 60, 0.03), Sample(0.7, 1.5, 50, 0.05)),
}


def names_of(survey: str, kind: str) -> list[str]:
    """Bins of a survey, `lsst_lens0`."""
    return [f"{survey}_{kind}{i}" for i in range(NUM_BINS)]


def distributions(survey: str) -> dict[str, tuple[RedshiftDistribution, float]]:
    """n(z) and number per steradian by bin, lenses first."""
    bins = [*SURVEYS[survey].lenses.bins(), *SURVEYS[survey].sources.bins()]
    return dict(zip([*names_of(survey, "lens"), *names_of(survey, "src")], bins, strict=True))


def noise(survey: str) -> dict[str, float]:
    """Its power, by bin."""
    variance = {"lens": 1.0, "src": SURVEYS[survey].shape_noise ** 2}
    found = distributions(survey)
    return {name: variance[kind] / found[name][1] for kind in variance for name in names_of(survey, kind)}


def fiducial(*surveys: str) -> dict[str, float]:
    """Where the data are made: linear bias 0.95 / D(z), no shifts, no calibration, slopes without magnification."""
    point = COSMOLOGY | ALIGNMENT
    universe = Cosmology(COSMOLOGY["Omega_m"], h=COSMOLOGY["h"])
    for survey in surveys:
        lenses, sources = names_of(survey, "lens"), names_of(survey, "src")
        for name, (distribution, _) in distributions(survey).items():
            point[f"dz_{name}"] = 0.0
            if name in lenses:
                growth = growth_factor(universe, _mean(distribution)) / growth_factor(universe, 0.0)
                point[f"b_{name}"] = 0.95 / float(growth)
                point[f"s_{name}"] = 0.4
        point |= {f"m_{name}": 0.0 for name in sources}
    return point


def nuisances(*surveys: str) -> list[str]:
    """Parameters that are free, 7 + 30 for one survey, 7 + 50 each for several."""
    kinds = [("b", "lens"), ("dz", "src"), ("m", "src")]
    if len(surveys) > 1:
        kinds += [("dz", "lens"), ("s", "lens")]
    own = [f"{prefix}_{name}" for survey in surveys for prefix, kind in kinds for name in names_of(survey, kind)]
    return [*COSMOLOGY, *ALIGNMENT, *own]


def mock(survey: str, *, scatter: bool = True) -> TwoPointData:
    """The data of a survey.

    Args:
        survey: One of `SURVEYS`.
        scatter: Whether noise is added.
    """
    given = distributions(survey)
    rows = _rows(survey, {name: distribution for name, (distribution, _) in given.items()})
    kinds, first, second, band = zip(*rows, strict=True)
    multipole = np.arange(EDGES[0], EDGES[-1], dtype=float)
    low, high = EDGES[np.array(band)][:, None], EDGES[np.array(band) + 1][:, None]
    window = np.where((low <= multipole) & (multipole < high), 2 * multipole + 1, 0)
    window /= window.sum(1, keepdims=True)
    empty = TwoPointData(
        statistic=kinds,
        first=first,
        second=second,
        angle=window @ multipole,
        value=np.zeros(len(rows)),
        covariance=np.eye(len(rows)),
        distributions={name: distribution for name, (distribution, _) in given.items()},
        window=(multipole, window),
    )
    likelihood = VaryingCovarianceTwoPoint(
        empty, noise=noise(survey), f_sky=SURVEYS[survey].area / FULL_SKY, amplitude="sigma8", magnification=True
    )
    point = {name: jnp.asarray(value) for name, value in fiducial(survey).items()}
    mean, covariance = map(np.asarray, _moments(likelihood, point))
    draw = np.random.default_rng([SEED, *map(ord, survey)]).standard_normal(mean.size)
    return replace(empty, value=mean + scatter * np.linalg.cholesky(covariance) @ draw, covariance=covariance)


@eqx.filter_jit
def _moments(likelihood: VaryingCovarianceTwoPoint, point: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
    return likelihood.theory.predict(dict(point)), likelihood.covariance(dict(point))


def _rows(survey: str, given: Mapping[str, RedshiftDistribution]) -> list[tuple[str, str, str, int]]:
    """Statistic, bins and band."""
    lenses, sources = names_of(survey, "lens"), names_of(survey, "src")
    pairs = [("cl_ee", a, b, EDGES[-1]) for i, a in enumerate(sources) for b in sources[i:]]
    for kind, others in (("cl_ge", sources), ("cl_gg", None)):
        for lens in lenses:
            cut = MAX_WAVENUMBER * _distance(_mean(given[lens]))
            pairs += [(kind, lens, other, cut) for other in others or [lens]]
    return [(*names, band) for *names, cut in pairs for band in range(EDGES.size - 1) if EDGES[band + 1] <= cut]


def _mean(distribution: RedshiftDistribution) -> float:
    return float(np.trapezoid(distribution.redshift * distribution.density, distribution.redshift))


def _distance(redshift: float) -> Float[np.ndarray, ""]:
    """Comoving [Mpc/h] in the fiducial universe."""
    return np.asarray(comoving_distance(Cosmology(COSMOLOGY["Omega_m"], h=1.0), redshift))


def write(data: TwoPointData, path: Path) -> None:
    """A SACC file."""
    import sacc

    types = {"cl_ee": "galaxy_shear_cl_ee", "cl_ge": "galaxy_shearDensity_cl_e", "cl_gg": "galaxy_density_cl"}
    file = sacc.Sacc()
    for name, distribution in data.distributions.items():
        quantity = "galaxy_shear" if name in data.sources else "galaxy_density"
        file.add_tracer("NZ", name, distribution.redshift, distribution.density, quantity=quantity)
    assert data.window is not None
    multipole, weights = data.window
    for row, kind in enumerate(data.statistic):
        inside = np.flatnonzero(weights[row])
        window = sacc.BandpowerWindow(multipole[inside].astype(int), weights[row, inside, None])
        tracers = (data.first[row], data.second[row])
        file.add_data_point(types[kind], tracers, data.value[row], ell=data.angle[row], window=window, window_ind=0)
    file.add_covariance(data.covariance)
    file.save_fits(str(path), overwrite=True)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for chosen in sys.argv[2:] or ["lsst"]:
        write(mock(chosen), folder / f"mock_{chosen}_3x2pt.sacc")
