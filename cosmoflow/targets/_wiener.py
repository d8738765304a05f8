"""Coordinates of fields in which linear theory makes the posterior a standard normal law."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Complex, Float

from .._types import Parameters, Scalar, Vector
from ..fields import AbstractFieldModel
from ..fields._grid import filtered
from ..likelihoods import FieldLevel, JointLikelihood
from ..likelihoods._field_level import WHITE_NOISE
from ._base import AbstractTarget
from ._posterior import Posterior
from ._prior import Prior


class Wiener(AbstractBijection):
    """The Wiener filter of a field, for the cosmology and the bias at each point, as a change of coordinates.

    Where the modes of the data are R F + noise, F those of white noise and tau the precision of a cell, F has the
    posterior N(tau R d / (1 + tau R^2), 1 / (1 + tau R^2)), and

        F = tau R d / (1 + tau R^2) + z / sqrt(1 + tau R^2)

    with the response R of linear theory (Kaiser's, of galaxies). All other coordinates stay. A mask or noise that
    varies enters by the mean precision, and by the weights of the data.

    Where displacements shift the phases of the data, the mean above would turn a change of parameters into a change of
    the field that the data do not bear. Such fields are scaled only, F = z / sqrt(1 + tau R^2), which still keeps what
    was observed fixed while parameters change, and the mean is where chains start.

    Args:
        prior: The prior of all parameters, `white_noise` among them.
        model: The forward model, which tells the response.
        precision: Mean precision tau of a cell.
        data: Modes of the data, as a contrast and weighted by precision / tau.
        response: R at one point, to stay the same everywhere; that of each point where it is None.
        centred: Whether the mean is subtracted.

    References:
        Wiener 1949; Kaiser 1987, MNRAS 227, 1; Simon-Onfroy, Lanusse & de Mattia 2025, arXiv:2504.20130.
    """

    prior: Prior
    model: AbstractFieldModel
    precision: Scalar
    data: Complex[Array, "*half"]
    response: Float[Array, "*half"] | None
    centred: bool = eqx.field(static=True, default=True)
    cond_shape: None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (dim,) of a point."""
        return (self.prior.dim,)

    @property
    def beside(self) -> tuple[int, ...]:
        """Which coordinates are not those of the field."""
        span = self.prior.span(WHITE_NOISE)
        return (*range(span.start), *range(span.stop, self.prior.dim))

    def transform_and_log_det(self, x: Vector, condition=None):
        """From Wiener's coordinates to those of the prior."""
        scale, mean = self._law(x)
        moved = self._moved(x, lambda modes: filtered(modes, scale) + (mean if self.centred else 0))
        return moved, self._log_det(scale)

    def inverse_and_log_det(self, y: Vector, condition=None):
        """From the coordinates of the prior to Wiener's."""
        scale, mean = self._law(y)
        moved = self._moved(y, lambda modes: filtered(modes - (mean if self.centred else 0), 1 / scale))
        return moved, -self._log_det(scale)

    def start(self, z: Vector) -> Vector:
        """From deviations from the Wiener filter, N(0, 1) each, to a point of these coordinates."""
        if self.centred:
            return z
        scale, mean = self._law(z)
        return self._moved(z, lambda modes: modes + filtered(mean, 1 / scale))

    def _law(self, z: Any) -> tuple[Float[Array, "*half"], Complex[Array, "*half"]]:
        """Standard deviations and means of the modes."""
        response = self.response
        if response is None:
            response = self.model.response(_others(self.prior, z))
        gain = 1 / (1 + self.precision * response**2)
        return jnp.sqrt(gain), filtered(self.data, self.precision * response * gain)

    def _moved(self, z: Any, change: Callable[[Array], Array]) -> Vector:
        grid, latents, span = self.model.grid, self.model.latents, self.prior.span(WHITE_NOISE)
        modes = latents.modes(grid, z[span].reshape(grid.shape))
        return z.at[span].set(latents.latents(grid, change(modes)).ravel().astype(z.dtype))

    def _log_det(self, scale: Float[Array, "*half"]) -> Scalar:
        return jnp.sum(jnp.log(scale) * self.model.grid.multiplicity.astype(scale.dtype), dtype=float)


class LinearTheory(AbstractTarget):
    """The posterior of the parameters beside a field by linear theory, where the field is integrated out.

        log p(d | theta) = 1/2 sum over modes of tau^2 R^2 |d|^2 / (1 + tau R^2) - ln(1 + tau R^2), and a constant

    It is what the parameters' posterior looks like in `Wiener` coordinates as far as fields are Gaussian.

    Args:
        wiener: The coordinates, whose response follows the parameters.
    """

    wiener: Wiener

    @property
    def dim(self) -> int:
        """Number of standard-normal coordinates beside the field."""
        return len(self.wiener.beside)

    def log_density(self, x: Vector) -> Scalar:
        """Log of prior density times the likelihood of linear theory."""
        wiener = self.wiener
        scale, mean = wiener._law(self._placed(x))
        modes = (jnp.abs(mean) / scale) ** 2 + 2 * jnp.log(scale)
        log_likelihood = 0.5 * jnp.sum(modes * wiener.model.grid.multiplicity.astype(modes.dtype), dtype=float)
        return log_likelihood - 0.5 * (x @ x) - 0.5 * self.dim * jnp.log(2 * jnp.pi)

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters beside the field, in their own units."""
        return _others(self.wiener.prior, self._placed(x))

    def _placed(self, x: Float[Array, " beside"]) -> Vector:
        return jnp.zeros(self.wiener.prior.dim, x.dtype).at[jnp.asarray(self.wiener.beside)].set(x)


def wiener_coordinates(posterior: Posterior, *, at: Vector | None = None) -> Wiener | None:
    """Wiener's coordinates of a posterior; None where it is not that of one field.

    Args:
        posterior: With a likelihood that is, or holds, one `FieldLevel`.
        at: A point of the prior's coordinates whose response is used everywhere; that of each point if None.
    """
    members = posterior.likelihood.members if isinstance(posterior.likelihood, JointLikelihood) else ()
    fields = [m for m in (posterior.likelihood, *members) if isinstance(m, FieldLevel)]
    if len(fields) != 1:
        return None
    field, prior = fields[0], posterior.prior
    response = None if at is None else field.model.response(_others(prior, at))
    precision = field.precision()
    tau = jnp.mean(precision)
    modes = field.model.grid.modes(field.noise.contrast(field.data) * (precision / tau))
    return Wiener(prior, field.model, tau, modes, response, field.model.keeps_phases)


def _others(prior: Prior, z: Vector) -> Parameters:
    """All parameters but the field."""
    return {name: value for name, value in prior.forward(z).items() if name != WHITE_NOISE}
