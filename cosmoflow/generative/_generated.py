"""A generative model as the prior of a field."""

import math
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._types import Parameters
from ..targets import AbstractTransport
from ._base import Condition
from ._probability_flow import AbstractProbabilityFlow


class Generated(AbstractTransport):
    """What a probability flow makes of N(0, I) in a fixed number of steps: x = mean + scale T(z), a block of a `Prior`.

    The prior is the law of the draws as they come out of the steps, so that nothing of it is approximate, and its
    density is never needed. A model with conditions gives a field whose law depends on parameters that stand before it:

        Prior({"Omega_m": Uniform(0.1, 0.5), "field": Generated(model, (32, 32), conditions={"Omega_m": (0.3, 0.1)})})

    A gradient in z costs about three times the evaluations of the network that `transport` takes.

    Args:
        model: A model with a probability flow, trained on data with mean 0 and standard deviation 1.
        shape: Of the field, which the model knows flat.
        num_steps: Steps of the model's `solver`.
        mean: What was subtracted from the data before training, a number or of the shape of the field.
        scale: What they were divided by.
        conditions: For each parameter on which the law depends, in the order of the model's condition, the mean and the
            standard deviation by which its values were standardised; (0, 1) where they were not.

    Raises:
        ValueError: The model has no probability flow or another number of cells, there is no step, or a scale is not
            positive.
    """

    model: AbstractProbabilityFlow
    shape: tuple[int, ...] = eqx.field(static=True)
    num_steps: int = eqx.field(static=True)
    mean: Float[Array, "..."]
    scale: Float[Array, "..."]
    names: tuple[str, ...] = eqx.field(static=True)
    units: tuple[tuple[Float[Array, "..."], Float[Array, "..."]], ...]
    condition: Condition

    def __init__(
        self,
        model: AbstractProbabilityFlow,
        shape: tuple[int, ...],
        *,
        num_steps: int = 20,
        mean: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        conditions: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    ):
        conditions = {} if conditions is None else conditions
        self.model = model
        self.shape = shape
        self.num_steps = num_steps
        self.mean, self.scale = jnp.asarray(mean, float), jnp.asarray(scale, float)
        self.names = tuple(conditions)
        self.units = tuple((jnp.asarray(m, float), jnp.asarray(s, float)) for m, s in conditions.values())
        self.condition = None

    def __check_init__(self):
        if not isinstance(self.model, AbstractProbabilityFlow):
            raise ValueError(f"Generated needs a probability flow, such as Diffusion, not {type(self.model).__name__}.")
        if math.prod(self.shape) != self.model.dim:
            raise ValueError(f"A field of shape {self.shape} has not the {self.model.dim} numbers of the model.")
        if np.broadcast_shapes(self.shape, self.mean.shape, self.scale.shape) != self.shape:
            raise ValueError(f"Generated needs a mean and a scale of shape {self.shape}, or numbers.")
        for scale in (self.scale, *(scale for _, scale in self.units)):
            if not jnp.all(scale > 0):
                raise ValueError(f"Generated needs positive scales, but one is {scale}.")
        self.model.grid(self.num_steps)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the parameters on which the law depends."""
        return self.names

    def given(self, parameters: Parameters) -> AbstractTransport:
        """The law for values of these parameters."""
        if not self.names:
            return self
        pairs = zip(self.names, self.units, strict=True)
        values = [((parameters[name] - mean) / scale).reshape(-1) for name, (mean, scale) in pairs]
        return eqx.tree_at(lambda b: b.condition, self, jnp.concatenate(values), is_leaf=lambda leaf: leaf is None)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """From standard-normal coordinates to the field."""
        x = self.model.transport(z.reshape(-1), num_steps=self.num_steps, condition=self.condition)
        return self.mean + self.scale * x.reshape(self.shape)

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """There is none.

        Raises:
            ValueError: Always.
        """
        raise ValueError("The steps of a Generated prior lead from noise to fields alone; start from draws of N(0, I).")
