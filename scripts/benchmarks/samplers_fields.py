"""A log-normal field seen through Poisson counts, in white latents."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.fft import dct

from cosmoflow.targets import AbstractTarget


class PoissonField(AbstractTarget):
    """White noise z of a Gaussian field delta = C^T (a C-coefficients) C; counts have the mean 3 exp(delta - 1/2).

    Args:
        counts: On a square grid.
        amplitude: Square root of the power of every mode of the cosine transform.
        cosines: The orthonormal matrix of the cosine transform along one axis.
    """

    counts: Float[Array, "side side"]
    amplitude: Float[Array, "side side"]
    cosines: Float[Array, "side side"]
    mean: float = eqx.field(default=3.0, static=True)

    @property
    def dim(self) -> int:
        """Number of cells."""
        return self.counts.size

    def constrain(self, x: Float[Array, " dim"]) -> dict[str, Array]:
        """The point itself."""
        return {"x": x}

    def field(self, x: Float[Array, " dim"]) -> Float[Array, "side side"]:
        """The Gaussian field delta."""
        return self.cosines.T @ (self.amplitude * x.reshape(self.counts.shape)) @ self.cosines

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Poisson likelihood and N(0, I), without their constants."""
        delta = self.field(x)
        return jnp.sum(self.counts * delta - self.mean * jnp.exp(delta - 0.5)) - 0.5 * (x @ x)


def poisson_field(side: int) -> tuple[PoissonField, np.ndarray]:
    """The field with counts made from a fixed seed, and the white noise they were made from: an exact draw.

    The power is P(k) ~ (1 + (k/3)^2)^-1.5 with k in units of the grid's fundamental mode, normalised to unit variance.
    """
    modes = np.hypot(*np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    power = (1 + (modes / 3) ** 2) ** -1.5
    amplitude = np.sqrt(power / power.mean())
    cosines = dct(np.eye(side), norm="ortho", axis=0)
    rng = np.random.default_rng(side)
    truth = rng.standard_normal(side**2)
    empty = PoissonField(*(jnp.asarray(array) for array in (np.zeros((side, side)), amplitude, cosines)))
    counts = rng.poisson(empty.mean * np.exp(np.asarray(empty.field(jnp.asarray(truth)), float) - 0.5))
    return eqx.tree_at(lambda f: f.counts, empty, jnp.asarray(counts, empty.amplitude.dtype)), truth
