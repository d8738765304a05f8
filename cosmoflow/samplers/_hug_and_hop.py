"""Hug and Hop: bounces along level sets in turn with jumps across them."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractKernel, AbstractSampler, AbstractState, scaled
from ._jumps import direction, reflect


class HugAndHopState(AbstractState):
    """A position with its energy U = -log density and gradient, and the chain's random stream."""

    position: Vector
    potential: Scalar
    gradient: Vector
    key: Key
    counter: Int[Array, ""]


class HugAndHopInfo(AbstractInfo):
    """Of one hug and one hop."""

    acceptance_rate: Float[Array, "..."]
    hop_acceptance_rate: Float[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class HugAndHop(AbstractKernel[HugAndHopState, HugAndHopInfo]):
    """Hug and Hop.

    Hug: from a fresh v ~ N(0, I), `num_bounces` times x <- x + h v / 2, v <- v - 2 (v . n) n with n along the gradient
    there, x <- x + h v / 2; the end is accepted with probability min(1, pi(y) / pi(x)). Hop: y ~ N(x, B(x)),

        B(x) = (lambda^2 n n^T + mu^2 (I - n n^T)) / |grad U(x)|^2,

    accepted by Metropolis and Hastings. A draw costs `num_bounces` + 2 gradients.

    Args:
        hug_step: h, tuned by `warmup`.
        hop_scale: lambda, tuned by `warmup`.
        hop_width: mu / lambda.
        num_bounces: Bounces per hug.
        hug_acceptance: What `warmup` tunes h for.
        hop_acceptance: What `warmup` tunes lambda for.

    References:
        Ludkin & Sherlock 2022, arXiv:1907.13570.
    """

    tunable = ("hug_step", "hop_scale")

    hug_step: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    hop_scale: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=2.0)
    hop_width: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    num_bounces: int = 4
    hug_acceptance: float = 0.8
    hop_acceptance: float = 0.5

    def __check_init__(self):
        for name in ("hug_step", "hop_scale", "hop_width"):
            if not 0 < getattr(self, name) < jnp.inf:
                raise ValueError(f"HugAndHop's {name} is {getattr(self, name)}, but must be positive and finite.")
        if self.num_bounces < 1:
            raise ValueError(f"HugAndHop's num_bounces is {self.num_bounces}, but a hug needs at least one bounce.")

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> HugAndHopState:
        """The state of one chain that starts at a position."""
        potential, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(position)
        return HugAndHopState(position, potential, gradient, key, jnp.zeros((), jnp.int32))

    def log_density(self, state: HugAndHopState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def hug(self, target: AbstractTarget, position: Vector, velocity: Vector) -> tuple[Vector, Vector]:
        """The end of a series of bounces, and the velocity there."""
        h = self.hug_step.astype(position.dtype)

        def bounce(point, _):
            x, v = point
            middle = x + h / 2 * v
            v = reflect(jax.grad(target.log_density)(middle), v)
            return (middle + h / 2 * v, v), None

        return jax.lax.scan(bounce, (position, velocity), length=self.num_bounces)[0]

    def hop(self, position: Vector, gradient: Vector, noise: Vector) -> Vector:
        """A jump across the level sets."""
        scale, width = self.hop_scale.astype(position.dtype), self.hop_width.astype(position.dtype)
        normal = direction(gradient)
        spread = width * noise + (1 - width) * (noise @ normal) * normal
        return position + scale * spread / jnp.sqrt(gradient @ gradient)

    def hop_log_density(self, start: Vector, gradient: Vector, end: Vector) -> Scalar:
        """Log-density of a hop, up to a constant."""
        scale, width = self.hop_scale.astype(start.dtype), self.hop_width.astype(start.dtype)
        square = gradient @ gradient
        along = (end - start) @ direction(gradient)
        across = (end - start) @ (end - start) - along**2
        return 0.5 * start.size * jnp.log(square) - 0.5 * square * (along**2 + across / width**2) / scale**2

    def step(self, target: AbstractTarget, state: HugAndHopState, *, key: Key) -> tuple[HugAndHopState, HugAndHopInfo]:
        """One hug and one hop."""
        key_velocity, key_hug, key_noise, key_hop = jr.split(key, 4)
        shape, dtype = state.position.shape, state.position.dtype
        hugged, _ = self.hug(target, state.position, jr.normal(key_velocity, shape, dtype))
        noise = jr.normal(key_noise, shape, dtype)

        def attempt(state, move):
            """Try the hug, then the hop: one place where the target is evaluated."""
            hopping, key = move
            hopped = self.hop(state.position, state.gradient, noise)
            x = jnp.where(hopping, hopped, hugged)
            potential, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(x)
            back = self.hop_log_density(x, gradient, state.position)
            ratio = jnp.where(hopping, back - self.hop_log_density(state.position, state.gradient, x), 0)
            log_acceptance = state.potential - potential + ratio
            bad = jnp.isnan(log_acceptance)
            acceptance = jnp.where(bad, 0, jnp.exp(jnp.minimum(log_acceptance, 0)))
            accept = jr.uniform(key, (), dtype) < acceptance
            new = HugAndHopState(x, potential, gradient, state.key, state.counter)
            kept = jax.tree.map(lambda a, b: jnp.where(accept, a, b), new, state)
            return kept, (acceptance, bad)

        moves = (jnp.array([False, True]), jnp.stack([key_hug, key_hop]))
        state, (acceptance, bad) = jax.lax.scan(attempt, state, moves)
        return state, HugAndHopInfo(
            acceptance_rate=acceptance[0],
            hop_acceptance_rate=acceptance[1],
            non_finite=jnp.sum(bad, dtype=jnp.int32),
            num_gradients=jnp.asarray(self.num_bounces + 2, jnp.int32),
            num_densities=jnp.zeros((), jnp.int32),
        )

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with step and scale moved towards their acceptance rates."""
        hug = float(np.mean(stats["acceptance_rate"])) - self.hug_acceptance
        hop = float(np.mean(stats["hop_acceptance_rate"])) - self.hop_acceptance
        steps = scaled(self.hug_step, gain * hug), scaled(self.hop_scale, gain * hop)
        return eqx.tree_at(lambda s: (s.hug_step, s.hop_scale), self, steps)
