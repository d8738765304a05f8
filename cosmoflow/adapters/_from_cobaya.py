"""Cobaya models as posteriors."""

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters, Scalar, Vector
from ..likelihoods import AbstractLikelihood
from ..targets import LogNormal, Normal, Posterior, Prior, TruncatedNormal, Uniform
from ..targets._marginals import AbstractTransport
from ._differences import gradient, hessian

_MARGINALS: dict[str, Callable[..., AbstractTransport]] = {
    "uniform": lambda loc=0.0, scale=1.0: Uniform(loc, loc + scale),
    "norm": lambda loc=0.0, scale=1.0: Normal(loc, scale),
    "halfnorm": lambda loc=0.0, scale=1.0: TruncatedNormal(loc, scale, loc, np.inf),
    "truncnorm": lambda a, b, loc=0.0, scale=1.0: TruncatedNormal(loc, scale, loc + a * scale, loc + b * scale),
    "lognorm": lambda s, scale=1.0: LogNormal(np.log(scale), s),
}


@dataclasses.dataclass(eq=False)
class _Host:
    """A Cobaya model on the host. What it was made from is its only field, so that is what a run is known by."""

    info: dict[str, Any]
    step: float

    def __init__(self, model: Any, step: float):
        self.info, self.step = model.info(), step
        self.model = model
        self.low, self.high = np.array([pdf.support() for pdf in model.prior.pdf]).T
        self.scale = np.array([pdf.std() for pdf in model.prior.pdf])
        self.num_evaluations = 0
        self.lock = threading.RLock()

    def log_likelihood(self, x: Any) -> np.ndarray:
        """log L, and the log-densities of external priors, at one point; NaN at a point that is not finite."""
        return np.asarray(self._evaluate(np.asarray(x)), x.dtype)

    def gradient(self, x: Any) -> np.ndarray:
        """Its gradient."""
        return gradient(self._evaluate, *self._stencil(x, self.step)).astype(x.dtype)

    def hessian(self, x: Any) -> np.ndarray:
        """Its Hessian."""
        return hessian(self._evaluate, *self._stencil(x, self.step**0.75)).astype(x.dtype)

    def _stencil(self, x: Any, step: float) -> tuple[np.ndarray, ...]:
        return np.asarray(x, np.float64), step * self.scale, self.low, self.high

    def _evaluate(self, x: np.ndarray) -> float:
        if not np.all(np.isfinite(x)):
            return np.nan
        with self.lock:
            values = [float(value) for value in x]
            external = sum(self.model.prior.logps_external(self.model.parameterization.to_input(values)))
            if external == -np.inf:
                return -np.inf
            self.num_evaluations += 1
            return float(external + self.model.loglike(values, return_derived=False))


def _call(function: Callable, shape: tuple[int, ...], x: Vector) -> Array:
    return jax.pure_callback(function, jax.ShapeDtypeStruct(shape, x.dtype), x, vmap_method="sequential")


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _log_likelihood(host: _Host, x: Vector) -> Scalar:
    return _call(host.log_likelihood, (), x)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _gradient(host: _Host, x: Vector) -> Float[Array, " dim"]:
    return _call(host.gradient, x.shape, x)


@_log_likelihood.defjvp
def _(host, primals, tangents):
    return _log_likelihood(host, *primals), _gradient(host, *primals) @ tangents[0]


@_gradient.defjvp
def _(host, primals, tangents):
    (x,) = primals
    return _gradient(host, x), _call(host.hessian, (x.size, x.size), x) @ tangents[0]


class CobayaLikelihood(AbstractLikelihood):
    """The likelihoods of a Cobaya model as one, evaluated on the host, with derivatives by finite differences.

    The gradient costs 2 d calls of Cobaya, with steps h_i = step sd_i in units of the priors' standard deviations:

        d_i log L(x) = (log L(x+) - log L(x-)) / (x+_i - x-_i)

    where x+_i = x_i + h_i and x-_i = x_i - h_i, or the end of the prior where it is nearer. Where one of the two is
    not finite, log L(x) takes its place. The Hessian, of which only whitening makes use, costs 2 d^2 + 1 calls with
    h_i = step^(3/4) sd_i. External priors of the model, which are not of one parameter, are counted in.
    """

    host: _Host = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True, default=())

    @property
    def num_evaluations(self) -> int:
        """How often Cobaya has computed the likelihood so far, those for derivatives included."""
        return self.host.num_evaluations

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Sum of the log-likelihoods of the model's members, -inf where Cobaya says so."""
        return _log_likelihood(self.host, jnp.stack([parameters[name] for name in self.required]))


def from_cobaya(model: Any, *, step: float = 1e-4) -> Posterior:
    """A Cobaya model as a posterior whose likelihood calls back to Cobaya.

    Fixed parameters and functions of parameters are Cobaya's own affair; derived parameters are not computed.

    Args:
        model: A `cobaya.model.Model`, or what `cobaya.model.get_model` makes one of: a dictionary (whose `debug` is
            `logging.WARNING` unless it says otherwise), or YAML from a source you trust, since it can hold Python code.
        step: Finite-difference step of the gradient in units of each prior's standard deviation.

    Returns:
        A posterior of the sampled parameters; `posterior.likelihood.num_evaluations` counts the calls of Cobaya.

    Raises:
        ImportError: Cobaya is not installed.
        ValueError: The prior of a parameter is none that is known here, there is no sampled parameter, or `step` is
            not between 0 and 1.
    """
    try:
        from cobaya.model import Model, get_model
    except ImportError as error:
        raise ImportError("Cobaya models need Cobaya; install cosmoflow with the extra 'cobaya'.") from error

    if not 0 < step < 1:
        raise ValueError(f"`step` is {step}, but must lie between 0 and 1.")
    if isinstance(model, Mapping):
        model = {"debug": logging.WARNING, **model}
    if not isinstance(model, Model):
        model = get_model(model)
    if not model.prior.params:
        raise ValueError("The Cobaya model has no sampled parameter; give at least one a prior.")
    blocks = {name: _marginal(name, pdf) for name, pdf in zip(model.prior.params, model.prior.pdf, strict=True)}
    return Posterior(Prior(blocks), CobayaLikelihood(_Host(model, step), tuple(blocks)))


def _marginal(name: str, pdf: Any) -> AbstractTransport:
    """The transport of a frozen distribution of scipy, whose arguments Cobaya gives by name."""
    arguments = {key: float(value) for key, value in pdf.kwds.items() if (key, value) != ("loc", 0)}
    try:
        return _MARGINALS[pdf.dist.name](**arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The prior of {name!r} is {pdf.dist.name} with {arguments}, but what is known here is "
            f"{', '.join(_MARGINALS)} of positive scale, lognorm with loc = 0."
        ) from error
