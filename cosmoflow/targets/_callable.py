"""Any log-density on a pytree of arrays."""

from collections.abc import Callable

import jax
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial, all_leaves
from jaxtyping import PyTree

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget
from ._normal import floats


class CallableTarget(AbstractTarget):
    """A log-density written for a pytree of arrays, as BlackJAX takes it, on flat coordinates.

    Args:
        log_density: From a pytree like `example` to a scalar. A Module keeps its arrays as leaves; a plain function
            is static, so arrays it closes over become constants of the compiled program.
        example: A pytree of arrays with the structure and the shapes of a position.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> target = cf.CallableTarget(lambda p: -0.5 * (p["a"] ** 2 + p["b"] @ p["b"]), {"a": 0.0, "b": jnp.zeros(3)})
        >>> target.dim
        4
        >>> float(target.log_density(jnp.ones(4)))
        -2.0
    """

    function: Callable
    example: PyTree

    def __init__(self, log_density: Callable, example: PyTree):
        self.function = Partial(log_density) if all_leaves([log_density]) else log_density
        self.example = jax.tree.map(floats, example)

    @property
    def dim(self) -> int:
        """Total number of array entries."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.example))

    def log_density(self, x: Vector) -> Scalar:
        """Unnormalised log-density at one point."""
        return self.function(self.unravel(x))

    def constrain(self, x: Vector) -> Parameters:
        """The leaves by the path to them, joined by dots: `{"a": {"b": ...}}` gives "a.b", a bare array "x"."""
        leaves, _ = jax.tree_util.tree_flatten_with_path(self.unravel(x))
        return {jax.tree_util.keystr(path, simple=True, separator=".") or "x": leaf for path, leaf in leaves}

    def unravel(self, x: Vector) -> PyTree:
        """The pytree of one point."""
        return ravel_pytree(self.example)[1](x)
