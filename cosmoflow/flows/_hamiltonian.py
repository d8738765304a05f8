"""Neural Hamiltonian flows: a simple law on phase space carried by a learned Hamiltonian."""

import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from flowjax.bijections import AbstractBijection
from flowjax.distributions import AbstractDistribution, Normal
from jax.scipy.special import logsumexp

from .._types import Key, Scalar, Vector
from ..dynamics import GaussianKinetic, Hamiltonian, NeuralPotential, SymplecticMap, quarter_turn_step
from ._momentum import GaussianMomentum


class HamiltonianFlow(AbstractDistribution):
    """A density on phase space x = concatenate(q, p): base, volume-preserving map, momentum encoder.

    log Pi(x) = log Pi_0(T^-1 x) is exact; positions alone are bounded or estimated through the encoder f(p | q).

    Args:
        base: Distribution Pi_0 on R^(2d).
        bijection: The map T of phase space, from the base to the target.
        momentum: Conditional distribution f(p | q), shape (d,), condition shape (d,).

    References:
        Toth et al. 2020, arXiv:1909.13789; Souveton et al. 2024, arXiv:2302.01955.
    """

    shape: tuple[int, ...]
    base: AbstractDistribution
    bijection: AbstractBijection
    momentum: AbstractDistribution
    cond_shape: None = None

    def __init__(self, base: AbstractDistribution, bijection: AbstractBijection, momentum: AbstractDistribution):
        dim = momentum.shape[0]
        if base.shape != (2 * dim,) or bijection.shape != (2 * dim,) or momentum.cond_shape != (dim,):
            raise ValueError(
                f"A flow with momenta of shape {momentum.shape} needs a base and a bijection of shape ({2 * dim},) "
                f"and an encoder with condition shape ({dim},); found {base.shape}, {bijection.shape} and "
                f"{momentum.cond_shape}."
            )
        self.shape = base.shape
        self.base = base
        self.bijection = bijection
        self.momentum = momentum

    def _log_prob(self, x, condition=None):
        z, log_det = self.bijection.inverse_and_log_det(x)
        return self.base._log_prob(z) + log_det

    def _sample(self, key, condition=None):
        return self.bijection.transform(self.base._sample(key))

    def _sample_and_log_prob(self, key, condition=None):
        z, log_prob = self.base._sample_and_log_prob(key)
        x, log_det = self.bijection.transform_and_log_det(z)
        return x, log_prob - log_det

    def sample_position(self, *, key: Key) -> Vector:
        """One position q, shape (d,)."""
        return jnp.split(self.sample(key), 2)[0]

    def _log_ratio(self, q: Vector, key: Key) -> Scalar:
        flow = paramax.unwrap(self)
        p, log_momentum = flow.momentum._sample_and_log_prob(key, q)
        return flow._log_prob(jnp.concatenate([q, p])) - log_momentum

    def elbo(self, q: Vector, *, key: Key) -> Scalar:
        """One-sample evidence lower bound on log pi(q): log Pi(q, p) - log f(p | q), p ~ f(. | q)."""
        return self._log_ratio(q, key)

    def log_marginal(self, q: Vector, *, num_samples: int, key: Key) -> Scalar:
        """Importance-weighted bound on log pi(q): log of the mean of `num_samples` ratios Pi(q, p) / f(p | q)."""
        ratios = jax.vmap(lambda k: self._log_ratio(q, k))(jr.split(key, num_samples))
        return logsumexp(ratios) - jnp.log(jnp.asarray(num_samples, ratios.dtype))


def fixed_kinetic_flow(
    dim: int, *, num_steps: int = 5, width: int = 64, depth: int = 2, base: AbstractDistribution | None = None, key: Key
) -> HamiltonianFlow:
    """A neural Hamiltonian flow with learned potential and fixed-form kinetic energy p^T M^-1 p / 2.

    Before training it is the quarter turn of phase space, exact for a standard normal target.

    Args:
        dim: Dimension d of the positions.
        num_steps: Leapfrog steps L; sampling costs L + 1 gradients of the potential.
        width: Neurons per hidden layer, of potential and encoder.
        depth: Hidden layers, of potential and encoder.
        base: Distribution on R^(2d); by default a normal law with learned location and scale.
        key: Random key of the initial weights.

    References:
        Souveton, Guillin, Jasche, Lavaux, Michel 2024, arXiv:2302.01955.
    """
    key_potential, key_momentum = jr.split(key)
    hamiltonian = Hamiltonian(
        NeuralPotential(dim, width=width, depth=depth, key=key_potential),
        GaussianKinetic(paramax.Parameterize(jnp.exp, jnp.zeros(dim))),
    )
    step_size = paramax.Parameterize(jnp.exp, jnp.log(quarter_turn_step(num_steps)))
    return HamiltonianFlow(
        base=Normal(jnp.zeros(2 * dim), jnp.ones(2 * dim)) if base is None else base,
        bijection=SymplecticMap(dim, hamiltonian, step_size=step_size, num_steps=num_steps),
        momentum=GaussianMomentum(dim, width=width, depth=depth, key=key_momentum),
    )
