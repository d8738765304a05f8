"""Laws of which only a score is known, and how samplers that never compare densities see them."""

from abc import abstractmethod

import jax

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget


class AbstractScoreTarget(AbstractTarget):
    """A law given by a vector field that need be the gradient of nothing, such as the score that a network predicts.

    There is no density to compare, so that only samplers without a Metropolis test can follow it, and these see `drift`
    of it, in whatever coordinates: `log_density` refuses all others.
    """

    @abstractmethod
    def linearised(self, x: Vector) -> Scalar:
        """A number whose derivative at x is the score, and whose value is what is known of the log-density."""

    def log_density(self, x: Vector) -> Scalar:
        """There is none.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            f"{type(self).__name__} is only a score and has no density to compare; take a sampler without a Metropolis "
            "test, such as KineticLangevin or MCLMC, or a target with a density, such as EnergyPosterior."
        )


class Drift(AbstractTarget):
    """A bare score as the derivative of a `log_density` whose differences mean nothing.

    Args:
        target: The score.
    """

    target: AbstractScoreTarget

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.target.dim

    def log_density(self, x: Vector) -> Scalar:
        """What is known of the log-density, with the score as its derivative."""
        return self.target.linearised(x)

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of one point, in their own units."""
        return self.target.constrain(x)


def has_density(target: AbstractTarget) -> bool:
    """Whether no bare score is behind a target, in whatever coordinates."""
    return not any(map(_is_score, jax.tree.leaves(target, is_leaf=_is_score)))


def drift(target: AbstractTarget) -> AbstractTarget:
    """The target for samplers that follow the derivative of its log-density alone: a bare score becomes `Drift`."""
    if has_density(target):
        return target
    return jax.tree.map(lambda node: Drift(node) if _is_score(node) else node, target, is_leaf=_is_score)


def _is_score(node: object) -> bool:
    return isinstance(node, AbstractScoreTarget)
