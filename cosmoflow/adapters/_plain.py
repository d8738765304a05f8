"""Likelihoods as functions of plain numbers."""

import inspect
from typing import SupportsFloat

import equinox as eqx
import jax.numpy as jnp

from .._types import Parameters, Scalar
from ..likelihoods import AbstractLikelihood


@eqx.filter_jit
def _log_likelihood(likelihood: AbstractLikelihood, parameters: Parameters) -> Scalar:
    return likelihood.log_likelihood(parameters)


class PlainLikelihood:
    """A likelihood that is called with floats by name and returns a float; its signature lists the names.

    Args:
        likelihood: The likelihood.
    """

    def __init__(self, likelihood: AbstractLikelihood):
        self._likelihood = likelihood
        self.__name__ = type(likelihood).__name__
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, kind) for name in self.required]
            + [inspect.Parameter(name, kind, default=None) for name in self.optional]
        )

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters that must be given."""
        return self._likelihood.required

    @property
    def optional(self) -> tuple[str, ...]:
        """Names of the parameters that have a default."""
        return self._likelihood.optional

    def __call__(self, **parameters: SupportsFloat) -> float:
        """The log-likelihood.

        Raises:
            ValueError: A required parameter is missing, or there is one that the likelihood does not use.
        """
        missing = [name for name in self.required if name not in parameters]
        if missing:
            raise ValueError(f"{self.__name__} needs {', '.join(map(repr, missing))}; pass a number for each.")
        known = (*self.required, *self.optional)
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise ValueError(
                f"{self.__name__} has no parameter {', '.join(map(repr, unknown))}; "
                f"those it has are {', '.join(map(repr, known))}."
            )
        return float(
            _log_likelihood(self._likelihood, {k: jnp.asarray(float(v), float) for k, v in parameters.items()})
        )


def plain(likelihood: AbstractLikelihood) -> PlainLikelihood:
    """A likelihood as a function of plain floats: `plain(likelihood)(Omega_m=0.3, h_r_d=100.0)` is log L.

    It is compiled when first called, once for each set of names. Double precision is that of the session
    (`jax_enable_x64`).

    Args:
        likelihood: The likelihood.

    Returns:
        A callable with the attributes `required` and `optional`, the names of its arguments.
    """
    return PlainLikelihood(likelihood)
