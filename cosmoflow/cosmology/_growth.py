"""Linear growth of matter perturbations.

The growth equation in x = ln a for g = D / a,

    g'' + (5/2 + M'/2M) g' + (3/2 + M'/2M - 3/2 Omega_m / M) g = 0,    M(a) = a^3 E^2(a)

is solved by collocation at Chebyshev points from a = 1e-3 to today, where it has lost its memory of how it started:
one linear system of 32 equations. D is accurate to 2e-5, D(z) / D(0) to 1e-6.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._background import matter_scaled
from ._parameters import Cosmology

_START = float(np.log(1e-3))
_NUM_NODES = 32


def growth_factor(cosmology: Cosmology, redshift: ArrayLike) -> Float[Array, "..."]:
    """Growth factor D(z), with D = a while matter dominates.

    Neutrinos grow like the rest of matter here; free streaming belongs to a power spectrum with massive neutrinos.

    Args:
        cosmology: The universe.
        redshift: Redshifts below 900.

    Returns:
        D at each redshift.

    References:
        Heath 1977, MNRAS 179, 351; Meszaros 1974 for the start, D = a + 2/3 a_eq.
    """
    x = _log_scale_factor(cosmology, redshift)
    return jnp.exp(x) * (_basis(x) @ _coefficients(cosmology))


def growth_rate(cosmology: Cosmology, redshift: ArrayLike) -> Float[Array, "..."]:
    """Growth rate f = d ln D / d ln a."""
    x = _log_scale_factor(cosmology, redshift)
    coefficients = _coefficients(cosmology)
    slope = jnp.asarray(_derivative_of_coefficients(), coefficients.dtype) @ coefficients
    basis = _basis(x)
    return 1 + (basis @ slope) / (basis @ coefficients)


def _log_scale_factor(cosmology: Cosmology, redshift: ArrayLike) -> Float[Array, "..."]:
    return -jnp.log1p(jnp.asarray(redshift, cosmology.h.dtype))


def _basis(x: Float[Array, "*shape"]) -> Float[Array, "*shape basis"]:
    """Chebyshev polynomials on [ln 1e-3, 0], by their recurrence."""
    t = 1 - 2 * x / _START
    columns = [jnp.ones_like(t), t]
    while len(columns) < _NUM_NODES:
        columns.append(2 * t * columns[-1] - columns[-2])
    return jnp.stack(columns, axis=-1)


@cache
def _collocation() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points x, and the values, first and second derivatives of the polynomials there."""
    t = np.cos(np.pi * np.arange(_NUM_NODES) / (_NUM_NODES - 1))[::-1]
    derivative = _derivative_of_coefficients()
    values = np.polynomial.chebyshev.chebvander(t, _NUM_NODES - 1)
    return _START * (1 - t) / 2, values, values @ derivative, values @ derivative @ derivative


@cache
def _derivative_of_coefficients() -> np.ndarray:
    """The matrix that turns coefficients of a function of x into those of its derivative."""
    matrix = np.zeros((_NUM_NODES, _NUM_NODES))
    matrix[:-1] = np.polynomial.chebyshev.chebder(np.eye(_NUM_NODES)) * (-2 / _START)
    return matrix


def _coefficients(cosmology: Cosmology) -> Float[Array, " basis"]:
    """Chebyshev coefficients of D / a."""
    dtype = cosmology.h.dtype
    x, values, first, second = (jnp.asarray(part, dtype) for part in _collocation())
    matter = matter_scaled(cosmology, jnp.exp(x))
    to_coefficients = jnp.asarray(np.linalg.inv(_collocation()[1]), dtype)
    steepness = first @ (to_coefficients @ jnp.log(matter)) / 2
    equations = (
        second
        + (2.5 + steepness)[:, None] * first
        + (1.5 + steepness - 1.5 * cosmology.Omega_m / matter)[:, None] * values
    )
    # The first two equations make way for the start, deep in matter domination with some radiation left.
    late = 2 / 3 * cosmology.Omega_radiation / cosmology.Omega_m / jnp.exp(x[0])
    matrix = jnp.concatenate([values[:1], first[:1], equations[2:]])
    start = jnp.concatenate([jnp.stack([1 + late, -late]), jnp.zeros(_NUM_NODES - 2, dtype)])
    return jnp.linalg.solve(matrix, start)
