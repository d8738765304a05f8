"""Type Ia supernovae."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters
from ..cosmology import DistanceRule, cardinal_functions, chebyshev_nodes, einstein_de_sitter_depth
from ..cosmology._background import SPEED_OF_LIGHT
from ..datasets import SupernovaData
from ._base import AbstractGaussianLikelihood
from ._expansion import EXPANSION, RADIATION, expansion


class Supernovae(AbstractGaussianLikelihood):
    r"""Distance moduli or magnitudes of standard candles, m = 5 log10(D_L / 10 pc) + M with D_L = (1 + z_hel) D_M(z).

    The constant M enters in one of two ways:

    - `"marginalized"`: under a flat prior of density one per magnitude. The data are then the differences to the first
      modulus, d_i = m_i - m_1, which do not contain M. Their Gaussian likelihood is the marginal one, constant
      included, and does not depend on which modulus is subtracted; the Hubble constant is part of M:

          N(d; mu, D C D^T) = int dM N(m; mu + M, C)
                            = (2 pi)^((1 - n) / 2) (|C| 1^T C^-1 1)^(-1/2) exp(-chi2 / 2),    chi2 = min_M chi2(M)

    - `"free"`: by the parameter `M` [mag], beside `h`: the absolute magnitude where the data are magnitudes, an offset
      where they are moduli.

    Moduli are computed at `num_nodes` redshifts, as differences g to those of an Einstein-de Sitter universe, and
    interpolated in (1 + z)^(-1/2) to each supernova: m = m_EdS + B g. With L the Cholesky factor of the covariance, one
    QR decomposition of the matrix (L^-1 B, L^-1 (d - m_EdS)) into Q (R, y) gives

        chi2 = |L^-1 B g - L^-1 (d - m_EdS)|^2 = |R g - y|^2

    so that the cost does not grow with the number of supernovae, and nothing is left out: `predict` is the same m. The
    error of the interpolated modulus is below 1e-8 mag for the universes of `cosmology.comoving_distance`.

    `Omega_k`, `w0` and `wa` are optional (0, -1, 0). With radiation `h` is required, and `T_cmb` (2.7255 K), `N_eff`
    (3.044) and `m_nu` (0 eV) are optional.

    Args:
        data: The measurements.
        absolute_magnitude: How M enters.
        radiation: Whether photons and neutrinos take part in the expansion.
        num_nodes: Number of redshifts at which moduli are computed. If None, or if there are no more supernovae, these
            are the redshifts of the supernovae, without interpolation.

    Raises:
        ValueError: If `absolute_magnitude` is neither of the two, `num_nodes` is less than two, a redshift is not
            positive, or the covariance is not positive definite.

    References:
        Goliath et al. 2001, arXiv:astro-ph/0104009, Appendix A; Brout et al. 2022, arXiv:2202.04077.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    reference: Float[Array, " supernova"]
    interpolation: Float[Array, "supernova node"] | None
    distances: DistanceRule
    triangle: Float[Array, "row node"]
    projection: Float[Array, " row"]
    absolute_magnitude: str = eqx.field(static=True)
    radiation: bool = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        data: SupernovaData,
        *,
        absolute_magnitude: Literal["marginalized", "free"] = "marginalized",
        radiation: bool = False,
        num_nodes: int | None = 48,
    ):
        if absolute_magnitude not in ("marginalized", "free"):
            raise ValueError(f"`absolute_magnitude` is marginalized or free, not {absolute_magnitude!r}.")
        if num_nodes is not None and num_nodes < 2:
            raise ValueError(f"`num_nodes` is at least two, not {num_nodes}.")
        free = absolute_magnitude == "free"
        moduli, covariance = data.distance_modulus, data.covariance
        heliocentric = data.redshift if data.heliocentric_redshift is None else data.heliocentric_redshift
        depth = SPEED_OF_LIGHT / 100 * einstein_de_sitter_depth(data.redshift)
        reference = 5 * np.log10((1 + heliocentric) * depth) + 25
        if num_nodes is None or data.redshift.size <= num_nodes:
            nodes, interpolation = data.redshift, np.eye(data.redshift.size)
            self.interpolation = None
        else:
            low = 1 / np.sqrt(1 + np.max(data.redshift))
            nodes = chebyshev_nodes(low, 1.0, num_nodes) ** -2 - 1
            interpolation = cardinal_functions(1 / np.sqrt(1 + data.redshift), low, 1.0, num_nodes)
            self.interpolation = jnp.asarray(interpolation)
        columns = np.column_stack([moduli, reference, interpolation])
        if not free:
            columns = columns[1:] - columns[0]
            covariance = covariance[1:, 1:] - covariance[1:, :1] - covariance[:1, 1:] + covariance[0, 0]
        try:
            cholesky = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError as error:
            raise ValueError("The covariance of the supernovae is not positive definite.") from error
        basis = np.column_stack([columns[:, 2:], columns[:, 0] - columns[:, 1]])
        reduced = np.asarray(np.linalg.qr(np.linalg.solve(cholesky, basis), mode="r"))
        self.data = jnp.asarray(columns[:, 0])
        self.cholesky = jnp.asarray(cholesky)
        self.reference = jnp.asarray(reference)
        self.distances = DistanceRule(nodes)
        self.triangle = jnp.asarray(reduced[:, :-1])
        self.projection = jnp.asarray(reduced[:, -1])
        self.absolute_magnitude = absolute_magnitude
        self.radiation = radiation
        self.required = ("Omega_m", *(("h",) if free or radiation else ()), *(("M",) if free else ()))
        self.optional = EXPANSION + (RADIATION if radiation else ())

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """Magnitudes [mag], or the differences of distance moduli to the first one where M is marginalised."""
        relative = self._relative_moduli(parameters)
        moduli = self.reference + (relative if self.interpolation is None else self.interpolation @ relative)
        return moduli if self.absolute_magnitude == "free" else moduli[1:] - moduli[0]

    def residual(self, parameters: Parameters) -> Float[Array, " row"]:
        """R g - y, whose square is chi^2."""
        return self.triangle @ self._relative_moduli(parameters) - self.projection

    def _relative_moduli(self, parameters: Parameters) -> Float[Array, " node"]:
        """Magnitudes at the nodes minus the moduli of an Einstein-de Sitter universe with h = 1 [mag]."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=self.radiation)
        relative = 5 * jnp.log10(self.distances.relative_distance(cosmology))
        if self.absolute_magnitude == "free":
            relative = relative + parameters["M"] - 5 * jnp.log10(cosmology.h)
        return relative
