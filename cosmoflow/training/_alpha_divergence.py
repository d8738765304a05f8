"""Training on what a flow misses: the second alpha-divergence, by annealed importance sampling."""

import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ..dynamics import AbstractPotential, GaussianKinetic, Hamiltonian, Leapfrog
from ..flows import HamiltonianFlow
from ..targets import AbstractTarget, Augmented
from ._losses import AbstractLoss, Batch, stopped
from ._spread import spread


class AlphaDivergence(AbstractLoss):
    """log E_flow[w^2] with w = pi(q) f(p | q) / Pi(q, p), plus a constant: covers every mode, unlike the reverse KL.

    Its gradient is that of E_g[2 log f(p | q) - log Pi(q, p)] under g ~ w^2 Pi held fixed. Annealed importance sampling
    leads draws of the flow to g over Pi w^(2 b), b rising from 0 to 1, in the coordinates of the flow's base, where a
    good flow leaves little to do. Without its first step this is importance sampling, which finds no new modes.

    Args:
        target: The density of the positions; its arrays are never trained.
        num_samples: Draws of the flow per evaluation.
        num_levels: Levels b; after each but the last a trajectory of Hamiltonian Monte Carlo.
        num_steps: Leapfrog steps per trajectory.
        step_size: Their length, in units of the base.

    References:
        Midgley et al. 2023, arXiv:2208.01893; Neal 2001, Statistics and Computing 11, 125.
    """

    target: AbstractTarget
    num_samples: int = 128
    num_levels: int = 4
    num_steps: int = 3
    step_size: float = 0.3

    def __call__(self, model: HamiltonianFlow, batch: Batch, *, key: Key) -> Scalar:
        """A scalar with the gradient of the divergence, its samples being fixed; the value measures no progress."""
        fixed = paramax.unwrap(stopped(model))
        x, log_weights = jax.vmap(lambda k: self.annealed(fixed, k))(spread(jr.split(key, self.num_samples)))
        weights = jax.lax.stop_gradient(jax.nn.softmax(jnp.where(jnp.isnan(log_weights), -jnp.inf, log_weights)))
        q, p = jnp.split(jax.lax.stop_gradient(x), 2, axis=1)
        return weights @ (2 * model.momentum.log_prob(p, q) - model.log_prob(jnp.concatenate([q, p], axis=1)))

    def annealed(self, model: HamiltonianFlow, key: Key) -> tuple[Float[Array, " phase"], Scalar]:
        """One point led from the flow towards g, and the logarithm of its importance weight."""
        level = _Level(model, Augmented(self.target, model.momentum), jnp.zeros(()))
        key_start, key_moves = jr.split(key)
        z = model.base._sample(key_start)
        step = 1 / self.num_levels

        def move(carry, inputs):
            z, log_weight = carry
            b, k = inputs
            log_weight = log_weight + 2 * step * level.log_ratio(z)
            return (self._trajectory(_Level(level.model, level.augmented, b), z, k), log_weight), None

        levels = jnp.arange(1, self.num_levels) * jnp.asarray(step, z.dtype)
        moves = levels.astype(z.dtype), jr.split(key_moves, self.num_levels - 1)
        (z, log_weight), _ = jax.lax.scan(move, (z, jnp.zeros((), z.dtype)), moves)
        return model.bijection.transform(z), log_weight + 2 * step * level.log_ratio(z)

    def _trajectory(self, level: "_Level", z: Vector, key: Key) -> Vector:
        key_momentum, key_accept = jr.split(key)
        hamiltonian = Hamiltonian(level, GaussianKinetic(jnp.ones((), z.dtype)))
        start = Leapfrog().init(hamiltonian, z, jr.normal(key_momentum, z.shape, z.dtype), jnp.zeros((), z.dtype))
        end = Leapfrog().integrate(hamiltonian, start, jnp.asarray(self.step_size, z.dtype), self.num_steps)
        change = start.value + hamiltonian.kinetic(start.p) - end.value - hamiltonian.kinetic(end.p)
        return jnp.where(jnp.log(jr.uniform(key_accept, (), z.dtype)) < change, end.q, z)


class _Level(AbstractPotential):
    """-log of Pi w^(2 b) in the coordinates of the base."""

    model: HamiltonianFlow
    augmented: Augmented
    power: Scalar

    def log_ratio(self, z: Vector) -> Scalar:
        """log w."""
        return self.augmented.log_density(self.model.bijection.transform(z)) - self.model.base._log_prob(z)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        return -self.model.base._log_prob(q) - 2 * self.power * self.log_ratio(q)
