"""A learned score as the prior of a likelihood."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Scalar, Vector
from ..targets import AbstractScoreTarget
from ._data_posterior import AbstractDataPosterior


class ScorePosterior(AbstractDataPosterior, AbstractScoreTarget):
    """The posterior of a field whose prior is the score of a diffusion near its data, for samplers without a test.

        grad log density(x) = score(x, t) + grad log L(mean + scale x)

    The field that a network predicts is the gradient of no density. `KineticLangevin` and `MCLMC` follow it at one
    evaluation of the network per gradient; all samplers that compare densities refuse it. What they keep as the
    log-density is log L, and the change of energy by which they are tuned is a line integral over each step.

    The prior is the law of data with noise of deviation sin(phi(t)) in units of theirs. A network that predicts v or
    noise has its errors divided by tan(phi(t)): the smaller t, the sharper the prior and the larger they are.

    Args:
        model: A `Diffusion`, trained on data with mean 0 and standard deviation 1.
        likelihood: The likelihood of the field.
        time: t.
        name: What the likelihood calls the field.
        shape: Of the field; flat where it is not given.
        mean: What was subtracted from the data before training, a number or of the shape of the field.
        scale: What they were divided by.
        condition: What the law of the data depends on, as in training.

    Raises:
        ValueError: The time is not in (0, 1], the likelihood asks for other names, the shape has another number of
            cells than the model, or a scale is not positive.
    """

    time: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.05, kw_only=True)

    def __check_init__(self):
        if not 0 < self.time <= 1:
            raise ValueError(f"ScorePosterior's time is {self.time}, but must lie in (0, 1].")

    def linearised(self, x: Vector) -> Scalar:
        """log L, with the score of the posterior as its derivative."""
        score = jax.lax.stop_gradient(self.model.score(x, self.time.astype(x.dtype), self.condition))
        return self.likelihood.log_likelihood(self.constrain(x)) + jnp.dot(score, x - jax.lax.stop_gradient(x))
