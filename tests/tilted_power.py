"""A power spectrum of two parameters that is compiled sooner than that of matter."""

import equinox as eqx
import jax.numpy as jnp

from cosmoflow.fields import AbstractPower


class Tilted(AbstractPower):
    """A power law: the square of `sigma8` is its amplitude, `Omega_m` its tilt.

    Args:
        amplitude: At a wave number of one.
    """

    amplitude: float = eqx.field(default=1000.0, static=True)
    required: tuple[str, ...] = eqx.field(default=("Omega_m", "sigma8"), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(default=(), static=True, init=False)

    def __call__(self, grid, parameters):
        wavenumber = jnp.asarray(grid.shells[1:], float)
        power = self.amplitude * parameters["sigma8"] ** 2 * wavenumber ** -parameters["Omega_m"]
        return jnp.pad(power, (1, 0))
