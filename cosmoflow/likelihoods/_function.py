"""A log-likelihood written as an ordinary function."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from equinox import field
from jax.tree_util import Partial

from .._types import Parameters, Scalar
from ._base import AbstractLikelihood


class FunctionLikelihood(AbstractLikelihood):
    """A function of named parameters that returns log L.

    Arguments without a default are required parameters, those with one are optional.

    Args:
        function: Of scalars, written with `jax.numpy`, to a scalar.
        options: Arguments that are no parameters, by name, and their values.

    Raises:
        ValueError: If the arguments have no names, or an option is no argument.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> likelihood = cf.likelihoods.FunctionLikelihood(lambda h, shift=0.0: -0.5 * ((h + shift - 0.73) / 0.01) ** 2)
        >>> likelihood.required, likelihood.optional
        (('h',), ('shift',))
        >>> round(float(likelihood.log_likelihood({"h": jnp.array(0.75)})), 2)
        -2.0
    """

    function: Callable
    required: tuple[str, ...] = field(static=True)
    optional: tuple[str, ...] = field(static=True)

    def __init__(self, function: Callable, options: Mapping[str, Any] | None = None):
        options = dict(options or {})
        arguments = inspect.signature(function).parameters
        name = getattr(function, "__name__", type(function).__name__)
        for argument in arguments.values():
            if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
                raise ValueError(f"{name} takes {argument}, which names no parameter; write out its arguments.")
        for option in options:
            if option not in arguments:
                raise ValueError(f"{name} has no argument {option!r}; those it has are {', '.join(arguments)}.")
        self.function = Partial(function, **options)
        parameters = [argument for argument in arguments.values() if argument.name not in options]
        self.required = tuple(argument.name for argument in parameters if argument.default is argument.empty)
        self.optional = tuple(argument.name for argument in parameters if argument.default is not argument.empty)

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """What the function returns."""
        known = (*self.required, *self.optional)
        return jnp.asarray(self.function(**{name: parameters[name] for name in known if name in parameters}), float)
