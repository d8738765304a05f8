"""NumPyro models as targets."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial, all_leaves
from jaxtyping import Array

from .._types import Key, Parameters, Scalar, Vector
from ..targets import AbstractTarget


class NumPyroTarget(AbstractTarget):
    """A NumPyro model on the unconstrained coordinates of its latents, the latents in alphabetical order.

    NumPyro and its models need JAX's standard dtype promotion, whichever the session's is.

    Args:
        model: The model.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        example: Unconstrained values of the latents by name.
    """

    model: Callable
    arrays: list[Array | None]
    constants: tuple = eqx.field(static=True)
    structure: Any = eqx.field(static=True)
    example: Parameters

    def __init__(self, model: Callable, args: tuple, kwargs: dict[str, Any], example: Parameters):
        self.model = Partial(model) if all_leaves([model]) else model
        leaves, self.structure = jax.tree.flatten((args, kwargs))
        self.arrays = [leaf if isinstance(leaf, jax.Array) else None for leaf in leaves]
        self.constants = tuple(leaf if array is None else None for leaf, array in zip(leaves, self.arrays, strict=True))
        self.example = example

    @property
    def dim(self) -> int:
        """Number of unconstrained coordinates."""
        return sum(leaf.size for leaf in self.example.values())

    def log_density(self, x: Vector) -> Scalar:
        """Log of the joint density of latents and data, with the log-Jacobian of the constraints."""
        from numpyro.infer.util import potential_energy

        with jax.numpy_dtype_promotion("standard"):
            return -jnp.asarray(potential_energy(self.model, *self._arguments(), self.unravel(x)))

    def constrain(self, x: Vector) -> Parameters:
        """The latents and the deterministic sites in their own space; a slash in a name becomes a dot."""
        from numpyro.infer.util import constrain_fn

        with jax.numpy_dtype_promotion("standard"):
            sites = constrain_fn(self.model, *self._arguments(), self.unravel(x), return_deterministic=True)
        return {name.replace("/", "."): jnp.asarray(value) for name, value in sites.items()}

    def unravel(self, x: Vector) -> Parameters:
        """The unconstrained latents of one point, by name."""
        return ravel_pytree(self.example)[1](x)

    def _arguments(self) -> tuple[tuple, dict[str, Any]]:
        pairs = zip(self.arrays, self.constants, strict=True)
        return jax.tree.unflatten(self.structure, [constant if array is None else array for array, constant in pairs])


def from_numpyro(model: Callable, *args: Any, key: Key | None = None, **kwargs: Any) -> NumPyroTarget:
    """A NumPyro model as a target, with u -> T(u) the map from R^d to the supports of its latents.

        log_density(u) = log p(T(u), data) + log |det dT/du|

    Args:
        model: A model whose latents are all continuous.
        *args: Positional arguments of the model. Arrays are leaves of the target, anything else is a constant.
        key: Random key of the abstract run of the model that finds the shapes of its latents.
        **kwargs: Keyword arguments of the model, likewise.

    Returns:
        A target on R^d whose `constrain` gives the latents and the deterministic sites by name.

    Raises:
        ImportError: NumPyro is not installed.
        ValueError: The model has no latents, a discrete one, a subsampled plate, or a `numpyro.param`.
    """
    try:
        from numpyro.handlers import seed, substitute, trace
        from numpyro.infer import init_to_uniform
        from numpyro.infer.util import unconstrain_fn
    except ImportError as error:
        raise ImportError("NumPyro models need NumPyro; install cosmoflow with the extra 'numpyro'.") from error

    args, kwargs = jax.tree.map(lambda a: jnp.asarray(a) if isinstance(a, np.ndarray) else a, (args, kwargs))

    def find_latents(key: Key) -> Parameters:
        seeded = substitute(seed(model, key), substitute_fn=init_to_uniform)
        latents = _latents(trace(seeded).get_trace(*args, **kwargs))
        return unconstrain_fn(model, args, kwargs, latents)

    with jax.numpy_dtype_promotion("standard"):
        shapes = jax.eval_shape(find_latents, jr.key(0) if key is None else key)
    return NumPyroTarget(model, args, kwargs, {name: jnp.zeros(s.shape, s.dtype) for name, s in shapes.items()})


def _latents(sites: Mapping[str, dict[str, Any]]) -> Parameters:
    """The values of the latent sites by name, if they make a density on R^d."""
    latents = {}
    for name, site in sites.items():
        if site["type"] == "param":
            raise ValueError(f"The model has the parameter {name!r}, which has no prior; use numpyro.sample.")
        if site["type"] == "plate" and site["value"].size < site["args"][0]:
            raise ValueError(f"The model subsamples the plate {name!r}, so its density is random; take all of it.")
        if site["type"] != "sample" or site["is_observed"]:
            continue
        if site["fn"].support.is_discrete:
            raise ValueError(f"The latent {name!r} is discrete, but a target is a density on R^d; marginalise over it.")
        latents[name] = site["value"]
    if not latents:
        raise ValueError("The model has no latents, so there is nothing to sample; does it observe all of its sites?")
    return latents
