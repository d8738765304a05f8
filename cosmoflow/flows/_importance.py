"""Exact reweighting of a flow towards a target: evidence and effective sample size."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar
from ..targets import AbstractTarget
from ._hamiltonian import HamiltonianFlow
from ._pareto import pareto_smooth


class ImportanceSample(NamedTuple):
    """Weighted draws of a flow.

    Attributes:
        x: Points of phase space, shape (sample, 2 dim), or of another law's own space, shape (sample, dim).
        log_weights: log of pi(q) f(p | q) / Pi(q, p), or of pi(q) over a mean of Pi(q, p) / f(p | q) over several
            momenta, or of pi(x) over the density of another law, unnormalised, shape (sample,).
        log_evidence: log of the mean weight.
        log_evidence_error: Its standard error.
        ess_fraction: Kish's effective sample size over the number of draws, (sum w)^2 / (n sum w^2).
        num_non_finite: Draws at which the target is NaN; they count as if it were zero there.
        smoothed_log_weights: `log_weights` after Pareto smoothing, shape (sample,): for means over the sample, with
            less noise and a small bias. The evidence is that of the weights as they are, and stays unbiased.
        pareto_k: Shape of the weights' tail, of which moments of order 1 / k and above do not exist. Below 0.5 the
            errors given are good, below 0.7 usable; above, neither they nor the evidence can be relied on.

    References:
        Vehtari, Simpson, Gelman, Yao & Gabry 2024, arXiv:1507.02646.
    """

    x: Float[Array, "sample dim"]
    log_weights: Float[Array, " sample"]
    log_evidence: Scalar
    log_evidence_error: Scalar
    ess_fraction: Scalar
    num_non_finite: Int[Array, ""]
    smoothed_log_weights: Float[Array, " sample"]
    pareto_k: Scalar


@eqx.filter_jit
def importance_sample(
    flow: AbstractDistribution, target: AbstractTarget, *, num_samples: int, num_momenta: int = 1, key: Key
) -> ImportanceSample:
    """Draw from a law and weight each draw towards the target; the mean weight is an unbiased evidence.

    The law is one on the target's coordinates, or a `HamiltonianFlow` on their phase space, whose weights take no
    Jacobian. These scatter with the momenta even where the positions are right. With more momenta for each position,
    drawn from the encoder and averaged with the flow's own, they approach the weights pi(q) / q(q) of the positions
    alone, at the price of an inverse of the map for each.

    Args:
        flow: A Hamiltonian flow on the phase space of the target's coordinates, or another distribution on these, such
            as a flow of flowjax or a generative model as a `ContinuousFlow`.
        target: Unnormalised density of the positions.
        num_samples: Number of draws.
        num_momenta: Momenta for each of them, the flow's own included, of a Hamiltonian flow.
        key: Random key.

    Raises:
        ValueError: The law is conditional, or neither of the target's dimension nor a Hamiltonian flow of it.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> flow = cf.fixed_kinetic_flow(2, key=jr.key(0))
        >>> target = cf.targets.CorrelatedGaussian([0.0, 0.0], [[1.0, 0.2], [0.2, 1.0]])  # of evidence one
        >>> found = cf.importance_sample(flow, target, num_samples=4000, key=jr.key(1))
        >>> bool(abs(found.log_evidence) < 0.1), bool(found.ess_fraction > 0.8), bool(found.pareto_k < 0.7)
        (True, True, True)

    References:
        Sobolev & Vetrov 2019, arXiv:1905.03290, for several momenta.
    """
    needed = (2 * target.dim if isinstance(flow, HamiltonianFlow) else target.dim,)
    if flow.shape != needed or flow.cond_shape is not None:
        raise ValueError(
            f"importance_sample needs an unconditional law of shape {needed} for this target, but its shape is "
            f"{flow.shape} and its cond_shape {flow.cond_shape}."
        )

    def draw(k):
        if not isinstance(flow, HamiltonianFlow):
            x, log_prob = flow.sample_and_log_prob(k)
            return x, target.log_density(x) - log_prob
        hamiltonian = flow
        key_draw, key_momenta = jr.split(k)
        x, log_prob = flow.sample_and_log_prob(key_draw)
        q, p = jnp.split(x, 2)
        own = log_prob - flow.momentum.log_prob(p, condition=q)
        others = jax.vmap(lambda k: hamiltonian.elbo(q, key=k))(jr.split(key_momenta, num_momenta - 1))
        log_marginal = logsumexp(jnp.append(others, own)) - jnp.log(jnp.asarray(num_momenta, own.dtype))
        return x, target.log_density(q) - log_marginal

    batch = max(1, min(num_samples, 1024 // num_momenta))
    x, log_weights = jax.lax.map(draw, jr.split(key, num_samples), batch_size=batch)
    bad = jnp.isnan(log_weights)
    log_weights = jnp.where(bad, -jnp.inf, log_weights)
    log_n = jnp.log(jnp.asarray(num_samples, log_weights.dtype))
    log_sum = logsumexp(log_weights)
    ess_fraction = jnp.exp(2 * log_sum - logsumexp(2 * log_weights) - log_n)
    error = jnp.sqrt((1 / ess_fraction - 1) / num_samples)
    return ImportanceSample(
        x, log_weights, log_sum - log_n, error, ess_fraction, jnp.sum(bad), *pareto_smooth(log_weights)
    )
