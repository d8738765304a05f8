"""Gaussian data and priors as residuals, and their Jacobians by forward mode."""

from collections.abc import Iterable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters, Vector
from ..likelihoods import AbstractGaussianLikelihood, AbstractLikelihood, JointLikelihood
from ..targets import Delta, LogNormal, Normal, Posterior, Prior, TruncatedNormal, Uniform, UniformPolygon


def gaussian_members(likelihood: AbstractLikelihood) -> dict[str, AbstractGaussianLikelihood]:
    """The data sets of a likelihood, by name.

    Raises:
        ValueError: One of them is not Gaussian.
    """
    members: dict[str, AbstractLikelihood] = {type(likelihood).__name__: likelihood}
    if isinstance(likelihood, JointLikelihood):
        members = dict(zip(likelihood.names, likelihood.members, strict=True))
    gaussian = {name: member for name, member in members.items() if isinstance(member, AbstractGaussianLikelihood)}
    for name in members:
        if name not in gaussian:
            raise ValueError(
                f"The likelihood {name!r} has no Gaussian data vector, so there are no residuals to fit; leave it out "
                "here, or sample it."
            )
    return gaussian


def free_names(prior: Prior) -> tuple[str, ...]:
    """The parameters that the prior does not hold fixed, in its order."""
    held = {key for key, block in zip(prior.keys, prior.blocks, strict=True) if isinstance(block, Delta)}
    return tuple(name for name in prior.names if name not in held)


def entries(parameters: Parameters, names: Iterable[str]) -> tuple[str, ...]:
    """One name for each number: `x` for a scalar, `x[0]`, `x[1]`, ... for a vector."""
    return tuple(
        name + (f"[{','.join(map(str, index))}]" if index else "")
        for name in names
        for index in np.ndindex(parameters[name].shape)
    )


def flat(parameters: Parameters, names: Iterable[str]) -> Float[Array, " free"]:
    """The named parameters as one vector."""
    return jnp.concatenate([parameters[name].reshape(-1) for name in names])


def as_parameters(posterior: Posterior, parameters: Mapping) -> Parameters:
    """All parameters of a posterior as arrays of its precision; those not given are at the centre of the prior.

    Raises:
        ValueError: There is a name that the prior lacks.
    """
    central = posterior.constrain(jnp.zeros(posterior.dim))
    for name in parameters:
        if name not in central:
            raise ValueError(f"There is no parameter {name!r}; the prior has {', '.join(central)}.")
    return {name: jnp.asarray(parameters.get(name, value), value.dtype) for name, value in central.items()}


def num_rows(posterior: Posterior, parameters: Parameters) -> list[int]:
    """The length of each data set's residual, which may be shorter than its data."""
    members = gaussian_members(posterior.likelihood).values()
    return [jax.eval_shape(member.residual, parameters).size for member in members]


@eqx.filter_jit
def linearise(posterior: Posterior, parameters: Parameters) -> tuple[Float[Array, " row"], Float[Array, "row free"]]:
    """The whitened residuals of all data, one set after the other, and their derivatives by the free parameters.

    Raises:
        ValueError: A likelihood is not Gaussian.
    """
    members = gaussian_members(posterior.likelihood).values()
    return _expand(
        lambda p: jnp.concatenate([member.residual(p) for member in members]), parameters, free_names(posterior.prior)
    )


@eqx.filter_jit
def linearise_prior(prior: Prior, parameters: Parameters) -> tuple[Float[Array, " row"], Float[Array, "row free"]]:
    """`prior_residual` and its derivatives by the free parameters."""
    return _expand(lambda p: prior_residual(prior, p), parameters, free_names(prior))


def prior_residual(prior: Prior, parameters: Parameters) -> Float[Array, " row"]:
    """A vector whose square is -2 log of the density of the prior in the parameters, up to a constant.

    A (truncated) normal prior gives (x - mean) / sd, a log-normal one (log x - mu) / sigma + sigma, a flat one nothing.

    Raises:
        ValueError: The density of a prior is not known.
    """
    pieces = [jnp.zeros(0, flat(parameters, free_names(prior)).dtype)]
    for key, block in zip(prior.keys, prior.blocks, strict=True):
        match block:
            case Normal() | TruncatedNormal():
                pieces.append(((parameters[key] - block.mean) / block.sd).reshape(-1))  # pyright: ignore[reportArgumentType]
            case LogNormal():
                pieces.append((block.inverse(parameters[key]) + block.sigma).reshape(-1))  # pyright: ignore[reportArgumentType]
            case Uniform() | UniformPolygon() | Delta():
                pass
            case _:
                raise ValueError(f"The density of the prior {type(block).__name__} of {key} is not known here.")
    return jnp.concatenate(pieces)


@eqx.filter_jit
def transport(prior: Prior, z: Vector) -> tuple[Parameters, Float[Array, "free dim"]]:
    """The parameters at a point of the prior's standard-normal coordinates, and the derivatives of the free ones."""
    names = free_names(prior)
    return prior.forward(z), jax.jacfwd(lambda z: flat(prior.forward(z), names))(z)


def _expand(function, parameters: Parameters, names: tuple[str, ...]) -> tuple[Array, Array]:
    """A vector and its derivatives by the named parameters, from one pass."""

    def of_named(named):
        value = function(parameters | named)
        return value, value

    derivatives, value = jax.jacfwd(of_named, has_aux=True)({name: parameters[name] for name in names})
    columns = [derivatives[name].reshape(value.size, parameters[name].size) for name in names]
    return value, jnp.concatenate(columns, axis=1)
