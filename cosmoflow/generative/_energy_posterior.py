"""A learned energy as the prior of a likelihood."""

from .._types import Scalar, Vector
from ._data_posterior import AbstractDataPosterior


class EnergyPosterior(AbstractDataPosterior):
    """The posterior of a field whose prior is the energy of a diffusion, for every sampler.

        log_density(x) = model.log_density(x) + log L(mean + scale x)

    A gradient costs about three evaluations of the network, and no steps of a solver. The density is not normalised, so
    that its integral is no evidence; far from the data nothing constrains it.

    Args:
        model: A `Diffusion` that predicts an energy, trained on data with mean 0 and standard deviation 1.
        likelihood: The likelihood of the field.
        name: What the likelihood calls the field.
        shape: Of the field; flat where it is not given.
        mean: What was subtracted from the data before training, a number or of the shape of the field.
        scale: What they were divided by.
        condition: What the law of the data depends on, as in training.

    Raises:
        ValueError: The model predicts no energy, the likelihood asks for other names, the shape has another number of
            cells than the model, or a scale is not positive.
    """

    def __check_init__(self):
        if self.model.prediction != "energy":
            raise ValueError(
                f"EnergyPosterior needs a density, but a network that predicts the {self.model.prediction} is only a "
                'score; use prediction="energy", ScorePosterior, or the model as a Generated prior.'
            )

    def log_density(self, x: Vector) -> Scalar:
        """The energy's density times the likelihood at one point, unnormalised."""
        return self.model.log_density(x, condition=self.condition) + self.likelihood.log_likelihood(self.constrain(x))
