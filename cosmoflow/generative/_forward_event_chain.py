"""The forward event chain as a generative model."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution

from .._types import Key, Scalar, Vector
from ._piecewise import bounded_exp
from ._straight_model import AbstractStraightModel
from ._velocity import AbstractVelocity
from ._velocity_model import log_excess


class ForwardEventChainModel(AbstractStraightModel):
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

    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """A radial velocity inwards."""
        normal = x / jnp.sqrt(x @ x)
        inwards = -jnp.sqrt(2 * jr.exponential(key, (), v.dtype))
        return v + (inwards - v @ normal) * normal

    def reversed_event(self, law: AbstractDistribution, x: Vector, v: Vector, *, key: Key) -> tuple[Scalar, Vector]:
        """A radial velocity outwards."""
        key_levels, key_choice = jr.split(key)
        offsets = jr.uniform(key_levels, (self.num_candidates,), v.dtype, minval=jnp.finfo(v.dtype).tiny)
        levels = (jnp.arange(self.num_candidates, dtype=v.dtype) + offsets) / self.num_candidates
        outwards = jnp.sqrt(-2 * jnp.log(jnp.minimum(levels, 1)))
        normal = x / jnp.sqrt(x @ x)
        candidates = v + (outwards - v @ normal)[:, None] * normal
        excesses = jax.vmap(lambda v: log_excess(law, v))(candidates)
        log_mean = jax.nn.logsumexp(excesses) - math.log(self.num_candidates)
        rate = jnp.maximum(-(v @ x), 0) * bounded_exp(log_mean - log_excess(law, v))
        return rate, candidates[jr.categorical(key_choice, excesses)]

    def num_evaluations(self, num_steps: int) -> int:
        """The log-densities of all candidates, three more and two draws each step."""
        return num_steps * self.velocity.num_evaluations(self.num_candidates + 5)
