"""Linear growth of matter perturbations.

The growth equation in x = ln a for g = D / a,

    g'' + (5/2 + M'/2M) g' + (3/2 + M'/2M - 3/2 Omega_m / M) g = 0,    M(a) = a^3 E^2(a)

is solved on Chebyshev points from a = 1e-3 to today by iterating its integrals. Matter domination leaves d/dx + 5/2,
whose inverse is a constant matrix; the rest is small until late, so that it converges faster than a geometric series.
D is accurate to 1e-7 for LCDM, and to 3e-5 for dark energy that appears suddenly.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from numpy.polynomial import chebyshev

from ._background import matter_scaled
from ._parameters import Cosmology

_START = float(np.log(1e-3))
_NUM_NODES = 32
_NUM_ITERATIONS = 12


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
def _collocation() -> tuple[np.ndarray, ...]:
    """Points x; matrices on values there: coefficients, d/dx, and from the first point int dx and 1 / (d/dx + 5/2)."""
    t = np.cos(np.pi * np.arange(_NUM_NODES) / (_NUM_NODES - 1))[::-1]
    values = chebyshev.chebvander(t, _NUM_NODES - 1)
    to_coefficients = np.linalg.inv(values)
    derivative = values @ _derivative_of_coefficients() @ to_coefficients

    def inverse(operator: np.ndarray) -> np.ndarray:
        """Of a first-order operator, of functions that vanish at the first point."""
        matrix = np.zeros_like(operator)
        matrix[1:, 1:] = np.linalg.inv(operator[1:, 1:])
        return matrix

    damped = inverse(derivative + 2.5 * np.eye(_NUM_NODES))
    return _START * (1 - t) / 2, to_coefficients, derivative, inverse(derivative), damped


@cache
def _derivative_of_coefficients() -> np.ndarray:
    """The matrix that turns coefficients of a function of x into those of its derivative."""
    matrix = np.zeros((_NUM_NODES, _NUM_NODES))
    matrix[:-1] = chebyshev.chebder(np.eye(_NUM_NODES)) * (-2 / _START)
    return matrix


def _coefficients(cosmology: Cosmology) -> Float[Array, " basis"]:
    """Chebyshev coefficients of D / a."""
    x, to_coefficients, derivative, integral, damped = (jnp.asarray(part, cosmology.h.dtype) for part in _collocation())
    a = jnp.exp(x)
    matter = matter_scaled(cosmology, a)
    steepness = derivative @ jnp.log(matter) / 2
    source = 1.5 + steepness - 1.5 * cosmology.Omega_m / matter
    # Deep in matter domination some radiation is left, and light neutrinos are part of it.
    late = 2 / 3 * ((matter[0] - cosmology.Omega_k * a[0]) / cosmology.Omega_m - 1)
    decaying = -late * jnp.exp(2.5 * (x[0] - x))

    growth, slope = jnp.broadcast_to(1 + late, x.shape), decaying
    for _ in range(_NUM_ITERATIONS):
        slope = decaying - damped @ (steepness * slope + source * growth)
        growth = 1 + late + integral @ slope
    return to_coefficients @ growth
