"""The bouncy particle process as a generative model."""

import equinox as eqx
import jax.numpy as jnp
from flowjax.distributions import AbstractDistribution

from .._types import Key, Scalar, Vector
from ._piecewise import bounded_exp, reflected
from ._straight_model import AbstractStraightModel
from ._velocity import AbstractVelocity
from ._velocity_model import log_excess


class BouncyParticleModel(AbstractStraightModel):
    """Straight lines, reflected off spheres about the origin at the rate (v . x)_+, refreshed at a constant rate.

    Seen backwards, w is reflected to R w at the rate

        p_t(R w | x) / p_t(w | x) (-w . x)_+,    R w = w - 2 (w . n) n,    n = x / |x|,

    and refreshments are those of all models of velocities.

    Args:
        dim: Numbers of a datum.
        velocity: The law p_t(v | x).
        horizon: T.
        refreshment_rate: lambda_r.

    References:
        Bouchard-Côté, Vollmer, Doucet 2018, arXiv:1510.02451; Bertazzi et al. 2024, arXiv:2407.19448.
    """

    dim: int = eqx.field(static=True)
    velocity: AbstractVelocity
    horizon: float = eqx.field(static=True, default=5.0)
    refreshment_rate: float = eqx.field(static=True, default=1.0)

    def __check_init__(self):
        if not self.refreshment_rate > 0:
            raise ValueError(
                f"BouncyParticleModel's refreshment_rate is {self.refreshment_rate}, but must be positive: "
                "reflections alone need not reach all of N(0, I)."
            )

    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """The reflection."""
        return reflected(x, v)

    def reversed_event(self, law: AbstractDistribution, x: Vector, v: Vector, *, key: Key) -> tuple[Scalar, Vector]:
        """A reflection outwards."""
        back = reflected(x, v)
        return jnp.maximum(-(v @ x), 0) * bounded_exp(log_excess(law, back) - log_excess(law, v)), back

    def num_evaluations(self, num_steps: int) -> int:
        """Four log-densities and two draws each step."""
        return num_steps * self.velocity.num_evaluations(6)
