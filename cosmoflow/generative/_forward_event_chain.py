"""The forward event chain as a generative model."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._piecewise import bounded_exp, happens, straight, straight_event_time
from ._velocity import AbstractVelocity
from ._velocity_model import AbstractVelocityModel, log_excess


class ForwardEventChainModel(AbstractVelocityModel):
    """Straight lines whose radial velocity is drawn afresh at the rate (v . x)_+, pointing inwards.

        <v', n> = -u,    u ~ u exp(-u^2 / 2),    n = x / |x|,    and v' = v across n.

    With rho_t(v | x) = p_t(v | x) / N(v; 0, I), seen backwards w jumps to w + (u - <w, n>) n at the rate

        (-w . x)_+ E_u[ rho_t(w + (u - <w, n>) n | x) ] / rho_t(w | x),

    and u is drawn from u exp(-u^2 / 2) rho_t(w + (u - <w, n>) n | x), normalised. Both are taken over `num_candidates`
    values of u, one drawn in each of as many parts of equal probability.

    Args:
        dim: Numbers of a datum.
        velocity: The law p_t(v | x).
        horizon: T.
        refreshment_rate: lambda_r, which may vanish in one dimension.
        num_candidates: Values of u that stand for all.

    References:
        Michel, Durmus, Sénécal 2020, arXiv:1702.08397, for the process. Its reversal is derived in the documentation.
    """

    dim: int = eqx.field(static=True)
    velocity: AbstractVelocity
    horizon: float = eqx.field(static=True, default=5.0)
    refreshment_rate: float = eqx.field(static=True, default=1.0)
    num_candidates: int = eqx.field(static=True, default=16)

    def __check_init__(self):
        if self.num_candidates < 1:
            raise ValueError(
                f"ForwardEventChainModel's num_candidates is {self.num_candidates}, but it needs one at least."
            )

    def move(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """A straight line."""
        return straight(x, v, time)

    def event_time(self, x: Vector, v: Vector, exponential: Scalar) -> Scalar:
        """In closed form."""
        return straight_event_time(x, v, exponential)

    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """A radial velocity inwards."""
        normal = x / jnp.sqrt(x @ x)
        inwards = -jnp.sqrt(2 * jr.exponential(key, (), v.dtype))
        return v + (inwards - v @ normal) * normal

    def turned(self, x: Vector, v: Vector, clock: Scalar, step: Scalar, condition: Condition, *, key: Key) -> Vector:
        """Half the refreshments, a jump outwards, half the refreshments."""
        key_before, key_jump, key_after = jr.split(key, 3)
        law = self.velocity(x, clock, condition)
        v = self.refreshed(law, v, step / 2, key=key_before)
        key_time, key_parts, key_choice = jr.split(key_jump, 3)
        parts = (jnp.arange(self.num_candidates) + jr.uniform(key_parts, (self.num_candidates,), v.dtype)).astype(
            v.dtype
        )
        outwards = jnp.sqrt(-2 * jnp.log(jnp.maximum(parts / self.num_candidates, jnp.finfo(v.dtype).tiny)))
        normal = x / jnp.sqrt(x @ x)
        candidates = v + (outwards - v @ normal)[:, None] * normal
        excesses = jax.vmap(lambda v: log_excess(law, v))(candidates)
        log_mean = jax.nn.logsumexp(excesses) - jnp.log(jnp.asarray(self.num_candidates, v.dtype))
        rate = jnp.maximum(-(v @ x), 0) * bounded_exp(log_mean - log_excess(law, v))
        chosen = candidates[jr.categorical(key_choice, excesses)]
        v = jnp.where(happens(rate, step, key=key_time), chosen, v)
        return self.refreshed(law, v, step / 2, key=key_after)

    def num_evaluations(self, num_steps: int) -> int:
        """The log-densities of all candidates, three more and two draws each step."""
        return num_steps * self.velocity.num_evaluations(self.num_candidates + 5)
