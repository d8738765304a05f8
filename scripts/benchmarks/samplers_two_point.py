"""A stand-in for the posterior of three two-point functions: 25 parameters, most of them tightly known nuisances."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import cosmoflow as cf
from cosmoflow.likelihoods import AbstractGaussianLikelihood
from cosmoflow.targets import Posterior

SOURCES, LENSES, SCALES = 4, 5, 3
PAIRS = np.tril_indices(SOURCES)
COSMOLOGY = {"Omega_m": 0.3, "sigma8": 0.8, "n_s": 0.965, "h": 0.7, "omega_b": 0.0224}
FIDUCIAL = (
    COSMOLOGY
    | {"A_ia": 0.6, "eta_ia": 0.0}
    | {f"b_{i}": 1.4 + 0.15 * i for i in range(LENSES)}
    | {f"m_{i}": 0.0 for i in range(SOURCES)}
    | {f"source_shift_{i}": 0.0 for i in range(SOURCES)}
    | {f"lens_shift_{i}": 0.0 for i in range(LENSES)}
)
UNCERTAINTY = 0.06
"""Of each of the two-point functions, relative to it; neighbouring scales are correlated by 0.3."""


class TwoPoint(AbstractGaussianLikelihood):
    """Logarithms of shear, galaxy-galaxy lensing and clustering amplitudes over three scales.

    Powers of the parameters stand for the growth of structure: shear goes as sigma8^2 Omega_m^1.2 (the bent
    degeneracy of S8), lensing as b sigma8^2 Omega_m^0.6, clustering as b^2 sigma8^2; spectral index, h and baryons tilt
    them, intrinsic alignments lower the shear of nearby sources, shifts of redshift distributions and
    shear calibrations act as they do in surveys.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    required: tuple[str, ...] = eqx.field(default=tuple(FIDUCIAL), static=True)
    optional: tuple[str, ...] = eqx.field(default=(), static=True)

    def predict(self, parameters: dict[str, Array]) -> Float[Array, " data"]:
        """The logarithms of all amplitudes."""
        p = parameters
        bias, m, source_shift, lens_shift = (
            jnp.stack([p[f"{name}_{i}"] for i in range(count)])
            for name, count in (("b", LENSES), ("m", SOURCES), ("source_shift", SOURCES), ("lens_shift", LENSES))
        )
        ln_s8, ln_m = jnp.log(p["sigma8"] / 0.8), jnp.log(p["Omega_m"] / 0.3)
        scales = jnp.linspace(-1.0, 1.0, SCALES)
        shape = ln_m + 2 * jnp.log(p["h"] / 0.7) - 8 * (p["omega_b"] - 0.0224)
        tilt = (p["n_s"] - 0.965) * scales + 0.35 * shape * scales + 0.15 * ln_s8 * (1 + scales) ** 2
        tilt -= 0.08 * shape**2 * scales**2
        depth = jnp.linspace(0.3, 1.1, SOURCES)
        aligned = 0.06 * p["A_ia"] * ((1 + depth) / 1.6) ** p["eta_ia"] / depth
        source = jnp.log1p(m) + 1.6 * source_shift / jnp.linspace(0.3, 1.1, SOURCES)
        first, second = PAIRS
        behind = 0.5 * jnp.exp(-((0.2 * (jnp.arange(LENSES)[:, None] - jnp.arange(SOURCES))) ** 2))
        shear = 2 * ln_s8 + 1.2 * ln_m + source[first] + source[second]
        shear += 0.25 * (aligned[first] ** 2 + aligned[second] ** 2) - 0.5 * (aligned[first] + aligned[second])
        lensing = 2 * ln_s8 + 0.6 * ln_m + (jnp.log(bias) - 2 * lens_shift)[:, None] + source
        lensing -= behind * aligned
        clustering = 2 * ln_s8 + 2 * jnp.log(bias) + 3 * lens_shift
        amplitudes = jnp.concatenate([shear, lensing.ravel(), clustering])
        return (amplitudes[:, None] + tilt).ravel()


def two_point() -> Posterior:
    """The posterior, with data made from a fixed seed at the fiducial parameters."""
    fiducial = {name: jnp.asarray(value) for name, value in FIDUCIAL.items()}
    empty = TwoPoint(jnp.zeros(0), jnp.zeros((0, 0)))
    model = np.asarray(empty.predict(fiducial))
    place = np.arange(model.size)
    neighbours = (np.abs(place[:, None] - place) == 1) & (place[:, None] // SCALES == place // SCALES)
    cholesky = np.linalg.cholesky(UNCERTAINTY**2 * (np.eye(model.size) + 0.3 * neighbours))
    data = model + cholesky @ np.random.default_rng(5).standard_normal(model.size)
    prior = {
        "Omega_m": cf.Uniform(0.1, 0.9),
        "sigma8": cf.Uniform(0.4, 1.4),
        "n_s": cf.Uniform(0.87, 1.07),
        "h": cf.Uniform(0.55, 0.91),
        "omega_b": cf.Normal(0.0224, 0.001),
        "A_ia": cf.Uniform(-5.0, 5.0),
        "eta_ia": cf.Uniform(-5.0, 5.0),
    }
    prior |= {f"b_{i}": cf.Uniform(0.8, 3.0) for i in range(LENSES)}
    prior |= {f"m_{i}": cf.Normal(0.0, 0.01) for i in range(SOURCES)}
    prior |= {f"source_shift_{i}": cf.Normal(0.0, 0.015) for i in range(SOURCES)}
    prior |= {f"lens_shift_{i}": cf.Normal(0.0, 0.005) for i in range(LENSES)}
    return Posterior(cf.Prior(prior), TwoPoint(jnp.asarray(data), jnp.asarray(cholesky)))
