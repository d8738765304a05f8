"""Neural Hamiltonian flows: a simple law on phase space carried by a learned Hamiltonian."""

import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import AbstractBijection
from flowjax.distributions import AbstractDistribution
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ..dynamics import with_condition
from ._base import Given

Condition = Float[Array, " condition"]


class HamiltonianFlow(AbstractDistribution):
    """A density on phase space x = concatenate(q, p): base, volume-preserving map, momentum encoder.

    log Pi(x) = log Pi_0(T^-1 x) is exact; positions alone are bounded or estimated through the encoder f(p | q). Flows
    of fixed and of learned kinetic energy differ in the kinetic energy of their map; a flowjax `Chain` of maps chains
    Hamiltonians.

    A flow is conditional where its map or base is; its encoder's condition is then concatenate(q, condition).

    Args:
        base: Distribution Pi_0 on R^(2d).
        bijection: The map T of phase space, from the base to the target.
        momentum: Conditional distribution f(p | q), shape (d,), condition shape (d,), or (d + m,) of a flow with a
            condition of shape (m,).

    Raises:
        ValueError: The shapes do not fit.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp, jax.random as jr
        >>> flow = cf.fixed_kinetic_flow(2, key=jr.key(0))  # untrained, and not conditional
        >>> flow.shape, flow.cond_shape
        ((4,), None)
        >>> flow.sample_position(key=jr.key(1)).shape
        (2,)
        >>> exact = -jnp.log(2 * jnp.pi)  # of N(0, I), which it is nearly
        >>> bool(abs(flow.elbo(jnp.zeros(2), key=jr.key(2)) - exact) < 0.2)
        True

    References:
        Toth et al. 2020, arXiv:1909.13789; Souveton et al. 2024, arXiv:2302.01955.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...] | None
    base: AbstractDistribution
    bijection: AbstractBijection
    momentum: AbstractDistribution

    def __init__(self, base: AbstractDistribution, bijection: AbstractBijection, momentum: AbstractDistribution):
        dim = momentum.shape[0]
        self.cond_shape = base.cond_shape if bijection.cond_shape is None else bijection.cond_shape
        encoded = dim + (0 if self.cond_shape is None else self.cond_shape[0])
        if base.shape != (2 * dim,) or bijection.shape != (2 * dim,) or momentum.cond_shape != (encoded,):
            raise ValueError(
                f"A flow with momenta of shape {momentum.shape} needs a base and a bijection of shape ({2 * dim},) "
                f"and an encoder with condition shape ({encoded},); found {base.shape}, {bijection.shape} and "
                f"{momentum.cond_shape}."
            )
        self.shape = base.shape
        self.base = base
        self.bijection = bijection
        self.momentum = momentum

    def _of_base(self, condition):
        return None if self.base.cond_shape is None else condition

    def _of_map(self, condition):
        return None if self.bijection.cond_shape is None else condition

    def _log_prob(self, x, condition=None):
        z, log_det = self.bijection.inverse_and_log_det(x, self._of_map(condition))
        return self.base._log_prob(z, self._of_base(condition)) + log_det

    def _sample(self, key, condition=None):
        return self.bijection.transform(self.base._sample(key, self._of_base(condition)), self._of_map(condition))

    def _sample_and_log_prob(self, key, condition=None):
        z, log_prob = self.base._sample_and_log_prob(key, self._of_base(condition))
        x, log_det = self.bijection.transform_and_log_det(z, self._of_map(condition))
        return x, log_prob - log_det

    def sample_position(self, *, key: Key, condition: Condition | None = None) -> Vector:
        """One position q, shape (d,); compiled, it costs one gradient for each leapfrog step."""
        return jnp.split(self.sample(key, condition=condition), 2)[0]

    def _log_ratio(self, q: Vector, key: Key, condition: Condition | None) -> Scalar:
        flow = paramax.unwrap(self)
        p, log_momentum = flow.momentum._sample_and_log_prob(key, _joined(q, condition))
        return flow._log_prob(jnp.concatenate([q, p]), condition) - log_momentum

    def elbo(self, q: Vector, *, key: Key, condition: Condition | None = None) -> Scalar:
        """One-sample evidence lower bound on log pi(q): log Pi(q, p) - log f(p | q), p ~ f(. | q)."""
        return self._log_ratio(q, key, condition)

    def log_marginal(self, q: Vector, *, num_samples: int, key: Key, condition: Condition | None = None) -> Scalar:
        """Importance-weighted bound on log pi(q): log of the mean of `num_samples` ratios Pi(q, p) / f(p | q).

        References:
            Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519.
        """
        ratios = jax.vmap(lambda k: self._log_ratio(q, k, condition))(jr.split(key, num_samples))
        return logsumexp(ratios) - jnp.log(jnp.asarray(num_samples, ratios.dtype))

    def given(self, condition: Condition) -> "HamiltonianFlow":
        """The unconditional flow for one value of the condition, for example the observed data.

        Raises:
            ValueError: The flow has no condition, or one of another shape.
        """
        if self.cond_shape != condition.shape:
            raise ValueError(f"A condition of shape {condition.shape} was given to a flow of one of {self.cond_shape}.")
        base = self.base if self.base.cond_shape is None else Given(self.base, condition)
        return HamiltonianFlow(base, with_condition(self.bijection, condition), Given(self.momentum, condition))


def _joined(q: Vector, condition: Condition | None) -> Float[Array, " joined"]:
    return q if condition is None else jnp.concatenate([q, condition])
