"""A flow as the prior of a likelihood."""

import jax.numpy as jnp

from .._types import Parameters, Scalar, Vector
from ..likelihoods import AbstractLikelihood
from ..targets import AbstractTarget
from ._hamiltonian import HamiltonianFlow


class FlowPosterior(AbstractTarget):
    """The posterior of a field whose prior is a trained flow, in the coordinates of the flow's base.

        log_density(z) = log Pi_0(z) + log L(position of T(z))

    The density of the positions alone is never needed, so nothing is approximate; the momenta go along.

    Args:
        flow: The prior, unconditional.
        likelihood: The likelihood of the field.
        name: What the likelihood calls the field, which it gets flat.

    Raises:
        ValueError: The flow is conditional, or the likelihood asks for other names.
    """

    flow: HamiltonianFlow
    likelihood: AbstractLikelihood
    name: str = "field"

    def __check_init__(self):
        if self.flow.cond_shape is not None:
            raise ValueError("FlowPosterior needs an unconditional flow; pass flow.given(condition).")
        if tuple(self.likelihood.required) != (self.name,):
            raise ValueError(f"The likelihood requires {self.likelihood.required}, but the flow gives {self.name!r}.")

    @property
    def dim(self) -> int:
        """Number of coordinates, twice the number of cells."""
        return self.flow.shape[0]

    def log_density(self, x: Vector) -> Scalar:
        """Density of the base times likelihood at one point of the base."""
        return self.flow.base.log_prob(x) + self.likelihood.log_likelihood(self.constrain(x))

    def constrain(self, x: Vector) -> Parameters:
        """The field of one point of the base."""
        return {self.name: jnp.split(self.flow.bijection.transform(x), 2)[0]}
