"""Posteriors of a datum in the coordinates of the data themselves."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters, Vector
from ..likelihoods import AbstractLikelihood
from ..targets import AbstractTarget
from ._base import Condition
from ._diffusion import Diffusion


class AbstractDataPosterior(AbstractTarget):
    """A diffusion as the prior of one datum, in the coordinates x in which it was trained: field = mean + scale x."""

    model: Diffusion
    likelihood: AbstractLikelihood
    name: str = eqx.field(static=True, default="field", kw_only=True)
    shape: tuple[int, ...] | None = eqx.field(static=True, default=None, kw_only=True)
    mean: Float[Array, "..."] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0, kw_only=True)
    scale: Float[Array, "..."] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0, kw_only=True)
    condition: Condition = eqx.field(default=None, kw_only=True)

    def __check_init__(self):
        if tuple(self.likelihood.required) != (self.name,):
            raise ValueError(f"The likelihood requires {self.likelihood.required}, but the model gives {self.name!r}.")
        if self.shape is not None and math.prod(self.shape) != self.model.dim:
            raise ValueError(f"A field of shape {self.shape} has not the {self.model.dim} numbers of the model.")
        shape = (self.dim,) if self.shape is None else self.shape
        if np.broadcast_shapes(shape, self.mean.shape, self.scale.shape) != shape:
            raise ValueError(f"{type(self).__name__} needs a mean and a scale of shape {shape}, or numbers.")
        if not jnp.all(self.scale > 0):
            raise ValueError(f"{type(self).__name__} needs a positive scale, but it is {self.scale}.")

    @property
    def dim(self) -> int:
        """Numbers of a datum."""
        return self.model.dim

    def constrain(self, x: Vector) -> Parameters:
        """The field of one point, in its own units."""
        return {self.name: self.mean + self.scale * (x if self.shape is None else x.reshape(self.shape))}
