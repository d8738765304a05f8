"""Potentials that depend on time or on data: the same networks on more inputs."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Scalar, Vector
from .._potential import AbstractPotential


class TimeDependentPotential(AbstractPotential):
    """V(q, t) of a potential on R^(d+1), whose last coordinate is the time.

    Args:
        inner: A potential on R^(d+1), autonomous itself.
    """

    inner: AbstractPotential

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point and time."""
        return self.inner(jnp.append(q, time.astype(q.dtype)), time)

    def given(self, condition: Float[Array, " condition"]) -> AbstractPotential:
        """The potential for one value of the condition that the inner one depends on."""
        return TimeDependentPotential(self.inner.given(condition))


class ConditionalPotential(AbstractPotential):
    """V(q | c) of a potential on R^(d+m), whose last m coordinates are a condition, such as data or summaries of them.

    Args:
        inner: A potential on R^(d+m).
        summary: What is done with the condition first, for example a network; nothing where there is none.
    """

    inner: AbstractPotential
    summary: eqx.Module | None = None
    condition: Float[Array, " condition"] | None = None

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point, for the condition that was given.

        Raises:
            ValueError: None was.
        """
        if self.condition is None:
            raise ValueError("ConditionalPotential was asked for an energy without a condition; pass `condition=`.")
        return self.inner(jnp.concatenate([q, self.condition]), time)

    def given(self, condition: Float[Array, " condition"]) -> AbstractPotential:
        """The potential for one value of the condition."""
        summary = condition if self.summary is None else self.summary(condition)  # pyright: ignore[reportCallIssue]
        return ConditionalPotential(self.inner, None, summary)
