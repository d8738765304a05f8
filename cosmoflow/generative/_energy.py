"""Networks that are energies, so that the score which follows from them is a gradient."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp

from .._types import Scalar, Vector
from ._base import Condition


class EnergyNetwork(eqx.Module):
    """u(x, t, c) = x . f(x, t, c): any smooth function that is zero at x = 0, for `Diffusion(prediction="energy")`.

    Args:
        network: f, with as many outputs as x has numbers; a `TimeNetwork`.

    References:
        Salimans & Ho 2021, "Should EBMs model the energy or the score?"; Du et al. 2023, arXiv:2302.11552.
    """

    network: Callable

    def __call__(self, x: Vector, time: Scalar, condition: Condition = None) -> Scalar:
        """The energy of one point at one time."""
        return jnp.dot(x, self.network(x, time, condition))
