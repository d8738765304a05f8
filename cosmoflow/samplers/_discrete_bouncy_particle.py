"""The discrete bouncy particle sampler: a guided walk that bounces in a delayed rejection."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractSampler, AbstractState, AbstractTunedKernel, scaled
from ._jumps import reflect, refresh


class DiscreteBouncyParticleState(AbstractState):
    """A point of phase space with its energy U = -log density, and the chain's random stream."""

    position: Vector
    velocity: Vector
    potential: Scalar
    key: Key
    counter: Int[Array, ""]


class DiscreteBouncyParticleInfo(AbstractInfo):
    """Of the steps of one draw; `num_events` counts the bounces that were tried."""

    acceptance_rate: Float[Array, "..."]
    num_events: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class DiscreteBouncyParticle(AbstractTunedKernel[DiscreteBouncyParticleState, DiscreteBouncyParticleInfo]):
    """The discrete bouncy particle sampler.

    The velocity is partially refreshed. First proposal: y = x + h v, accepted with probability min(1, pi(y) / pi(x)).
    Where it is rejected, the velocity is reflected at y, v' = v - 2 (v . n) n with n along grad U(y), and z = y + h v'
    is accepted with probability

        min(1, pi(z) (1 - min(1, pi(y) / pi(z))) / (pi(x) - pi(y)));

    where that is rejected too, the velocity is reversed. A step costs one gradient, at y, and one density, at z.

    Args:
        step_size: h, tuned by `warmup`.
        persistence: c in v <- c v + sqrt(1 - c^2) xi before a step.
        num_steps: Steps per draw.
        target_acceptance: Share of the steps that end elsewhere which `warmup` tunes the step for.
        max_bounces: Share of the steps that try a bounce which `warmup` does not exceed: bounces hardly change the
            energy.

    References:
        Sherlock & Thiery 2022, arXiv:1707.05200.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.9)
    num_steps: int = 1
    target_acceptance: float = 0.9
    max_bounces: float = 0.5

    def __check_init__(self):
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(
                f"DiscreteBouncyParticle's step_size is {self.step_size}, but must be positive and finite."
            )
        if not 0 <= self.persistence < 1:
            raise ValueError(f"DiscreteBouncyParticle's persistence is {self.persistence}, but must lie in [0, 1).")
        if self.num_steps < 1:
            raise ValueError(
                f"DiscreteBouncyParticle's num_steps is {self.num_steps}, but a draw needs at least one step."
            )

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> DiscreteBouncyParticleState:
        """The state of one chain that starts at a position."""
        key_velocity, key_run = jr.split(key)
        velocity = jr.normal(key_velocity, position.shape, position.dtype)
        potential = -target.log_density(position)
        return DiscreteBouncyParticleState(position, velocity, potential, key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: DiscreteBouncyParticleState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def advance(
        self, target: AbstractTarget, state: DiscreteBouncyParticleState, *, key: Key
    ) -> tuple[DiscreteBouncyParticleState, tuple[Bool[Array, ""], Bool[Array, ""], Bool[Array, ""]]]:
        """One step, and whether it moved, tried a bounce, met a NaN."""
        key_refresh, key_first, key_second = jr.split(key, 3)
        x, dtype = state.position, state.position.dtype
        h = self.step_size.astype(dtype)
        v = refresh(state.velocity, self.persistence.astype(dtype), key=key_refresh)
        y = x + h * v
        middle, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(y)
        bounced = reflect(gradient, v)
        z = y + h * bounced
        far = -target.log_density(z)
        rise = middle - state.potential
        second = delayed_log_acceptance(state.potential, middle, far)
        bad = jnp.isnan(middle) | jnp.isnan(far)
        straight = jr.exponential(key_first, (), dtype) > rise
        turned = ~straight & ~bad & (jr.exponential(key_second, (), dtype) > -second)

        def choose(first, delayed, stay):
            return jnp.where(straight, first, jnp.where(turned, delayed, stay))

        state = DiscreteBouncyParticleState(
            choose(y, z, x), choose(v, bounced, -v), choose(middle, far, state.potential), state.key, state.counter
        )
        return state, (straight | turned, ~straight, bad)

    def step(
        self, target: AbstractTarget, state: DiscreteBouncyParticleState, *, key: Key
    ) -> tuple[DiscreteBouncyParticleState, DiscreteBouncyParticleInfo]:
        """`num_steps` steps."""
        keys = jr.split(key, self.num_steps)
        state, (moved, bounced, bad) = jax.lax.scan(lambda s, k: self.advance(target, s, key=k), state, keys)
        count = jnp.asarray(self.num_steps, jnp.int32)
        return state, DiscreteBouncyParticleInfo(
            acceptance_rate=jnp.mean(moved, dtype=state.position.dtype),
            num_events=jnp.sum(bounced, dtype=jnp.int32),
            non_finite=jnp.sum(bad, dtype=jnp.int32),
            num_gradients=count,
            num_densities=count,
        )

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with its step moved towards the acceptance rate, or to fewer bounces."""
        acceptance = (float(np.mean(stats["acceptance_rate"])) - self.target_acceptance) / (1 - self.target_acceptance)
        bounces = 1 - float(np.mean(stats["num_events"])) / self.num_steps / self.max_bounces
        change = gain * min(acceptance, bounces)
        return eqx.tree_at(lambda s: s.step_size, self, scaled(self.step_size, change))


def delayed_log_acceptance(start: Scalar, middle: Scalar, end: Scalar) -> Scalar:
    """Log of the second proposal's acceptance, before its minimum with zero, from the three energies.

    U(x) - U(z) + log(1 - e^-(U(y) - U(z))) - log(1 - e^-(U(y) - U(x))); minus infinity where z could not be left for y
    by a rejection.
    """
    down = jnp.where(end < jnp.inf, jnp.maximum(middle - end, 0), 0)
    up = jnp.maximum(middle - start, 0)
    safe = jnp.where(up > 0, up, 1)
    return start - end + jnp.log(-jnp.expm1(-down)) - jnp.log(-jnp.expm1(-safe))
