"""What a flow of fixed kinetic energy has learned: its potential beside -log pi."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from jaxtyping import Array, Float

from .._types import Scalar
from ..dynamics import AbstractPotential
from ..targets import AbstractTarget


class PotentialComparison(NamedTuple):
    """How like a learned potential V is to -log pi, over some points.

    Attributes:
        slope: a of the least squares fit V = a (-log pi) + b. It depends on the unit of time: twice the energies and
            half the steps make the same map.
        offset: b of that fit.
        correlation: Of V and -log pi, between -1 and 1.
        residual: Root mean square of V / a - b / a + log pi [nats].
        spread: Standard deviation of log pi [nats], to compare the residual with.
    """

    slope: Scalar
    offset: Scalar
    correlation: Scalar
    residual: Scalar
    spread: Scalar


@eqx.filter_jit
def compare_potential(
    potential: AbstractPotential, target: AbstractTarget, points: Float[Array, "point dim"], *, time: float = 0.0
) -> PotentialComparison:
    """Fit a potential by the negative log-density of a target.

    With a fixed kinetic energy, the potential is all that a flow can learn of the target, and may resemble -log pi up
    to slope and constant; a learned kinetic energy shares what is learned between the two.

    Args:
        potential: For example `flow.bijection.hamiltonian.potential`, of the coordinates of the target.
        target: The density.
        points: Where they are compared, for example draws of the flow.
        time: Of potentials that depend on it.

    References:
        Souveton et al. 2024, arXiv:2302.01955.
    """
    learned = paramax.unwrap(potential)
    energy = jax.vmap(lambda q: learned(q, jnp.asarray(time, q.dtype)))(points)
    wanted = -jax.vmap(target.log_density)(points)
    spread = jnp.std(wanted)
    slope = jnp.mean((energy - jnp.mean(energy)) * (wanted - jnp.mean(wanted))) / spread**2
    offset = jnp.mean(energy) - slope * jnp.mean(wanted)
    residual = jnp.sqrt(jnp.mean((energy - offset - slope * wanted) ** 2)) / jnp.abs(slope)
    return PotentialComparison(slope, offset, slope * spread / jnp.std(energy), residual, spread)
